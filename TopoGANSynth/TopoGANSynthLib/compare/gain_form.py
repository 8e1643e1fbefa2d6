"""The part of the panel that tries whether samples help a segmentation network."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from topogan_contract.service import FAILED, RUNNING
from topogan_contract.training_set import find_description
from topogan_contract.words import shown
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.durations import duration
from TopoGANSynthLib.compare.compare_request import SampleForm
from TopoGANSynthLib.compare.gaining import LONGEST_LINE, MOST_LINES, NETWORKS, gain_job, seconds_of, why_not
from TopoGANSynthLib.job.job_runner import JobRunner

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes

# What was found, with the synthesis: it may have taken hours.
_FOUND = "TopoGAN.downstream"


class GainForm:
    """Works with the widgets of ``gainButton`` in ``TopoGANSynthCompare.ui``.

    It asks of the chosen synthesis and the chosen training set, and so stands below the comparison of both.
    """

    def __init__(self, ui: Any, engine: EnginePanel, form_of: Callable[[Path], SampleForm | None]) -> None:
        """Show nothing yet.

        Args:
            ui: the forms' widgets by name.
            engine: tells which Python runs the engine.
            form_of: what the samples in an engine's folder are made of.
        """
        self._ui, self._engine, self._form_of = ui, engine, form_of
        self._runner = JobRunner(self._follow)
        self._nodes: SynthesisNodes | None = None
        # The engine's files of the samples, and the training set; None where they cannot be compared.
        self._pair: tuple[Path, Path] | None = None
        self._described: dict[str, Any] = {}
        # What is tried now; when it began and when the last network was done, and how many are.
        self._target: SynthesisNodes | None = None
        self._started = self._counted = 0.0
        self._done = 0
        # What was found of samples that have left the scene meanwhile.
        self._lost = ""
        self._connections = Connections()
        self._connections.add(ui.gainButton, "clicked()", self._try_or_cancel)

    @property
    def saysSomething(self) -> bool:
        """Whether a trial runs or has ended, whatever is looked at."""
        return self._runner.progress is not None or bool(self._lost)

    def look(self, training_set: Path | None) -> None:
        """Ask the disk what the training set says of itself."""
        self._described = (None if training_set is None else find_description(training_set)) or {}

    def refresh(self, nodes: SynthesisNodes | None, source: Path | None, training_set: Path | None) -> None:
        """Show what is so now.

        Args:
            nodes: the synthesis that is looked at.
            source: the engine's files of it; None where they cannot be compared.
            training_set: what they would be compared with; None where that is none.
        """
        pair = None if source is None or training_set is None else (source, training_set)
        if (nodes, pair) != (self._nodes, self._pair) and not self._runner.isRunning:
            # What was said of others would be taken for theirs.
            self._runner.forget()
            self._lost = ""
        self._nodes, self._pair = nodes, pair
        self._show()

    def close(self) -> None:
        """Let go of everything; what is being tried is dropped."""
        self._connections.close()
        self._runner.close()

    def _show(self) -> None:
        ui, reason, said = self._ui, self._reason(), self._lost or self._found()
        ui.gainButton.visible = offered = self.saysSomething or bool(said) or self._pair is not None
        start, drops = _("Does it help segmentation?"), _("Drop this trial.")
        does = _("Train {count} segmentation networks, with and without these samples, and segment the test patients.")
        self._runner.offer(ui.gainButton, ui.gainReasonLabel, reason, start, does.format(count=NETWORKS), drops)
        self._runner.show(ui.gainProgressBar, ui.gainStatusLabel, {RUNNING: self._time_left()})
        if self._runner.progress is None:
            ui.gainStatusLabel.text = said or ("" if reason else self._cost())
            ui.gainStatusLabel.visible = bool(ui.gainStatusLabel.text)
        if not offered:
            ui.gainReasonLabel.visible = ui.gainStatusLabel.visible = False

    def _found(self) -> str:
        """What was found of the synthesis that is looked at; empty where nothing was."""
        text = "" if self._nodes is None else self._nodes.attribute(_FOUND) or ""
        return "\n".join(shown(line, LONGEST_LINE) for line in text.splitlines()[:MOST_LINES])

    def _reason(self) -> str:
        """Why nothing can be tried now, in words; empty if it can."""
        if self._pair is None:
            return _("Choose a training set above to try it again.")
        return why_not(self._form_of(self._pair[0]), self._described)

    def _cost(self) -> str:
        form = None if self._pair is None else self._form_of(self._pair[0])
        if form is None:
            return ""
        sentence = _("It trains {count} small networks: about {time} on one core, less on more, or on a GPU.")
        return sentence.format(count=NETWORKS, time=duration(seconds_of(form.size)))

    def _time_left(self) -> str:
        progress = self._runner.progress
        if progress is None or not progress.total:
            return _("Training the first network …")
        done, total = progress.step, progress.total
        # Of the last count: until the next one, time goes by and nothing is known.
        each = (self._counted - self._started) / max(done, 1)
        left = max(0.0, each * (total - done) - (time.monotonic() - self._counted))
        sentence = _("{done} of {total} networks trained, about {time} left.")
        return sentence.format(done=done, total=total, time=duration(left))

    def _try_or_cancel(self) -> None:
        if self._runner.isRunning:
            self._runner.cancel()
            return
        # The set may have been prepared anew since it was looked at.
        self.look(None if self._pair is None else self._pair[1])
        if self._pair is None or self._reason():
            self._show()
            return
        self._target, self._lost = self._nodes, ""
        self._started, self._done = time.monotonic(), 0
        self._runner.start(gain_job(self._engine.engine, *self._pair))

    def _follow(self) -> None:
        progress, job = self._runner.progress, self._runner.job
        if progress is not None and progress.step > self._done:
            self._done, self._counted = progress.step, time.monotonic()
        if progress is not None and progress.ended:
            target, self._target = self._target, None
            if job is not None and job.result is not None:
                self._keep(target, job.result)
            if progress.state != FAILED:
                self._runner.forget()
        self._show()

    def _keep(self, target: SynthesisNodes | None, found: str) -> None:
        # Here, not above: importing the module must not load numpy.
        from TopoGANLib.scene.nodes import SynthesisNodes

        if target is not None and target in SynthesisNodes.find_all(slicer.mrmlScene):
            target.set_attribute(_FOUND, found)
        else:
            self._lost = _("Of samples that are no longer in the scene: {found}").format(found=found)
