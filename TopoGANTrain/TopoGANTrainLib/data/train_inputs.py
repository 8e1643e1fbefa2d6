"""What a training can start from, checked before any work: the scene, files, both, or a training set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer

from TopoGANLib.forms.settings import Setting, nested_values
from TopoGANLib.forms.user_settings import new_folder, new_work_folder
from TopoGANLib.scene.scene_input import SceneInput, plane_of
from TopoGANLib.scene.voxels import InputError
from TopoGANLib.words import tr as _
from TopoGANTrainLib.data.files_input import FileSources, joined_table
from TopoGANTrainLib.data.patient_verdicts import read_patients
from TopoGANTrainLib.data.patients import ScenePatient
from TopoGANTrainLib.data.sequence_input import items_of, names_in, write_patients
from TopoGANTrainLib.data.structures import table_in, unions_in
from TopoGANTrainLib.run.leftovers import INPUT
from TopoGANTrainLib.run.preparation import Preparation, Request

TRAINING_SET = "training-set"
"""Name of a training set's folder in that of a training."""
_RUN = "run"
_OF_ONE_STRUCTURE = ("prepare_structure", "prepare_labels", "prepare_png_colors")


@dataclass(frozen=True)
class FromFiles(FileSources):
    """Segmentations and their images on disk."""

    @property
    def name(self) -> str:
        """The structures, as far as the panel is told."""
        if self.table is not None:
            return self.table.stem
        said = self.named_structures()
        return "" if said is None else "-".join(one["name"] for one in said["structures"])

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: a path is not there, or what was typed cannot be read.
        """
        self.check()
        table = self.named_structures()
        given = values if table is None else _without_one(values)
        request = _request(self.sources(), nested_values(settings, given), table)
        return Preparation(new_work_folder(INPUT), lambda: Request(request))

    def measure(self, axes: int = 2) -> Callable[[], tuple[float, float]]:
        """Nothing is known before the engine has read the files."""
        return _unmeasured


@dataclass(frozen=True)
class FromScene:
    """Patients of the scene, and files beside them.

    Usage::

        FromScene(getNode("Segmentation"), "Segment_1", getNode("CTACardio"))
        FromScene([ScenePatient(one, ct_of_one), ScenePatient(two, ct_of_two, "1-4, 7")], ["Blood", "Myocardium"])
    """

    patients: slicer.vtkMRMLSegmentationNode | slicer.vtkMRMLSequenceNode | Sequence[ScenePatient]
    """Several, or the segmentation of a single one."""
    segments: str | Sequence[str]
    """Names, or ids of the first segmentation: one, or several; where two overlap, the earlier one wins."""
    volume: slicer.vtkMRMLScalarVolumeNode | slicer.vtkMRMLSequenceNode | None = None
    """The CT of a single patient; None trains masks alone."""
    slice_node: slicer.vtkMRMLSliceNode | None = None
    """The view whose plane the patches are cut in; None for axial."""
    unions: str = ""
    """Segments whose topology counts together, such as ``"lv + myocardium; …"``."""
    files: FromFiles | None = None
    """Learned together with the scene's patients; its structures have the names of the segments."""

    @property
    def rows(self) -> list[ScenePatient]:
        """The patients, also of a single one."""
        if isinstance(self.patients, slicer.vtkMRMLNode):
            return [ScenePatient(self.patients, self.volume)]
        return list(self.patients)

    @property
    def names(self) -> list[str]:
        """Of the segments."""
        given = [self.segments] if isinstance(self.segments, str) else list(self.segments)
        first = next((node for row in self.rows[:1] for node in items_of(row.segmentation)[:1]), None)
        if first is None or not first.IsA("vtkMRMLSegmentationNode"):
            return given
        inner, names = first.GetSegmentation(), names_in(first)
        ids = inner.GetSegmentIDs()
        return [inner.GetSegment(one).GetName() if one in ids and one not in names else one for one in given]

    @property
    def name(self) -> str:
        """What is learned: the segments."""
        return "-".join(self.names)

    def measure(self, axes: int = 2) -> Callable[[], tuple[float, float]]:
        """Work that finds the widest slice and the images' own pixel, in mm; 0, 0 where the plane is not the volume's.

        Of each patient it looks at one phase.

        Args:
            axes: 3 for volumes, of which it is the longest edge and the edge of a voxel.

        Raises:
            InputError: what was chosen cannot be used.
        """
        if self.slice_node is not None or not self.names or not self.rows:
            return _unmeasured
        scans = [one.phases[0] for one in read_patients(self.rows, self.names)]
        return lambda: _widest(scans, axes)

    def preparation(self, settings: Sequence[Setting], values: Mapping[str, Any]) -> Preparation:
        """What the engine makes the training set from.

        Raises:
            InputError: what was chosen cannot be used.
        """
        if not self.rows:
            raise InputError(_("There is no patient: add one."))
        if not self.names:
            raise InputError(_("There is no segment to learn: choose one."))
        first = read_patients(self.rows, self.names)
        structures = self._structures(first[0].phases[0].table, values)
        own_order = [one["name"] for one in structures] if self.files is not None and len(structures) > 1 else None
        inputs = first if own_order is None else read_patients(self.rows, own_order)
        unions = self._unions([one["name"] for one in structures])
        plane = "axial" if self.slice_node is None else plane_of(self.slice_node)
        given = nested_values(settings, {**_without_one(values), "prepare_resample": True})
        labels = [one["labels"][0] for one in structures]
        folder = new_work_folder(INPUT)

        def request() -> Request:
            sources, remark = write_patients(inputs, folder, labels, plane)
            sources += [] if self.files is None else self.files.sources()
            return Request(_request(sources, given, {"structures": structures, "unions": unions}), remark)

        return Preparation(folder, request)

    def _unions(self, names: Sequence[str]) -> list[list[str]]:
        if self.files is not None and self.files.table is not None:
            unions: list[list[str]] = table_in(self.files.table).get("unions", [])
            return unions
        return unions_in(self.unions, names) if len(names) > 1 else []

    def _structures(self, own: list[dict[str, Any]], values: Mapping[str, Any]) -> list[dict[str, Any]]:
        typed = str(values.get("prepare_structure", ""))
        if self.files is None:
            return [{**own[0], "name": typed or own[0]["name"]}] if len(own) == 1 else own
        self.files.check()
        have = any(one.volume is not None for one in self.rows)
        if self.files.have_images is not None and self.files.have_images != have:
            files, scene = _("files"), _("scene's patients")
            without, those = (files, scene) if have else (scene, files)
            raise InputError(
                _("The {without} have no CT, but the {those} have: choose it, or none for all.").format(
                    without=without, those=those
                )
            )
        return joined_table(own, self.files, typed, str(values.get("prepare_labels", "")))


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
            raise InputError(
                _("{folder} is no training set: choose a folder that holds dataset.json.").format(folder=self.folder)
            )


Inputs = FromScene | FromFiles | FromTrainingSet


def _request(sources: list[dict[str, Any]], settings: dict[str, Any], table: dict[str, Any] | None) -> dict[str, Any]:
    """As :mod:`topogan_contract.preparation` says."""
    request = {"sources": sources, "settings": settings}
    return request if table is None else {**request, "table": table}


def _widest(scans: Sequence[SceneInput], axes: int) -> tuple[float, float]:
    found = [scan.measured() if axes == 2 else scan.measured_volume() for scan in scans]
    return max(width for width, _ in found), min(own for _, own in found)


def _unmeasured() -> tuple[float, float]:
    return 0.0, 0.0


def _without_one(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what describes a single structure, in place of which there is a table."""
    return {name: value for name, value in values.items() if name not in _OF_ONE_STRUCTURE}


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
