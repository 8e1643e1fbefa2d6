"""CT texture on a segmentation of one's own: painted in the model's pixels, put back on the segmentation's grid.

A structure that is larger than a sample of the model is painted in overlapping patches. They share one field of noise,
so that where two overlap they show nearly the same, and fade into each other: no seam, and hardly less contrast. What
no patch reaches is air. A model of slices paints each slice for itself: its reformatted planes show that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from topogan.config import Center, PrepareSettings
from topogan.dataset.centering import around_volume
from topogan.dataset.cut import OUTSIDE_HU, Patches
from topogan.dataset.inputs import Case, open_cases
from topogan.dataset.plan import CasePlan, PatchPlan, plan_case
from topogan.dataset.structure import label_map_of
from topogan.dataset.volume_plan import plan_volumes
from topogan.errors import InputError
from topogan.files import check_new_file, staged_file, write_json
from topogan.model import Model, load_model
from topogan.model.metadata import Metadata
from topogan.networks import intensities_from_network, texture_condition, texture_noise_channels
from topogan.plane import Plane
from topogan.structures import StructureTable, checked_table
from topogan.volumes import Geometry, Volume, write_image
from topogan_contract import schemas

ENDINGS = (".nii.gz", ".nii", ".nrrd", ".mha")
# Pixels around a structure that belong to what is painted; patches overlap by half.
_MARGIN = 1
_OVERLAP = 2
# Of the interpolation's weights, those on something painted.
_REACHED = 0.5
_ITK_DIMENSIONS = 3


def paint(
    model: Path,
    segmentation: Path,
    out: Path,
    table: StructureTable | None = None,
    seed: int = 0,
    plane: Plane = "axial",
    overwrite: bool = False,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Paint CT texture on a segmentation.

    Args:
        model: package of a model with textures.
        segmentation: label volume of any grid, in one phase or several.
        out: image to write (.nii.gz, .nii, .nrrd, .mha) on the segmentation's grid, int16, in the model's unit; beside
            it ``NAME.json`` says that it is synthetic, and of what model and seed.
        table: which labels are which of the model's structures; None: those of the model's own training set.
        seed: of the noise.
        plane: of a model of slices: the plane that it was trained in.
        overwrite: replace ``out``.
        on_event: takes progress events.

    Returns:
        ``out``.

    Raises:
        InputError: the model paints no textures, or has no such structures; the segmentation cannot be read.
        WorkError: the file could not be written.
    """
    out, segmentation, report = Path(out), Path(segmentation), on_event or (lambda event: None)
    ending = next((ending for ending in ENDINGS if out.name.endswith(ending)), "")
    if not ending:
        raise InputError(f"{out} has no ending of an image: choose one of {', '.join(ENDINGS)}.")
    record = out.with_name(f"{out.name.removesuffix(ending)}.json")
    if overwrite and out.exists() and (segmentation.samefile(out) or segmentation in out.absolute().parents):
        raise InputError(f"{out} is the segmentation itself, or lies in it: name another file for the painted image.")
    check_new_file(out, overwrite)
    check_new_file(record, overwrite, schemas.PAINTING)
    loaded = load_model(model, discriminators=False)
    if loaded.textures is None or loaded.metadata.window is None:
        raise InputError(f"The model {model} makes masks alone: choose one that was trained with images.")
    table = _own_table(loaded) if table is None else _with_context_of(loaded, table)
    case = open_cases([segmentation], None, _settings(loaded), table, None, plane)[0]
    painter = _Painter(loaded, case, seed, report)
    images = []
    for phase, labels in enumerate(case.segmentation.volumes()):
        painted = painter.paint(label_map_of(labels, case.table, case.segmentation.path), phase)
        images.append(_on_grid(painted, case, painter.patches, loaded.metadata))
    image = images[0] if len(images) == 1 else sitk.JoinSeries(images)
    with staged_file(out) as partial:
        write_image(partial, image)
    write_json(record, {"synthetic": True, "model": loaded.metadata.content_hash, "seed": seed}, schemas.PAINTING)
    return out


def _settings(model: Model) -> PrepareSettings:
    volumes = model.metadata.axes == 3
    return PrepareSettings(volumes=volumes, minimum_area=0.0)


