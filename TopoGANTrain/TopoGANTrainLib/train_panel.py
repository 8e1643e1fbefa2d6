"""The training panel: reads what the user has chosen, starts, shows how it is doing, and says what is missing."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from topogan_contract.sizes import SIZES, VOLUME_SIZES
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.settings import changed_values, preset_values, read_presets
from TopoGANLib.forms.widgets import SegmentChoice, describe_widgets, offer
from TopoGANTrainLib.scene_input import InputError
from TopoGANTrainLib.size_words import SizeWords
from TopoGANTrainLib.train_inputs import FromFiles, FromScene, FromTrainingSet, Inputs
from TopoGANTrainLib.train_logic import TrainLogic
from TopoGANTrainLib.train_view import TrainView


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


class TrainPanel:
    """Works with the widgets of ``TopoGANTrain.ui``."""

    def __init__(self, ui: Any, logic: TrainLogic, engine: EnginePanel, use_model: Callable[[Path], None]) -> None:
        """Show the user's own settings; a run of before is looked for when the panel is entered.

        Args:
            ui: the form's widgets by name.
            logic: does the work.
            engine: the part about the engine; ended with this panel.
            use_model: opens a model in the other module.
        """
        self._ui, self._logic, self._engine = ui, logic, engine
        self._use_model = use_model
        self._parameters: Any = None
        self._view = TrainView(ui)
        self._segments = SegmentChoice(ui.segmentSelector, self.refresh)
        self._sizes = SizeWords(ui, engine, lambda: self._inputs().measure(self._axes), lambda: self._axes)
        self._connections = Connections()
        describe_widgets(ui, logic.settings)
        self._fill_presets()
        self._results = PathLine(ui.resultsPathLineEdit, self._choose_results, str(user_settings.results_folder()))
        any_file = _("All files (*)")
        self._segmentations = PathLine(ui.segmentationsPathLineEdit, self.refresh, files=any_file)
        self._images = PathLine(ui.imagesPathLineEdit, self.refresh, files=any_file)
        self._table = PathLine(ui.tablePathLineEdit, self.refresh)
        self._training_set = PathLine(ui.trainingSetPathLineEdit, self.refresh)
        ui.keepRunningCheckBox.checked = user_settings.read_flag(user_settings.KEEP_TRAINING, True)
        self._connect()
        logic.onProgress = self.refresh

    def enter(self) -> None:
        """The user looks at it: ask for the engine, and look for a run of before."""
        self._engine.enter()
        last = user_settings.read_text(user_settings.LAST_RUN)
        if self._logic.session is None and last:
            self._logic.attach(Path(last))

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._segments.set_parameters(parameters)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        ui, parameters = self._ui, self._parameters
        self._segments.refresh()
        if parameters is not None:
            source = parameters.inputSource
            ui.sceneInputs.visible = source is InputSource.scene
            ui.fileInputs.visible = source is InputSource.files
            ui.trainingSetInputs.visible = source is InputSource.trainingSet
            ui.patchInputs.visible = source is not InputSource.trainingSet
            self._show_structures(source)
            self._show_volumes(parameters.prepare_volumes)
        progress = self._logic.progress
        self._view.show(progress, self._logic.session)
        running = self._logic.isRunning
        for section in (ui.inputsCollapsibleButton, ui.trainingCollapsibleButton, ui.resultsPathLineEdit):
            section.enabled = not running
        reason = self._reason()
        ui.startButton.text = _("Stop") if running else _("Start training")
        stopping = running and progress is not None and progress.state == "stopping"
        ui.startButton.enabled = not stopping and (running or not reason)
        ui.startButton.toolTip = (
            _("Write a checkpoint and stop; Resume goes on from there.")
            if running
            else (reason or _("Prepare the training set and train in the background."))
        )
        ui.reasonLabel.text = "" if running else reason
        ui.reasonLabel.visible = bool(reason) and not running
        ui.resumeButton.visible = not running and progress is not None and progress.resumable
        ui.resumeButton.enabled = self._engine.report is not None and self._engine.report.usable

    def close(self) -> None:
        """Let go of everything; the training goes on if the user wants it to."""
        self._connections.close()
        for line in (self._results, *self._lines_of(InputSource.files), *self._lines_of(InputSource.trainingSet)):
            line.close()
        self._segments.close()
        self._sizes.close()
        self._engine.close()
        self._logic.close(self._ui.keepRunningCheckBox.checked)

    def _connect(self) -> None:
        ui, add = self._ui, self._connections.add
        add(ui.startButton, "clicked()", self._start_or_stop)
        add(ui.resumeButton, "clicked()", self._resume)
        add(ui.useModelButton, "clicked()", self._open_model)
        add(ui.presetComboBox, "activated(int)", self._use_preset)
        add(ui.keepRunningCheckBox, "toggled(bool)", self._keep)

    def _fill_presets(self) -> None:
        self._presets = read_presets()
        self._ui.presetComboBox.addItem(_("Choose to fill in …"))
        for preset in self._presets.values():
            self._ui.presetComboBox.addItem(preset["title"])
        helps = [f"{preset['title']}: {preset['help']}" for preset in self._presets.values()]
        self._ui.presetComboBox.toolTip = "\n".join([_("Fills in the settings of training."), *helps])

    def _use_preset(self, index: int) -> None:
        if index > 0 and self._parameters is not None:
            values = preset_values(list(self._presets.values())[index - 1], self._logic.settings)
            with slicer.util.NodeModify(self._parameters.parameterNode):
                for name, value in values.items():
                    setattr(self._parameters, name, value)
        self._ui.presetComboBox.currentIndex = 0

    def _keep(self, checked: bool) -> None:
        user_settings.write(user_settings.KEEP_TRAINING, checked)

    def _choose_results(self) -> None:
        user_settings.write(user_settings.RESULTS_FOLDER, str(self._results.path or ""))
        self.refresh()

    def _lines_of(self, source: InputSource) -> tuple[PathLine, ...]:
        """The lines for paths that a source has."""
        return {
            InputSource.scene: (),
            InputSource.files: (self._segmentations, self._images, self._table),
            InputSource.trainingSet: (self._training_set,),
        }[source]

    @property
    def _axes(self) -> int:
        return 3 if self._parameters.prepare_volumes else 2

    def _show_volumes(self, volumes: bool) -> None:
        """Offer the sizes of slices or of volumes, and what else belongs to either."""
        ui, parameters = self._ui, self._parameters
        if not offer(ui.sizeComboBox, parameters.prepare_size, VOLUME_SIZES if volumes else SIZES):
            # A size of both.
            parameters.prepare_size = type(parameters.prepare_size)["64"]
        if volumes:
            parameters.prepare_tiling = False  # its box cannot be reached now
        ui.posesSpinBox.enabled = volumes
        for of_slices in (ui.sliceSpacingSpinBox, ui.minimumAreaSpinBox, ui.tilingCheckBox):
            of_slices.enabled = not volumes

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

    def _reason(self) -> str:
        """Why the training cannot start, in words; empty if it can."""
        if self._parameters is None:
            return _("The scene is being closed.")
        report = self._engine.report
        if report is None or not report.usable:
            return _("The engine is not ready: see Engine above.")
        if self._results.path is None:
            return _("Choose a folder for the results.")
        return self._missing_input()

    def _missing_input(self) -> str:
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

    def _inputs(self) -> Inputs:
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

    def _red(self) -> slicer.vtkMRMLSliceNode | None:
        return slicer.mrmlScene.GetNodeByID(_RED_SLICE_NODE)

    def _start_or_stop(self) -> None:
        if self._logic.isRunning:
            self._logic.stop()
            return
        self._try(self._start)

    def _start(self) -> None:
        results, values = self._results.path, changed_values(self._logic.settings, self._parameters)
        if results is None:
            return
        self._logic.train(self._inputs(), results, values, self._engine.engine)
        for line in (self._results, *self._lines_of(self._parameters.inputSource)):
            line.remember()

    def _resume(self) -> None:
        session = self._logic.session
        if session is not None:
            self._try(lambda: self._logic.resume(session.run, self._engine.engine))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except InputError as error:
            self._view.complain(str(error))
        except OSError as error:
            self._view.complain(_("It cannot start: {reason}.").format(reason=error.strerror or error))

    def _open_model(self) -> None:
        if self._logic.session is not None:
            self._use_model(self._logic.session.model)


def own_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that the engine does not know."""
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
