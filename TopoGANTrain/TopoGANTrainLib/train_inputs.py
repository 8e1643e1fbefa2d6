"""What a training can start from, checked before any work: the scene, folders, or a training set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from TopoGANLib.forms.settings import Setting, nested_values
from TopoGANLib.forms.user_settings import new_work_folder
from TopoGANTrainLib.scene_input import InputError, plane_of, read_scene_input
from TopoGANTrainLib.structures import structures_in, table_in, unions_in
from TopoGANTrainLib.training_session import Preparation, Request

TRAINING_SET = "training-set"
"""Name of a training set's folder in that of a training."""
_RUN = "run"
_LONGEST_NAME = 60
_OF_ONE_STRUCTURE = ("prepare_structure", "prepare_labels", "prepare_png_colors")


@dataclass(frozen=True)
class FromScene:
    """One patient of the scene."""

    segmentation: slicer.vtkMRMLSegmentationNode
    segment_ids: str | Sequence[str]
    """One segment, or several; where two overlap, the earlier one wins."""
    volume: slicer.vtkMRMLScalarVolumeNode | None = None
    """The CT; None trains masks alone."""
    slice_node: slicer.vtkMRMLSliceNode | None = None
    """The view whose plane the patches are cut in; None for axial."""
    unions: str = ""
    """Segments whose topology counts together, such as ``"lv_cavity + myocardium; …"``."""

    @property
    def identifiers(self) -> list[str]:
        """Of the segments."""
        return [self.segment_ids] if isinstance(self.segment_ids, str) else list(self.segment_ids)

    @property
    def name(self) -> str:
        """What is learned: the segments."""
        segments = map(self.segmentation.GetSegmentation().GetSegment, self.identifiers)
        return "-".join(segment.GetName() for segment in segments if segment is not None)

    def measure(self, axes: int = 2) -> Callable[[], tuple[float, float]]:
        """Work that finds the widest slice and the images' own pixel, in mm; 0, 0 where the plane is not the volume's.

        Args:
            axes: 3 for volumes, of which it is the longest edge and the edge of a voxel.

        Raises:
            InputError: what was chosen cannot be used.
        """
        if self.slice_node is not None or not self.identifiers:
            return _unmeasured
        chosen = read_scene_input(self.volume, self.segmentation, self.identifiers)
        return chosen.measured if axes == 2 else chosen.measured_volume

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: what was chosen cannot be used.
        """
        chosen = read_scene_input(self.volume, self.segmentation, self.identifiers)
        plane = "axial" if self.slice_node is None else plane_of(self.slice_node)
        structures = chosen.table
        if len(structures) == 1 and values.get("prepare_structure"):
            structures[0]["name"] = values["prepare_structure"]
        unions = unions_in(self.unions, [one["name"] for one in structures]) if len(structures) > 1 else []
        table = {"structures": structures, "unions": unions}
        given = {**_without_one(values), "prepare_resample": True}
        folder = new_work_folder("input")

        def request() -> Request:
            images, segmentations, remark = chosen.write(folder)
            return Request(_request(segmentations, images, plane, nested_values(settings, given), table), remark)

        return Preparation(folder, request)


@dataclass(frozen=True)
class FromFiles:
    """Segmentations and their images on disk: files, or folders of them."""

    segmentations: Path
    images: Path | None = None
    structures: str = ""
    """Such as ``"lv_cavity=1; myocardium=2"``; empty for a single one, which the settings name."""
    unions: str = ""
    """As :attr:`FromScene.unions`."""
    table: Path | None = None
    """A file that says both, and colors, instead."""

    @property
    def name(self) -> str:
        """The structures, as far as the panel is told."""
        return (
            "-".join(one["name"] for one in structures_in(self.structures)) if self.table is None else self.table.stem
        )

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: a path is not there, or what was typed cannot be read.
        """
        for path in filter(None, (self.segmentations, self.images, self.table)):
            if not path.exists():
                raise InputError(f"{path} does not exist: choose another file or folder.")
        images = [] if self.images is None else [self.images]
        table = self._table()
        if table is not None:
            values = _without_one(values)
        request = _request([self.segmentations], images, "axial", nested_values(settings, values), table)
        return Preparation(new_work_folder("input"), lambda: Request(request))

    def measure(self, axes: int = 2) -> Callable[[], tuple[float, float]]:
        """Nothing is known before the engine has read the files."""
        return _unmeasured

    def _table(self) -> dict[str, Any] | None:
        if self.table is not None:
            return table_in(self.table)
        structures = structures_in(self.structures)
        unions = unions_in(self.unions, [one["name"] for one in structures]) if structures else []
        return {"structures": structures, "unions": unions} if structures else None


@dataclass(frozen=True)
class FromTrainingSet:
    """A training set that was prepared before."""

    folder: Path

    @property
    def name(self) -> str:
        """That of the folder, or of the training that it was made for."""
        made_for = self.folder.parent.name.rstrip("0123456789").rstrip("-")
        return made_for if self.folder.name == TRAINING_SET and made_for else self.folder.name

    def measure(self, axes: int = 2) -> Callable[[], tuple[float, float]]:
        """Its patches have their size."""
        return _unmeasured

    def check(self) -> None:
        """See that it is one.

        Raises:
            InputError: it is none.
        """
        if not (self.folder / "dataset.json").is_file():
            raise InputError(f"{self.folder} is no training set: choose a folder that holds dataset.json.")


Inputs = FromScene | FromFiles | FromTrainingSet


def _request(
    segmentations: Iterable[Path],
    images: Iterable[Path],
    plane: str | list[list[float]],
    settings: dict[str, Any],
    table: dict[str, Any] | None,
) -> dict[str, Any]:
    """As :mod:`topogan_contract.preparation` says."""
    request: dict[str, Any] = {
        "sources": [
            {
                "segmentations": [str(path.absolute()) for path in segmentations],
                "images": [str(path.absolute()) for path in images],
                "plane": plane,
            }
        ],
        "settings": settings,
    }
    return request if table is None else {**request, "table": table}


def _unmeasured() -> tuple[float, float]:
    return 0.0, 0.0


def _without_one(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what describes a single structure, in place of which there is a table."""
    return {name: value for name, value in values.items() if name not in _OF_ONE_STRUCTURE}


def new_folder(results: Path, name: str) -> Path:
    """A folder of ``results`` that is not there yet: ``myocardium-1``, ``myocardium-2`` …"""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name[:_LONGEST_NAME]).strip("-") or "training"
    number = 1
    while (results / f"{plain}-{number}").exists():
        number += 1
    return results / f"{plain}-{number}"


def folder_for(inputs: Inputs, results: Path, name: str) -> Path:
    """Where a training's run goes: beside a training set that was made for it and has none yet, else a new folder.

    Args:
        inputs: what is learned from.
        results: folder of the user for results.
        name: of the new folder.
    """
    if isinstance(inputs, FromTrainingSet) and inputs.folder.name == TRAINING_SET:
        made_for = inputs.folder.parent
        if made_for.parent == results and not (made_for / _RUN).exists():
            return made_for
    return new_folder(results, name)
