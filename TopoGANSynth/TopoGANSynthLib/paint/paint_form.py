"""The part of the panel that paints texture on a segmentation of the scene."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange

from topogan_contract.service import FINISHED, RUNNING
from topogan_contract.words import shown
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms.connections import Connections
from TopoGANSynthLib.job.job_runner import JobRunner
from TopoGANSynthLib.model.model_card import ModelCard
from TopoGANSynthLib.paint.painting import Match, match, paint_job, plane_of_view

_RED_SLICE_NODE = "vtkMRMLSliceNodeRed"
_MOST_SEED = 2**31 - 1


class PaintPlane(enum.Enum):
    """The plane of the slices; a scene stores the names."""

    axial = "axial"
    red = "red"

    def label(self) -> str:
        """What the user reads."""
        return {"axial": _("Axial"), "red": _("As the Red view")}[self.value]


class PaintForm:
    """Works with the widgets of ``TopoGANSynthPaint.ui``."""

    def __init__(
        self, ui: Any, engine: EnginePanel, chosen: Callable[[], tuple[Path | None, ModelCard | None]]
    ) -> None:
        """Nothing is painted yet.

        Args:
            ui: the forms' widgets by name.
            engine: tells which Python runs the engine, and whether it can.
            chosen: the model, and what it says of itself.
        """
        self._ui, self._engine, self._chosen = ui, engine, chosen
        self._parameters: Any = None
        self._runner = JobRunner(self._follow)
        # What is painted on now, its name, and the model's window.
        self._target: tuple[Any, str, tuple[float, float] | None] | None = None
        # Of the last one: in words, and what was wrong before it could start.
        self._said, self._refused = "", ""
        self._connections = Connections()
        self._connections.add(ui.paintButton, "clicked()", self._paint_or_cancel)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what is so now."""
        ui, running = self._ui, self._runner.isRunning
        reason = self._reason()
        for widget in (ui.paintSegmentationSelector, ui.paintPlaneComboBox, ui.paintSeedSpinBox):
            widget.enabled = not running
        ui.paintMatchLabel.text = self._match_words()
        ui.paintMatchLabel.visible = bool(ui.paintMatchLabel.text)
        start, does, drops = _("Paint"), _("Paint the picture in the background."), _("Drop this picture.")
        self._runner.offer(ui.paintButton, ui.paintReasonLabel, reason, start, does, drops)
        self._show_state()

    def close(self) -> None:
        """Let go of everything; what is being painted is dropped."""
        self._connections.close()
        self._runner.close()

    def _show_state(self) -> None:
        ui, progress = self._ui, self._runner.progress
        words = {FINISHED: self._said}
        if progress is not None and progress.total:
            words[RUNNING] = _("Slice {step} of {total}").format(step=progress.step, total=progress.total)
        self._runner.show(ui.paintProgressBar, ui.paintStatusLabel, words)
        if self._refused and not self._runner.isRunning:
            ui.paintStatusLabel.text, ui.paintStatusLabel.visible = self._refused, True

    def _segmentation(self) -> slicer.vtkMRMLSegmentationNode | None:
        return None if self._parameters is None else self._parameters.paintSegmentation

    def _match(self) -> Match | None:
        segmentation, (_model, card) = self._segmentation(), self._chosen()
        if segmentation is None or card is None or not card.has_textures:
            return None
        return match(card.structures, segmentation)

    def _match_words(self) -> str:
        found, segmentation, (_model, card) = self._match(), self._segmentation(), self._chosen()
        if found is None or segmentation is None or card is None or not found.segments:
            return ""
        inner = segmentation.GetSegmentation()
        pairs = [(structure, inner.GetSegment(one).GetName()) for structure, one in found.segments]
        words = [shown(name) if name == structure else f"{shown(name)} ({structure})" for structure, name in pairs]
        sentences = [_("Painted on {segments}.").format(segments=", ".join(words))]
        # What is no segment is background, and of context that is as usual.
        if missing := [name for name in found.missing if name in card.counted]:
            sentences.append(_("Missing: {names}.").format(names=", ".join(map(shown, missing))))
        if found.others:
            sentences.append(_("Unknown to the model: {names}.").format(names=", ".join(map(shown, found.others))))
        return " ".join(sentences)

    def _reason(self) -> str:
        """Why nothing can be painted now, in words; empty if it can."""
        if self._parameters is None:
            return _("The scene is being closed.")
        if self._engine.not_ready:
            return self._engine.not_ready
        return self._reason_of_model() or self._reason_of_segmentation()

    def _reason_of_model(self) -> str:
        _model, card = self._chosen()
        if card is None:
            return _("Choose a model.")
        if not card.has_textures:
            return _("The model makes masks alone: choose one that was trained with images.")
        return ""

    def _reason_of_segmentation(self) -> str:
        segmentation, (_model, card) = self._segmentation(), self._chosen()
        if segmentation is None:
            return _("Choose a segmentation to paint on.")
        found, counted = self._match(), () if card is None else card.counted
        # Context does not say where to paint.
        if found is None or not any(structure in counted for structure, _segment in found.segments):
            sentence = _("{segmentation} has no segment that the model knows: name one {names}.")
            names = _(" or ").join(map(shown, counted))
            return sentence.format(segmentation=shown(segmentation.GetName()), names=names)
        if self._parameters.paintPlane is PaintPlane.red and self._red() is None:
            return _("There is no Red view: choose the axial plane.")
        return ""

    def _red(self) -> slicer.vtkMRMLSliceNode | None:
        return slicer.mrmlScene.GetNodeByID(_RED_SLICE_NODE)

    def _paint_or_cancel(self) -> None:
        if self._runner.isRunning:
            self._runner.cancel()
            return
        self.refresh()  # segments may have been renamed
        segmentation, found, (model, card) = self._segmentation(), self._match(), self._chosen()
        if self._reason() or segmentation is None or found is None or model is None or card is None:
            return
        from TopoGANLib.scene.voxels import InputError

        self._refused = ""
        red = self._red() if self._parameters.paintPlane is PaintPlane.red else None
        try:
            plane = None if red is None else plane_of_view(red)
            job = paint_job(self._engine.engine, model, segmentation, found, plane, self._parameters.paintSeed)
        except InputError as error:
            self._refused = str(error)
            self.refresh()
            return
        self._target = segmentation, segmentation.GetName(), card.window
        self._runner.start(job)

    def _follow(self) -> None:
        progress, job = self._runner.progress, self._runner.job
        if progress is not None and progress.state == FINISHED and job is not None and job.result is not None:
            painted = job.result
            sentence = _("The picture cannot be put into the scene ({reason}): close other data, and paint again.")
            self._said = self._runner.put(lambda: self._add(painted), sentence) or ""
        self.refresh()

    def _add(self, painted: Any) -> str:
        """Put the picture into the scene; return what to say."""
        from TopoGANLib.scene.painted import add_painted, show_painted

        assert self._target is not None
        segmentation, name, window = self._target
        self._target = None
        if segmentation.GetScene() is None:
            return _("{segmentation} is no longer in the scene: the picture was dropped.").format(segmentation=name)
        volume = add_painted(slicer.mrmlScene, name, painted.picture, window, painted.said)
        show_painted(volume, slicer.app.applicationLogic())
        return _("Painted: {volume}.").format(volume=volume.GetName())


def paint_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters of painting."""
    return {
        "paintSegmentation": (slicer.vtkMRMLSegmentationNode, None),
        "paintPlane": (PaintPlane, PaintPlane.axial),
        "paintSeed": (Annotated[int, WithinRange(0, _MOST_SEED)], 0),
    }
