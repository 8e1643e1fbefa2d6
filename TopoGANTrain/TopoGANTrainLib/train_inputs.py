"""What a training can start from, checked before any work: the scene, folders, or a training set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from TopoGANLib.forms.settings import Setting, nested_values
from TopoGANLib.forms.user_settings import new_work_folder
from TopoGANTrainLib.scene_input import InputError, plane_of, read_scene_input
from TopoGANTrainLib.training_session import Preparation


@dataclass(frozen=True)
class FromScene:
    """One patient of the scene."""

    segmentation: slicer.vtkMRMLSegmentationNode
    segment_id: str
    volume: slicer.vtkMRMLScalarVolumeNode | None = None
    """The CT; None trains masks alone."""
    slice_node: slicer.vtkMRMLSliceNode | None = None
    """The view whose plane the patches are cut in; None for axial."""

    @property
    def name(self) -> str:
        """What is learned: the segment."""
        segment = self.segmentation.GetSegmentation().GetSegment(self.segment_id)
        return segment.GetName() if segment else ""

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: what was chosen cannot be used.
        """
        chosen = read_scene_input(self.volume, self.segmentation, self.segment_id)
        plane = "axial" if self.slice_node is None else plane_of(self.slice_node)
        # In the file that is written the segment is 1, whatever it was.
        given = {"prepare_structure": chosen.structure, **values, "prepare_resample": True, "prepare_labels": "1"}
        folder = new_work_folder("input")

        def request() -> dict[str, Any]:
            images, segmentations = chosen.write(folder)
            return _request(segmentations, images, plane, nested_values(settings, given))

        return Preparation(folder, request)


@dataclass(frozen=True)
class FromFiles:
    """Segmentations and their images on disk: files, or folders of them."""

    segmentations: Path
    images: Path | None = None
    name = ""
    """Files do not say what is learned."""

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: a path is not there.
        """
        for path in filter(None, (self.segmentations, self.images)):
            if not path.exists():
                raise InputError(f"{path} does not exist: choose another file or folder.")
        images = [] if self.images is None else [self.images]
        request = _request([self.segmentations], images, "axial", nested_values(settings, values))
        return Preparation(new_work_folder("input"), lambda: request)


@dataclass(frozen=True)
class FromTrainingSet:
    """A training set that was prepared before."""

    folder: Path

    @property
    def name(self) -> str:
        """That of the folder."""
        return self.folder.name

    def check(self) -> None:
        """See that it is one.

        Raises:
            InputError: it is none.
        """
        if not (self.folder / "dataset.json").is_file():
            raise InputError(f"{self.folder} is no training set: choose a folder that holds dataset.json.")


Inputs = FromScene | FromFiles | FromTrainingSet


def _request(
    segmentations: Iterable[Path], images: Iterable[Path], plane: str | list[list[float]], settings: dict[str, Any]
) -> dict[str, Any]:
    """As :mod:`topogan_contract.preparation` says."""
    return {
        "segmentations": [str(path.absolute()) for path in segmentations],
        "images": [str(path.absolute()) for path in images],
        "plane": plane,
        "settings": settings,
    }


def new_folder(results: Path, name: str) -> Path:
    """A folder of ``results`` that is not there yet: ``myocardium-1``, ``myocardium-2`` …"""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-") or "training"
    number = 1
    while (results / f"{plain}-{number}").exists():
        number += 1
    return results / f"{plain}-{number}"
