"""How a training is doing: in words, a bar, figures, plots, a picture and the engine's last lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from topogan_contract import run as layout
from topogan_contract.run import ENDED, FINISHED, RUNNING, STOPPED, STOPPING
from TopoGANLib.engine.process import last_lines
from TopoGANLib.engine.run_monitor import SILENT
from TopoGANLib.forms.durations import duration
from TopoGANTrainLib.run.ending import Ending
from TopoGANTrainLib.run.history_feed import Stamp, file_stamp
from TopoGANTrainLib.run.plots_view import PlotsView
from TopoGANTrainLib.run.progress import LOOKING, PREPARING, STARTING, Progress
from TopoGANTrainLib.run.samples_view import SamplesView
from TopoGANTrainLib.run.training_session import TrainingSession

_MODULE = "TopoGANTrain"
_LOG_LINES = 20


class RunView:
    """Works with the widgets of ``TopoGANTrainRun.ui``."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self.plots = PlotsView(ui)
        self._samples = SamplesView(ui)
        self._ending = Ending()
        self._log: tuple[Path, Stamp | None] | None = None
        self.show(None, None)

    def show(self, progress: Progress | None, session: TrainingSession | None) -> None:
        """Show a reading; None is for nothing yet."""
        ui = self._ui
        state = progress.state if progress else ""
        ui.progressBar.visible = bool(state) and state not in (*ENDED, SILENT)
        ui.statusLabel.visible = bool(state)
        if progress is not None:
            # A range of 0 to 0 shows that something moves, though nobody knows how far.
            ui.progressBar.setRange(0, 1000 if progress.fraction is not None else 0)
            ui.progressBar.value = round(1000 * (progress.fraction or 0))
            ui.statusLabel.text = "\n".join(filter(None, (self._words(progress, session), progress.remark)))
        finished = state == FINISHED and session is not None
        ui.modelSection.visible = finished
        ui.modelPathEdit.text = str(session.model) if finished else ""
        run = session.run if session is not None and state else None
        self._show_log(progress, session)
        self.plots.follow(run)
        self._samples.follow(run)

    def tell(self, run: Path, progress: Progress, shown: bool) -> None:
        """Tell the end of a run, also where another module is in front.

        Args:
            run: the run folder.
            progress: how it ended.
            shown: whether it is the run that is shown here.
        """
        in_sight = shown and slicer.util.selectedModule() == _MODULE and self._ui.statusLabel.visible
        self._ending.tell(run, progress.state, progress.error, in_sight)

    def complain(self, sentence: str) -> None:
        """Say why nothing was started."""
        self._ui.statusLabel.visible = True
        self._ui.statusLabel.text = sentence

    def close(self) -> None:
        """Let go of the widgets, and take away what stands beside the panel."""
        self.plots.close()
        self._samples.close()
        self._ending.close()

    def _words(self, progress: Progress, session: TrainingSession | None) -> str:
        steps = _("step {step} of {total}").format(step=progress.step, total=progress.total)
        if progress.state == RUNNING:
            stage = {"masks": _("Training masks"), "textures": _("Training textures")}.get(progress.stage)
            words = [stage or _("Training"), steps]
            elapsed = None if session is None else elapsed_seconds(session.run)
            if elapsed is not None:
                words.append(_("{time} so far").format(time=duration(elapsed)))
            if progress.eta_seconds is not None:
                words.append(_("{time} left").format(time=duration(progress.eta_seconds)))
            return ", ".join(words)
        if progress.state == STOPPED:
            at = f" ({steps})" if progress.total else ""
            return (_("Stopped{at}. Resume goes on from here.") if progress.resumable else _("Stopped.")).format(at=at)
        words = {
            PREPARING: _("Preparing the training set …"),
            LOOKING: _("Looking for its training set …"),
            STARTING: _("Starting the engine …"),
            STOPPING: _("Stopping, with a checkpoint …"),
            FINISHED: _("Finished: the model is ready."),
        }.get(progress.state, "")
        return "\n".join(part for part in (words, progress.note or progress.error) if part)

    def _show_log(self, progress: Progress | None, session: TrainingSession | None) -> None:
        """What the engine said when it failed, or is saying now; nothing is read while the section is folded."""
        ui = self._ui
        alive = progress is not None and session is not None and progress.state not in ENDED
        # Not the collapsed button itself: CTK shows what is in one that was shown before its window was.
        ui.logSection.visible = alive or bool(progress and progress.log)
        if progress is not None and progress.log:
            self._log = None
            self._put_log(progress.log)
        elif alive and not ui.logCollapsibleButton.collapsed:
            # Of a run that somebody else has started there is only what it keeps itself.
            path = session.log if session.log.exists() else session.run / layout.LOG_FILE
            log = (path, file_stamp(path))
            if log != self._log:
                self._log = log
                self._put_log(last_lines(path, _LOG_LINES))

    def _put_log(self, lines: list[str]) -> None:
        text = "\n".join(lines)
        if self._ui.logTextEdit.plainText != text:
            self._ui.logTextEdit.clear()
            self._ui.logTextEdit.appendPlainText(text)  # which stays at the end, as the property would not


def elapsed_seconds(run: Path) -> float | None:
    """For how long the engine has been working on a run, by the clock of the disk that the run is on; None if unknown.

    The lock is written when an engine begins, the status twice a second.
    """
    lock, status = file_stamp(run / layout.LOCK_FILE), file_stamp(run / layout.STATUS_FILE)
    if lock is None or status is None or status[0] < lock[0]:
        return None
    return (status[0] - lock[0]) / 1e9
