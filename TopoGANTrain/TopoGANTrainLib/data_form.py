"""The data that a training learns from: this scene, files, or a training set made before."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.widgets import SegmentChoice
from TopoGANTrainLib.train_inputs import FromFiles, FromScene, FromTrainingSet, Inputs


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
        self._ui = ui
        self._parameters: Any = None
        self._segments = SegmentChoice(ui.segmentSelector, changed)
        any_file = _("All files (*)")
        self._segmentations = PathLine(ui.segmentationsPathLineEdit, changed, files=any_file)
        self._images = PathLine(ui.imagesPathLineEdit, changed, files=any_file)
        self._table = PathLine(ui.tablePathLineEdit, changed)
        self._training_set = PathLine(ui.trainingSetPathLineEdit, changed)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._segments.set_parameters(parameters)

    def refresh(self) -> None:
        """Show what is so now."""
        ui, parameters = self._ui, self._parameters
        self._segments.refresh()
        if parameters is None:
            return
        source = parameters.inputSource
        ui.sceneInputs.visible = source is InputSource.scene
        ui.fileInputs.visible = source is InputSource.files
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
        missing = {
            InputSource.scene: (
                not self._segments.identifiers,
                _("Choose a segmentation and the segments to learn."),
            ),
            InputSource.files: (
                self._segmentations.path is None,
                _("Choose a segmentation file, or a folder of them."),
            ),
            InputSource.trainingSet: (
                self._training_set.path is None,
                _("Choose the folder of a training set."),
            ),
        }
        is_missing, sentence = missing[parameters.inputSource]
        if not is_missing and parameters.inputSource is InputSource.scene and parameters.plane is InputPlane.red:
            return "" if self._red() is not None else _("There is no Red view: choose the axial plane.")
        return sentence if is_missing else ""

    def inputs(self) -> Inputs:
        """What is chosen."""
        parameters = self._parameters
        if parameters.inputSource is InputSource.scene:
            red = self._red() if parameters.plane is InputPlane.red else None
            return FromScene(
                parameters.segmentation, self._segments.identifiers, parameters.volume, red, parameters.unions
            )
        if parameters.inputSource is InputSource.files:
            segmentations, images, table = (line.path for line in self._lines_of(InputSource.files))
            return FromFiles(segmentations or Path(), images, parameters.structures, parameters.unions, table)
        return FromTrainingSet(self._training_set.path or Path())

    def remember(self) -> None:
        """Offer the chosen paths again, in the lines' histories."""
        for line in self._lines_of(self._parameters.inputSource):
            line.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        for line in (*self._lines_of(InputSource.files), *self._lines_of(InputSource.trainingSet)):
            line.close()
        self._segments.close()

    def _lines_of(self, source: InputSource) -> tuple[PathLine, ...]:
        """The lines for paths that a source has."""
        return {
            InputSource.scene: (),
            InputSource.files: (self._segmentations, self._images, self._table),
            InputSource.trainingSet: (self._training_set,),
        }[source]

    def _show_structures(self, source: InputSource) -> None:
        """One structure needs no more than its name; several have an order, and unions."""
        ui = self._ui
        names = self._segments.names if source is InputSource.scene else []
        ui.structuresLabel.visible = len(names) > 1
        ui.structuresLabel.text = _("{names}: where two overlap, the first wins.").format(names=", ".join(names))
        from_table = source is InputSource.files and self._table.path is not None
        typed = source is InputSource.files and bool(self._parameters.structures.strip())
        several = len(names) > 1 or typed or from_table
        ui.structuresLineEdit.enabled = not from_table
        ui.labelsLineEdit.enabled = not several
        ui.structureLineEdit.enabled = not several
        ui.unionInputs.visible = several and not from_table

    def _red(self) -> slicer.vtkMRMLSliceNode | None:
        return slicer.mrmlScene.GetNodeByID(_RED_SLICE_NODE)


def data_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that say where the data are."""
    return {
        "inputSource": (InputSource, InputSource.scene),
        "plane": (InputPlane, InputPlane.axial),
        "volume": (slicer.vtkMRMLScalarVolumeNode, None),
        "segmentation": (slicer.vtkMRMLSegmentationNode, None),
        # A JSON list.
        "segmentIds": (str, ""),
        "structures": (str, ""),
        "unions": (str, ""),
        # Empty: the segment's own name.
        "prepare_structure": (str, ""),
    }
