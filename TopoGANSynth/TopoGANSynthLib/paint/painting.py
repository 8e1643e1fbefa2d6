"""Texture on a segmentation of the scene: which segments a model knows, and the engine's work on them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.schemas import find_json
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANSynthLib.job.engine_job import EngineJob

if TYPE_CHECKING:
    from TopoGANLib.scene.grid import Grid
    from TopoGANLib.scene.scene_input import SceneInput

_SEGMENTATION, _PICTURE, _RECORD = "segmentation.nrrd", "painted.nrrd", "painted.json"
_STRUCTURES, _PLANE, _LOG = "structures.json", "plane.json", "engine.txt"
_HASH_LETTERS = 16


@dataclass(frozen=True)
class Match:
    """Which segments are which structures of a model."""

    segments: tuple[tuple[str, str], ...]
    """Structure, id of its segment; in the order of the model."""
    missing: tuple[str, ...]
    """Structures that the segmentation has not."""
    others: tuple[str, ...]
    """Names of segments that the model does not know."""


@dataclass(frozen=True)
class Painted:
    """What the engine has painted."""

    picture: Grid
    """int16, in the model's unit."""
    said: str
    """That it is synthetic, and of which model and seed."""


def match(structures: Sequence[str], segmentation: slicer.vtkMRMLSegmentationNode) -> Match:
    """Find a model's structures among the segments, by names in which case, blanks and underscores do not count."""
    inner = segmentation.GetSegmentation()
    names = {identifier: inner.GetSegment(identifier).GetName() for identifier in inner.GetSegmentIDs()}
    found: dict[str, str] = {}
    for structure in structures:
        same = [one for one, name in names.items() if _plain(name) == _plain(structure) and one not in found.values()]
        # Of two, the one that is written alike.
        same.sort(key=lambda one: names[one] != structure)
        if same:
            found[structure] = same[0]
    return Match(
        tuple(found.items()),
        tuple(structure for structure in structures if structure not in found),
        tuple(name for one, name in names.items() if one not in found.values()),
    )


def plane_of_view(view: slicer.vtkMRMLSliceNode) -> list[list[float]]:
    """SliceToRAS of a view that the user has turned: 4 rows of 4.

    Raises:
        InputError: it shows samples, and was turned to their plane.
    """
    from TopoGANLib.scene.scene_input import plane_of
    from TopoGANLib.scene.views import shows_samples
    from TopoGANLib.scene.voxels import InputError

    if shows_samples(view, slicer.app.applicationLogic()):
        raise InputError(
            _("The Red view was turned to show samples: turn it to the patient's plane, or choose the axial plane.")
        )
    return plane_of(view)


def paint_job(
    engine: Engine,
    model: Path,
    segmentation: slicer.vtkMRMLSegmentationNode,
    matched: Match,
    plane: list[list[float]] | None = None,
    seed: int = 0,
) -> EngineJob[Painted]:
    """Begin to paint.

    Args:
        engine: starts the command.
        model: package with textures.
        segmentation: what to paint on.
        matched: which of its segments.
        plane: SliceToRAS of the plane that a model of slices has learned; None for axial.
        seed: of the texture.

    Raises:
        InputError: the segmentation cannot be used.
    """
    from TopoGANLib.scene.scene_input import read_scene_input
    from TopoGANLib.scene.voxels import reference_grid

    scan = read_scene_input(None, segmentation, [identifier for _structure, identifier in matched.segments])
    names = [structure for structure, _identifier in matched.segments]
    folder = user_settings.new_work_folder("paint")
    work = _Work(folder, scan, reference_grid(segmentation), names, plane)
    where = "axial" if plane is None else folder / _PLANE
    command = ["paint", model.absolute(), folder / _SEGMENTATION, folder / _PICTURE]
    command += ["--structures", folder / _STRUCTURES, "--plane", where, "--seed", str(seed)]
    return EngineJob(engine, command, folder / _LOG, work.write, work.read, work.clean)


class _Work:
    """The files of one painting; touches no node, so that any thread may do it."""

    def __init__(
        self,
        folder: Path,
        scan: SceneInput,
        reference: Grid | None,
        names: list[str],
        plane: list[list[float]] | None,
    ) -> None:
        self._folder, self._scan, self._reference = folder, scan, reference
        self._names, self._plane = names, plane
        self._labels: Grid | None = None

    def write(self) -> None:
        from TopoGANLib.scene.grid import placed_on, write_nrrd

        values = list(range(1, len(self._names) + 1))
        labels, _overlaps = self._scan.merged(values)
        self._labels = labels if self._reference is None else placed_on(self._reference, labels)
        self._folder.mkdir(parents=True, exist_ok=True)
        write_nrrd(self._folder / _SEGMENTATION, self._labels)
        table = [{"name": name, "labels": [value]} for name, value in zip(self._names, values, strict=True)]
        self._write_json(_STRUCTURES, {"schema": schemas.STRUCTURES, "structures": table})
        if self._plane is not None:
            self._write_json(_PLANE, self._plane)

    def read(self) -> Painted:
        import numpy as np
        import SimpleITK as sitk

        from TopoGANLib.scene.grid import Grid

        assert self._labels is not None
        record = find_json(self._folder / _RECORD, schemas.PAINTING)
        try:
            array = sitk.GetArrayFromImage(sitk.ReadImage(str(self._folder / _PICTURE)))
        except RuntimeError:
            array = None
        if record is None or array is None or array.shape != self._labels.array.shape:
            raise ValueError(_("The picture cannot be read: look whether the disk is full, and paint again."))
        sentence = _("Synthetic picture, not of a patient: TopoGAN, model {model}, seed {seed}.")
        said = sentence.format(model=str(record.get("model"))[:_HASH_LETTERS], seed=record.get("seed"))
        return Painted(Grid(array.astype(np.int16), self._labels.ijk_to_ras), said)

    def clean(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write_json(self, name: str, content: Any) -> None:
        (self._folder / name).write_text(json.dumps(content), encoding="utf-8")


def _plain(name: str) -> str:
    return re.sub(r"[\s_]", "", name).casefold()
