"""The data that a training learns from: this scene, files, or a training set made before."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from TopoGANLib.forms.path_line import PathLine
from TopoGANTrainLib.data.files_input import is_nnunet, says_cases
from TopoGANTrainLib.data.patients_form import PatientsForm
from TopoGANTrainLib.data.train_inputs import FromFiles, FromScene, FromTrainingSet, Inputs


class InputSource(enum.Enum):
    """Where the training's data come from; a scene stores the names."""

    scene = "scene"
    files = "files"
    trainingSet = "trainingSet"

    def label(self) -> str:
        """What the user reads."""
        return {
            "scene": _("This scene"),
            "files": _("Files or folders"),
            "trainingSet": _("A training set made before"),
        }[self.value]


class InputPlane(enum.Enum):
    """The plane of the patches; a scene stores the names."""

    axial = "axial"
    red = "red"

    def label(self) -> str:
        """What the user reads."""
        return {"axial": _("Axial"), "red": _("As the Red view")}[self.value]


_RED_SLICE_NODE = "vtkMRMLSliceNodeRed"


class DataForm:
    """Works with the widgets of ``TopoGANTrainData.ui``."""

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        """Nothing is chosen yet.

        Args:
            ui: the form's widgets by name.
            changed: is called when something else is chosen.
        """
        self._ui, self._changed = ui, changed
        self._parameters: Any = None
        # The Red view, as long as its plane counts, the observer, and how the plane was.
        self._observed: tuple[Any, int] | None = None
        self._plane: tuple[float, ...] = ()
        self._patients = PatientsForm(ui, changed)
        any_file = _("All files (*)")
        self._segmentations = PathLine(ui.segmentationsPathLineEdit, changed, files=any_file)
        self._images = PathLine(ui.imagesPathLineEdit, changed, files=any_file)
        self._table = PathLine(ui.tablePathLineEdit, changed)
        self._training_set = PathLine(ui.trainingSetPathLineEdit, changed)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._patients.set_parameters(parameters)
        self._observe_plane()

    def refresh(self) -> None:
        """Show what is so now."""
        ui, parameters = self._ui, self._parameters
        self._patients.refresh()
        self._observe_plane()
        if parameters is None:
            return
        source = parameters.inputSource
        ui.sceneInputs.visible = source is InputSource.scene
        ui.fileInputs.visible = self._uses_files
        ui.imagesPathLineEdit.enabled = not self._brings_images()
        ui.trainingSetInputs.visible = source is InputSource.trainingSet
        ui.structureInputs.visible = source is not InputSource.trainingSet
        self._show_structures(source)

    @property
    def prepares(self) -> bool:
        """Whether a training set has to be made of what is chosen."""
        return self._parameters is None or self._parameters.inputSource is not InputSource.trainingSet

    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing is."""
        parameters = self._parameters
        if parameters.inputSource is InputSource.trainingSet:
            return _("Choose the folder of a training set.") if self._training_set.path is None else ""
        if self._uses_scene:
            reason = self._patients.missing()
            if reason:
                return reason
            if parameters.plane is InputPlane.red and self._red() is None:
                return _("There is no Red view: choose the axial plane.")
        if self._uses_files and self._segmentations.path is None:
            return _("Choose a segmentation file, a folder of them, or a table of cases.")
        return ""

    def inputs(self) -> Inputs:
        """What is chosen."""
        parameters = self._parameters
        if parameters.inputSource is InputSource.trainingSet:
            return FromTrainingSet(self._training_set.path or Path())
        files = self._files() if self._uses_files else None
        if not self._uses_scene:
            return files or FromFiles(Path())
        red = self._red() if parameters.plane is InputPlane.red else None
        chosen = self._patients
        return FromScene(chosen.patients, chosen.segments, slice_node=red, unions=parameters.unions, files=files)

    def remember(self) -> None:
        """Offer the chosen paths again, in the lines' histories."""
        for line in self._lines_in_use():
            line.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        for line in (self._segmentations, self._images, self._table, self._training_set):
            line.close()
        self._patients.close()
        self._parameters = None
        self._observe_plane()

    @property
    def _uses_scene(self) -> bool:
        return self._parameters is not None and self._parameters.inputSource is InputSource.scene

    @property
    def _uses_files(self) -> bool:
        if self._parameters is None:
            return False
        return self._parameters.inputSource is InputSource.files or (self._uses_scene and self._parameters.alsoFiles)

    def _files(self) -> FromFiles:
        parameters, segmentations = self._parameters, self._segmentations.path or Path()
        images = None if self._brings_images() else self._images.path
        return FromFiles(segmentations, images, parameters.structures, parameters.unions, self._table.path)

    def _brings_images(self) -> bool:
        """Whether the images are found by what is chosen for the segmentations."""
        path = self._segmentations.path
        return path is not None and (says_cases(path) or is_nnunet(path))

    def _lines_in_use(self) -> tuple[PathLine, ...]:
        """The lines for paths that count."""
        if self._parameters.inputSource is InputSource.trainingSet:
            return (self._training_set,)
        return (self._segmentations, self._images, self._table) if self._uses_files else ()

    def _show_structures(self, source: InputSource) -> None:
        """One structure needs no more than its name; several have an order, and unions."""
        ui = self._ui
        names = self._patients.segments if source is InputSource.scene else []
        ui.structuresLabel.visible = len(names) > 1
        ui.structuresLabel.text = _("{names}: where two overlap, the first wins.").format(names=", ".join(names))
        from_table = self._uses_files and self._table.path is not None
        typed = self._uses_files and bool(self._parameters.structures.strip())
        several = len(names) > 1 or typed or from_table
        ui.structuresLineEdit.enabled = not from_table
        ui.labelsLineEdit.enabled = not several
        ui.structureLineEdit.enabled = not several
        ui.unionInputs.visible = several and not from_table

    def _observe_plane(self) -> None:
        """Who turns the Red view chooses another plane, where patches are cut as it shows."""
        counts = self._uses_scene and self._parameters.plane is InputPlane.red
        red = self._red() if counts else None
        before = None if self._observed is None else self._observed[0]
        if red is before:
            return
        if self._observed is not None:
            before.RemoveObserver(self._observed[1])
        self._observed = None if red is None else (red, red.AddObserver(vtk.vtkCommand.ModifiedEvent, self._turned))
        self._plane = () if red is None else _normals(red)

    def _turned(self, caller: Any, event: Any) -> None:
        if self._observed is not None and _normals(self._observed[0]) != self._plane:  # it may be scrolled
            self._plane = _normals(self._observed[0])
            self._changed()

    def _red(self) -> slicer.vtkMRMLSliceNode | None:
        return slicer.mrmlScene.GetNodeByID(_RED_SLICE_NODE)


def _normals(slice_node: slicer.vtkMRMLSliceNode) -> tuple[float, ...]:
    """How a view is turned, without where it is."""
    matrix = slice_node.GetSliceToRAS()
    return tuple(matrix.GetElement(row, column) for row in range(3) for column in range(3))


def data_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that say where the data are, but for the list of patients."""
    return {
        "inputSource": (InputSource, InputSource.scene),
        "plane": (InputPlane, InputPlane.axial),
        "alsoFiles": (bool, False),
        "structures": (str, ""),
        "unions": (str, ""),
        # Empty: the segment's own name.
        "prepare_structure": (str, ""),
    }
