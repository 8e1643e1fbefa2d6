"""What a training can start from, checked before any work: the scene, folders, or a training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer

from TopoGANLib.errors import InputError
from TopoGANLib.scene_input import SceneInput, read_scene_input, write_plane
from TopoGANLib.settings import Setting, command_arguments
from TopoGANLib.training_session import Preparation
from TopoGANLib.user_settings import new_work_folder


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

    def preparation(self, out: Path, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """How ``out`` becomes the training set.

        Raises:
            InputError: what was chosen cannot be used.
        """
        chosen = read_scene_input(self.volume, self.segmentation, self.segment_id)
        temporary = new_work_folder("input")
        arguments: list[str | Path] = [out, "--segmentation", temporary / "segmentation.nrrd", "--resample"]
        if chosen.image is not None:
            arguments += ["--ct", temporary / "ct.nrrd"]
        if self.slice_node is not None:
            temporary.mkdir(parents=True)
            write_plane(temporary / "plane.json", self.slice_node)
            arguments += ["--plane", temporary / "plane.json"]
        # In the file that is written the segment is 1, whatever it was.
        rest = {name: value for name, value in values.items() if name not in ("prepare_labels", "prepare_resample")}
        if not rest.get("prepare_structure"):
            rest["prepare_structure"] = chosen.structure
        arguments += command_arguments(settings, rest)
        return Preparation(arguments, temporary, _Writer(chosen, temporary))


@dataclass(frozen=True)
class FromFiles:
    """Segmentations and their images on disk: files, or folders of them."""

    segmentations: Path
    images: Path | None = None
    name = ""
    """Files do not say what is learned."""

    def preparation(self, out: Path, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """How ``out`` becomes the training set.

        Raises:
            InputError: a path is not there.
        """
        arguments: list[str | Path] = [out, "--segmentation", _existing(self.segmentations)]
        if self.images is not None:
            arguments += ["--ct", _existing(self.images)]
        given = {name: value for name, value in values.items() if value != "" or name != "prepare_structure"}
        arguments += command_arguments(settings, given)
        return Preparation(arguments, new_work_folder("input"))


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


@dataclass(frozen=True)
class _Writer:
    chosen: SceneInput = field(repr=False)
    folder: Path

    def __call__(self) -> None:
        self.chosen.write(self.folder)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"{path} does not exist: choose another file or folder.")
    return path


def new_folder(results: Path, name: str) -> Path:
    """A folder of ``results`` that is not there yet: ``myocardium-1``, ``myocardium-2`` …"""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name).strip("-") or "training"
    number = 1
    while (results / f"{plain}-{number}").exists():
        number += 1
    return results / f"{plain}-{number}"