def _own_table(model: Model) -> StructureTable:
    """The model's structures by their labels; context has none where it was found in CT, and is no part of it then."""
    table = model.metadata.table
    if not all(one.labels for one in table.without_context.structures):
        return table.numbered
    return table.model_copy(update={"structures": tuple(one for one in table.structures if one.labels)})


def _with_context_of(model: Model, table: StructureTable) -> StructureTable:
    """The same table; what the model knows as context says nothing of where to paint, and stands last."""
    context = [one.name for one in model.metadata.table.structures if one.context]
    told = [one.model_copy(update={"context": one.name in context}) for one in table.structures]
    return checked_table({"structures": sorted(told, key=lambda one: one.context), "unions": table.unions})


@dataclass(frozen=True)
class _Canvas:
    """Something that was painted, on the lattice of the model's pixels through the origin of the case's frame."""

    first: NDArray[np.int64]
    """int [axes], u, v (and w): the first pixel, in pixels from the origin."""
    slice_number: int
    """Of slices."""
    values: NDArray[np.float32]
    """[row, column], of volumes [slice, row, column], in [-1, 1]."""


class _Painter:
    """Paints the phases of one case."""

    def __init__(self, model: Model, case: Case, seed: int, report: Callable[[dict[str, Any]], None]) -> None:
        names = model.metadata.table.names
        unknown = [name for name in case.table.names if name not in names]
        if unknown:
            raise InputError(f"The model does not know {unknown[0]!r}: it paints on {', '.join(names)}.")
        # From the label ids of the case to those of the model.
        self._ids = np.array([0, *(names.index(name) + 1 for name in case.table.names)], np.uint8)
        self._model, self._case, self._seed, self._report = model, case, seed, report
        self._axes = model.metadata.axes
        self.patches = Patches(model.size, model.metadata.pixel_size_mm, self._axes)
        self._plans = _plan(case, model.metadata).patches
        self._painted = 0

    def paint(self, labels: Volume, phase: int) -> list[_Canvas]:
        """All slices of a phase, or its one volume."""
        labels = Volume(self._ids[labels.array], labels.geometry)
        canvases = []
        for plan in self._plans:
            if plan.phase == phase:
                canvases.append(self._paint_one(labels, plan))
                self._painted += 1
                event = {"kind": "step", "stage": "paint", "step": self._painted, "total": len(self._plans)}
                self._report({**event, "values": {}})
        return canvases

    def _paint_one(self, labels: Volume, plan: PatchPlan) -> _Canvas:
        pixel, size = self.patches.pixel_size, self.patches.size
        middle = np.array(plan.center[: self._axes]) / pixel
        wanted = np.ceil(np.array(plan.sides) / pixel).astype(int) + 2 * _MARGIN
        counts = [_patches_along(int(one), size) for one in wanted]
        shape = np.array([size + (count - 1) * size // _OVERLAP for count in counts])
        first = np.floor(middle - shape / 2 + 0.5).astype(int)
        corners = np.array(list(itertools.product(*(range(count) for count in counts)))) * (size // _OVERLAP)
        plans = [self._moved(plan, first + corner) for corner in corners]
        cut = self.patches.labels_and_context(labels, self._case.frame, plans, self._model.metadata.table)
        noise = self._noise(plan, shape)
        total, weight = np.zeros(shape[::-1], np.float32), np.zeros(shape[::-1], np.float32)
        fading = _fading(size, self._axes)
        for corner, one in zip(corners, cut, strict=True):
            there = tuple(slice(begin, begin + size) for begin in corner[::-1].tolist())
            painted = self._textures(one, noise[(slice(None), *there)], plan.level)
            total[there] += fading * painted
            weight[there] += fading
        return _Canvas(first, plan.slice_number, (total / weight).astype(np.float32))

    def _moved(self, plan: PatchPlan, first: NDArray[np.int64]) -> PatchPlan:
        center = (first + (self.patches.size - 1) / 2) * self.patches.pixel_size
        u, v, w = (*center.tolist(), plan.center[2])[:3]
        return replace(plan, center=(u, v, w))

    def _noise(self, plan: PatchPlan, shape: NDArray[np.int64]) -> NDArray[np.float32]:
        channels = texture_noise_channels(self._model.metadata.settings.textures, self._axes)
        # Slices below the first voxel have negative numbers, which seeds cannot be.
        random = np.random.default_rng([self._seed, plan.phase, plan.slice_number % (1 << 32)])
        return random.standard_normal((channels, *shape[::-1]), dtype=np.float32)

    @torch.inference_mode()
    def _textures(self, labels: NDArray[np.uint8], noise: NDArray[np.float32], level: float) -> NDArray[np.float32]:
        metadata, network = self._model.metadata, self._model.textures
        assert network is not None
        told = np.array([level]) if metadata.told_level else None
        condition = texture_condition(labels[None], len(metadata.table), told)
        painted = network(condition, torch.from_numpy(np.ascontiguousarray(noise))[None])
        return np.asarray(painted[0, 0].float().numpy())


def _plan(case: Case, model: Metadata) -> CasePlan:
    if model.axes == _ITK_DIMENSIONS:
        return plan_volumes(case, lambda: None)
    plan = plan_case(case, PrepareSettings(minimum_area=0.0), 0.0, lambda: None)
    return around_volume(plan, case.frame.pitch) if model.center is Center.VOLUME else plan


def _patches_along(wanted: int, size: int) -> int:
    """How many patches, overlapping by half, cover so many pixels."""
    return 1 + max(0, math.ceil((wanted - size) / (size // _OVERLAP)))


def _fading(size: int, axes: int) -> NDArray[np.float32]:
    """Weights of a patch: they fall to its edges, and those of neighbors add up to a constant."""
    side = np.minimum(np.arange(size) + 0.5, size - np.arange(size) - 0.5).astype(np.float32) / size
    weights: NDArray[np.float32] = np.ones((size,) * axes, np.float32)
    for axis in range(axes):
        weights *= side.reshape([-1 if one == axis else 1 for one in range(axes)])
    return weights


def _on_grid(painted: list[_Canvas], case: Case, patches: Patches, model: Metadata) -> sitk.Image:
    """Interpolate (linear) at the voxels of the segmentation: int16; air, or the darkest value, where nothing is."""
    assert model.window is not None
    firsts = np.array([_start(one) for one in painted])
    shapes = np.array(
        [one.values.shape[::-1] if patches.axes == 3 else (*one.values.shape[::-1], 1) for one in painted]
    )
    low, high = firsts.min(axis=0), (firsts + shapes).max(axis=0)
    values = np.zeros((high - low)[::-1], np.float32)
    known = np.zeros(values.shape, np.float32)
    for one, first, shape in zip(painted, firsts - low, shapes, strict=True):
        there = tuple(slice(begin, begin + count) for begin, count in zip(first[::-1], shape[::-1], strict=True))
        values[there] = one.values.reshape(shape[::-1])
        known[there] = 1.0
    step = case.frame.step if patches.axes == 2 else patches.pixel_size
    spacing = np.array([patches.pixel_size, patches.pixel_size, step])
    x, y, z = case.frame.to_point((low * spacing)[None])[0].tolist()
    columns, rows, slices = (high - low).tolist()
    lattice = Geometry(
        (columns, rows, slices), tuple(spacing.tolist()), (x, y, z), tuple(case.frame.axes.ravel().tolist())
    )
    reach = _resampled(known, lattice, case.segmentation.geometry)
    share = np.where(reach >= _REACHED, reach, 1.0)
    scaled = _resampled(values, lattice, case.segmentation.geometry) / share
    outside = OUTSIDE_HU if model.intensity == "HU" else model.window[0]
    intensities = intensities_from_network(torch.from_numpy(scaled)[:, None], model.window)
    array = np.where(reach >= _REACHED, intensities, np.int16(outside)).astype(np.int16)
    return Volume(array, case.segmentation.geometry).to_image()


def _start(canvas: _Canvas) -> NDArray[np.int64]:
    """int [3]: (u, v, w) of the first pixel of the lattice that a canvas covers."""
    return canvas.first if len(canvas.first) == _ITK_DIMENSIONS else np.array([*canvas.first, canvas.slice_number])


def _resampled(array: NDArray[np.float32], lattice: Geometry, grid: Geometry) -> NDArray[np.float32]:
    resample = sitk.ResampleImageFilter()
    resample.SetReferenceImage(Volume(np.zeros(grid.size[::-1], np.uint8), grid).to_image())
    resample.SetInterpolator(sitk.sitkLinear)
    resample.SetOutputPixelType(sitk.sitkFloat32)
    return np.asarray(sitk.GetArrayFromImage(resample.Execute(Volume(array, lattice).to_image())))
