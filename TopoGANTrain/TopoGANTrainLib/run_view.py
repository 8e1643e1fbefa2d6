"""How a training is doing, in words, a bar and a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from topogan_contract.run import ENDED, FINISHED, RUNNING, STOPPED, STOPPING
from TopoGANTrainLib.training_session import PREPARING, STARTING, Progress, TrainingSession

_PREVIEW_WIDTH = 340


class RunView:
    """Works with the widgets of ``TopoGANTrainRun.ui``."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._picture: Path | None = None
        self.show(None, None)

    def show(self, progress: Progress | None, session: TrainingSession | None) -> None:
        """Show a reading; None is for nothing yet."""
        ui = self._ui
        state = progress.state if progress else ""
        ui.progressBar.visible = bool(state) and state not in ENDED
        ui.statusLabel.visible = bool(state)
        if progress is not None:
            # A range of 0 to 0 shows that something moves, though nobody knows how far.
            ui.progressBar.setRange(0, 1000 if progress.fraction is not None else 0)
            ui.progressBar.value = round(1000 * (progress.fraction or 0))
            ui.statusLabel.text = "\n".join(filter(None, (self._words(progress), progress.remark)))
        finished = state == FINISHED and session is not None
        ui.modelSection.visible = finished
        ui.modelPathEdit.text = str(session.model) if finished else ""
        ui.logCollapsibleButton.visible = bool(progress and progress.log)
        if progress is not None and progress.log and ui.logTextEdit.plainText != "\n".join(progress.log):
            ui.logTextEdit.plainText = "\n".join(progress.log)
        self._show_picture(session.latest_preview() if session and state else None)

    def complain(self, sentence: str) -> None:
        """Say why nothing was started."""
        self._ui.statusLabel.visible = True
        self._ui.statusLabel.text = sentence

    def _words(self, progress: Progress) -> str:
        steps = _("step {step} of {total}").format(step=progress.step, total=progress.total)
        if progress.state == RUNNING:
            stage = {"masks": _("Training masks"), "textures": _("Training textures")}.get(progress.stage)
            words = [stage or _("Training"), steps]
            if progress.eta_seconds is not None:
                words.append(_("{time} left").format(time=duration(progress.eta_seconds)))
            return ", ".join(words)
        if progress.state == STOPPED:
            at = f" ({steps})" if progress.total else ""
            return (_("Stopped{at}. Resume goes on from here.") if progress.resumable else _("Stopped.")).format(at=at)
        words = {
            PREPARING: _("Preparing the training set …"),
            STARTING: _("Starting the engine …"),
            STOPPING: _("Stopping, with a checkpoint …"),
            FINISHED: _("Finished: the model is ready."),
        }.get(progress.state, "")
        return "\n".join(part for part in (words, progress.note or progress.error) if part)

    def _show_picture(self, path: Path | None) -> None:
        self._ui.previewLabel.visible = path is not None
        if path == self._picture or path is None:
            return
        self._picture = path
        picture = qt.QPixmap(str(path))
        self._ui.previewLabel.setPixmap(picture.scaledToWidth(_PREVIEW_WIDTH))


def duration(seconds: float) -> str:
    """A time span as people say it: ``"45 s"``, ``"12 min"``, ``"3 h 05 min"``."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=f"{seconds:.0f}")
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=f"{minutes % 60:02d}")
