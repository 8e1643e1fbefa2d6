"""The synthesis panel: reads what the user has chosen, asks for samples, and shows them one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract.service import FINISHED, RUNNING
from topogan_contract.words import shown
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.widgets import describe_widgets
from TopoGANSynthLib.compare.compare_form import CompareForm, compare_parameters
from TopoGANSynthLib.job.engine_job import READING
from TopoGANSynthLib.keep.keep_form import KeepForm, export_parameters
from TopoGANSynthLib.leaving_nodes import LeavingNodes
from TopoGANSynthLib.model.copies_form import CopiesForm
from TopoGANSynthLib.model.model_form import ModelForm
from TopoGANSynthLib.model.topology_form import Topology, TopologyForm
from TopoGANSynthLib.paint.paint_form import PaintForm, paint_parameters
from TopoGANSynthLib.result.result_view import ResultView, view_parameters
from TopoGANSynthLib.synth_logic import SynthLogic

FORMS = ("TopoGANSynthResult", "TopoGANSynthCompare", "TopoGANSynthPaint", "TopoGANSynthExport")
"""Files of the parts below the first, in their order."""

# Two dozen structures with their shares.
_LONGEST_SUMMARY = 2000


class SynthPanel:
    """Works with the widgets of ``TopoGANSynth.ui``."""

    def __init__(self, ui: Any, logic: SynthLogic, engine: EnginePanel) -> None:
        """Show the user's own settings.

        Args:
            ui: the form's widgets by name.
            logic: does the work.
            engine: the part about the engine; ended with this panel.
        """
        self._ui, self._logic, self._engine = ui, logic, engine
        self._parameters: Any = None
        self._result = ResultView(ui)
        self._topology = TopologyForm(ui)
        self._copies = CopiesForm(ui, self.refresh)
        self._model = ModelForm(ui, self._take_model)
        self._paint = PaintForm(ui, engine, lambda: (self._model.path, self._model.card))
        self._keep = KeepForm(ui, engine, self._result.chosen, logic.source)
        self._compare = CompareForm(ui, engine, self._result.chosen, logic.source)
        self._leaving = LeavingNodes(("paintSegmentation", "compareSegmentation", "compareVolume"))
        self._connections = Connections()
        describe_widgets(ui, logic.settings)
        self._connections.add(ui.generateButton, "clicked()", self._generate_or_cancel)
        logic.onProgress = self._show_progress
        logic.onNodes = self._result.show
        self._copies.take_model(self._model.path, self._model.card)
        self.refresh()

    def enter(self) -> None:
        """The user looks at it: ask for the engine, and look what the scene holds."""
        self._engine.enter()
        self._result.look()
        self._copies.look()
        self._compare.look()
        self.refresh()

    def choose_model(self, path: Path) -> None:
        """Put a model into the panel, as the other module does."""
        self._model.choose(path)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._leaving.set_parameters(parameters)
        self._topology.set_parameters(parameters)
        self._copies.set_parameters(parameters)
        self._result.set_parameters(parameters)
        self._paint.set_parameters(parameters)
        self._keep.set_parameters(parameters)
        self._compare.set_parameters(parameters)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        ui, running = self._ui, self._logic.isRunning
        self._topology.refresh(self._model.card)
        self._copies.refresh()
        # Not the sections: a disabled one cannot be folded, and its card is hard to read.
        for widget in (
            ui.modelPathLineEdit,
            ui.countSpinBox,
            ui.topologyComboBox,
            ui.topologiesTable,
            ui.copiesCheckBox,
            ui.copiesSetPathLineEdit,
            ui.seedSpinBox,
            ui.cleanSpinBox,
            ui.attemptsSpinBox,
            ui.deviceComboBox,
        ):
            widget.enabled = not running
        reason = self._reason()
        start, does, drops = _("Generate"), _("Make samples in the background."), _("Drop these samples.")
        self._logic.runner.offer(ui.generateButton, ui.reasonLabel, reason, start, does, drops)
        self._show_state()
        self._result.refresh()
        self._paint.refresh()
        self._keep.refresh()
        self._compare.refresh()

    def close(self) -> None:
        """Let go of everything, the engine included."""
        self._connections.close()
        self._leaving.set_parameters(None)
        self._model.close()
        self._topology.close()
        self._copies.close()
        self._result.close()
        self._paint.close()
        self._keep.close()
        self._compare.close()
        self._engine.close()
        self._logic.close()

    def _take_model(self) -> None:
        # What was said of the last samples is of another model.
        self._logic.runner.forget()
        self._copies.take_model(self._model.path, self._model.card)
        self.refresh()

    def _reason(self) -> str:
        if self._parameters is None:
            return _("The scene is being closed.")
        if self._engine.not_ready:
            return self._engine.not_ready
        card = self._model.card
        return _("Choose a model.") if card is None else self._copies.reason(card)

    def _request_settings(self) -> Mapping[str, Any]:
        settings = {s.name: getattr(self._parameters, s.attribute) for s in self._logic.settings}
        return settings | {"betti": self._topology.betti}

    def _generate_or_cancel(self) -> None:
        if self._logic.isRunning:
            self._logic.cancel()
            return
        # It may have been removed or replaced since it was chosen.
        readable, path = self._model.read(), self._model.path
        self._copies.look()
        self.refresh()
        if not readable or path is None or self._reason():
            return
        try:
            copies = self._copies.training_set
            self._logic.synthesize(path, self._request_settings(), self._engine.engine, reject_copies=copies)
            self._model.remember()
            self._copies.remember()
        except OSError as error:
            self._ui.statusLabel.visible = True
            self._ui.statusLabel.text = _("It cannot start: {reason}.").format(reason=error.strerror or error)

    def _show_progress(self) -> None:
        self.refresh()

    def _show_state(self) -> None:
        ui, progress = self._ui, self._logic.progress
        words = {READING: _("Putting the samples into the scene …"), FINISHED: self._result_words()}
        if progress is not None and progress.total:
            words[RUNNING] = _("Sample {step} of {total}").format(step=progress.step, total=progress.total)
        self._logic.runner.show(ui.progressBar, ui.statusLabel, words)
        log = "" if progress is None else "\n".join(progress.log)
        # Not the collapsed button itself: CTK shows what is in one that was shown before its window was.
        ui.logSection.visible = bool(log)
        if log and ui.logTextEdit.plainText != log:
            ui.logTextEdit.plainText = log

    def _result_words(self) -> str:
        report = self._logic.report
        summary, tries, share = (report.get(name) for name in ("summary", "tries", "accepted_percent"))
        words = [_("Finished: {summary}").format(summary=shown(summary, _LONGEST_SUMMARY))] if summary else []
        if report.get("requested_betti") is not None and type(tries) is int and type(share) is float:
            sentence = _("Of {tries} tries {share} % had the topology that was asked for.")
            words.append(sentence.format(tries=tries, share=f"{share:.0f}"))
        return " ".join(words) or _("Finished.")


def own_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that the engine does not know."""
    return {
        "topology": (Topology, Topology.any),
        "topologies": (str, ""),
        "leaveCopiesOut": (bool, False),
        **view_parameters(),
        **compare_parameters(),
        **paint_parameters(),
        **export_parameters(),
    }
