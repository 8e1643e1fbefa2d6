"""The part of the panel that compares samples with real ones: what with, and how it is going."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from topogan_contract.service import FINISHED, RUNNING
from topogan_contract.training_set import DESCRIPTION_FILE
from topogan_contract.words import shown
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANSynthLib.compare.compare_request import SampleForm, read_form, scene_request
from TopoGANSynthLib.compare.compare_view import CompareView
from TopoGANSynthLib.compare.comparing import compare_job
from TopoGANSynthLib.compare.gain_form import GainForm
from TopoGANSynthLib.job.job_runner import JobRunner
from TopoGANSynthLib.paint.paint_form import PaintPlane
from TopoGANSynthLib.paint.painting import Match, match, plane_of_view

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes

_RED_SLICE_NODE = "vtkMRMLSliceNodeRed"
_LEAST_SAMPLES = 2


class CompareWith(enum.Enum):
    """What samples are compared with; a scene stores the names."""

    trainingSet = "trainingSet"
    segmentation = "segmentation"

    def label(self) -> str:
        """What the user reads."""
        return {"trainingSet": _("Training set"), "segmentation": _("Segmentation of the scene")}[self.value]


class CompareForm:
    """Works with the widgets of ``TopoGANSynthCompare.ui``."""

    def __init__(
        self,
        ui: Any,
        engine: EnginePanel,
        chosen: Callable[[], SynthesisNodes | None],
        source: Callable[[SynthesisNodes], Path | None],
    ) -> None:
        """Show the user's own settings.

        Args:
            ui: the forms' widgets by name.
            engine: tells which Python runs the engine, and whether it can.
            chosen: the synthesis that is looked at.
            source: the engine's files of a synthesis, if they are still there.
        """
        self._ui, self._engine, self._chosen, self._source = ui, engine, chosen, source
        self._parameters: Any = None
        self._view = CompareView(ui, chosen)
        self._gain = GainForm(ui, engine, self._form_of)
        self._runner = JobRunner(self._follow)
        # What is compared now.
        self._target: SynthesisNodes | None = None
        # Of the last one: what was wrong before it could start, or after its end.
        self._refused = ""
        # What the newest synthesis is made of, by its folder.
        self._form: tuple[Path, SampleForm | None] | None = None
        before = user_settings.read_text(user_settings.TRAINING_SET)
        # Whether the chosen folder holds a training set: asked of the disk now and then, not at each refresh.
        self._is_set = False
        self._set = PathLine(ui.compareSetPathLineEdit, self._choose_set, before)
        self._connections = Connections()
        self._connections.add(ui.compareButton, "clicked()", self._compare_or_cancel)
        # After the part that shows the sample.
        self._connections.add(ui.synthesisComboBox, "currentIndexChanged(int)", self.refresh)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def look(self) -> None:
        """Ask the disk what is chosen, and show it."""
        path = self._set.path
        self._is_set = path is not None and (path / DESCRIPTION_FILE).is_file()
        self._gain.look(path)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        ui, nodes, running = self._ui, self._chosen(), self._runner.isRunning
        with_set = self._parameters is None or self._parameters.compareWith is CompareWith.trainingSet
        for widget in (ui.compareSetPathLineEdit, ui.compareSetPathLineEditLabel):
            widget.visible = with_set
        for widget in (ui.compareSegmentationSelector, ui.compareVolumeSelector, ui.comparePlaneComboBox):
            widget.visible, widget.enabled = not with_set, not running
        for widget in (
            ui.compareSegmentationSelectorLabel,
            ui.compareVolumeSelectorLabel,
            ui.comparePlaneComboBoxLabel,
        ):
            widget.visible = not with_set
        ui.compareWithComboBox.enabled = ui.compareSetPathLineEdit.enabled = not running
        reason = self._reason(nodes)
        start, does, drops = _("Compare"), _("Compare the samples in the background."), _("Drop this comparison.")
        self._runner.offer(ui.compareButton, ui.compareReasonLabel, reason, start, does, drops)
        self._show_state()
        self._view.refresh()
        ready = with_set and not reason and nodes is not None
        self._gain.refresh(nodes, self._source(nodes) if ready else None, self._set.path if ready else None)
        # Not the collapsed button itself: CTK shows what is in one that was shown before its window was.
        ui.TopoGANSynthCompare.visible = nodes is not None or running or self._gain.saysSomething

    def close(self) -> None:
        """Let go of everything; what is being compared is dropped."""
        self._connections.close()
        self._set.close()
        self._runner.close()
        self._gain.close()
        self._view.close()

    def _show_state(self) -> None:
        ui, progress = self._ui, self._runner.progress
        words = {FINISHED: _("Compared.")}
        if progress is not None and progress.total:
            words[RUNNING] = _("Comparing: step {step} of {total}").format(step=progress.step, total=progress.total)
        self._runner.show(ui.compareProgressBar, ui.compareStatusLabel, words)
        if self._refused and not self._runner.isRunning:
            ui.compareStatusLabel.text, ui.compareStatusLabel.visible = self._refused, True

    def _choose_set(self) -> None:
        user_settings.write(user_settings.TRAINING_SET, self._set.text)
        self.look()

    def _form_of(self, folder: Path) -> SampleForm | None:
        if self._form is None or self._form[0] != folder:
            self._form = folder, read_form(folder)
        return self._form[1]

    def _reason(self, nodes: SynthesisNodes | None) -> str:
        """Why nothing can be compared now, in words; empty if it can."""
        if self._parameters is None or nodes is None:
            return _("There is no synthesis in this scene.")
        if self._engine.not_ready:
            return self._engine.not_ready
        source = self._source(nodes)
        if source is None:
            return _("Generate these samples again to compare them: their files are kept for one session only.")
        if nodes.count < _LEAST_SAMPLES:
            return _("One sample cannot be compared: generate more.")
        if self._parameters.compareWith is CompareWith.trainingSet:
            return self._reason_of_set()
        return self._reason_of_segmentation(self._form_of(source))

    def _reason_of_set(self) -> str:
        if self._set.path is None:
            return _("Choose a training set, best the one that the model has learned from.")
        if not self._is_set:
            return _("This is no training set: choose a folder that holds dataset.json.")
        return ""

    def _reason_of_segmentation(self, form: SampleForm | None) -> str:
        if form is None:
            return _("These samples do not say what they are made of: generate them again.")
        if form.axes == 3:
            return _("A segmentation is a single volume, which nothing can be compared with: choose a training set.")
        segmentation = self._parameters.compareSegmentation
        if segmentation is None:
            return _("Choose a segmentation of a real patient.")
        unfit = _unfit(segmentation, self._parameters.compareVolume, match(form.names, segmentation).missing)
        if unfit:
            return unfit
        if self._parameters.comparePlane is PaintPlane.red and self._red() is None:
            return _("There is no Red view: choose the axial plane.")
        return ""

    def _red(self) -> slicer.vtkMRMLSliceNode | None:
        return slicer.mrmlScene.GetNodeByID(_RED_SLICE_NODE)

    def _compare_or_cancel(self) -> None:
        if self._runner.isRunning:
            self._runner.cancel()
            return
        self.look()  # segments may have been renamed, files removed
        nodes = self._chosen()
        source = None if nodes is None else self._source(nodes)
        if nodes is None or source is None or self._reason(nodes):
            return
        self._target, self._refused = nodes, ""
        if self._parameters.compareWith is CompareWith.trainingSet:
            assert self._set.path is not None
            self._set.remember()
            self._runner.start(compare_job(self._engine.engine, source, self._set.path.absolute()))
            return
        self._compare_with_segmentation(source)

    def _compare_with_segmentation(self, source: Path) -> None:
        from TopoGANLib.scene.voxels import InputError

        form, parameters = self._form_of(source), self._parameters
        assert form is not None
        segmentation = parameters.compareSegmentation
        matched: Match = match(form.names, segmentation)
        red = self._red() if parameters.comparePlane is PaintPlane.red else None
        try:
            plane = None if red is None else plane_of_view(red)
            write = scene_request(form, segmentation, matched, parameters.compareVolume, plane)
        except InputError as error:
            self._refused = str(error)
            self.refresh()
            return
        self._runner.start(compare_job(self._engine.engine, source, None, write))

    def _follow(self) -> None:
        progress, job = self._runner.progress, self._runner.job
        if progress is not None and progress.state == FINISHED and job is not None and job.result is not None:
            self._take(job.result)
        self.refresh()

    def _take(self, compared: Any) -> None:
        # Here, not above: importing the module must not load numpy.
        from TopoGANLib.scene.nodes import SynthesisNodes

        nodes, self._target = self._target, None
        # Whole: the user may have removed a part.
        if nodes is None or nodes not in SynthesisNodes.find_all(slicer.mrmlScene):
            self._refused = _("The samples are no longer in the scene: the comparison was dropped.")
            compared.page.unlink(missing_ok=True)
            return
        sentence = _("The comparison cannot be put into the scene ({reason}): close other data, and compare again.")
        if self._runner.put(lambda: self._view.add(nodes, compared), sentence) is None:
            compared.page.unlink(missing_ok=True)


def _unfit(
    segmentation: slicer.vtkMRMLSegmentationNode, volume: slicer.vtkMRMLScalarVolumeNode | None, missing: Sequence[str]
) -> str:
    """Why samples cannot be compared with a segmentation and its CT; empty if they can."""
    # Here, not above: importing the module must not load numpy.
    from TopoGANLib.scene.own import own_nodes

    own = own_nodes(slicer.mrmlScene)
    if segmentation.GetID() in own:
        return _("This is no patient but came of a model or a comparison: choose a segmentation of a real patient.")
    if volume is not None and volume.GetID() in own:
        return _("The CT came of a model or a comparison: choose the real one, or None to compare masks alone.")
    if not missing:
        return ""
    sentence = _("{segmentation} does not show {names}: name segments so.")
    return sentence.format(segmentation=shown(segmentation.GetName()), names=", ".join(map(shown, missing)))


def compare_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters of a comparison."""
    return {
        "compareWith": (CompareWith, CompareWith.trainingSet),
        "compareSegmentation": (slicer.vtkMRMLSegmentationNode, None),
        "compareVolume": (slicer.vtkMRMLScalarVolumeNode, None),
        "comparePlane": (PaintPlane, PaintPlane.axial),
    }
