"""Tells the end of a training once, wherever the user is in the meantime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract.run import FINISHED, STOPPED
from TopoGANLib.forms.connections import Connections

_MODULE = "TopoGANTrain"


class Ending:
    """A box that keeps nobody from working says that a training has finished or failed, and why.

    Where the panel is in sight its status line says it, and no box opens. Of several trainings that end while nobody
    looks, one box tells all. A stop is what the user has asked for, and no news.
    """

    def __init__(self) -> None:
        self._box: Any = None
        self._connections = Connections()

    def tell(self, run: Path, state: str, error: str, in_sight: bool) -> None:
        """Tell how a run has ended.

        Args:
            run: the run folder.
            state: in which it has ended.
            error: why it failed, a sentence.
            in_sight: whether the user sees that in the panel.
        """
        if state == STOPPED or slicer.app.testingEnabled():
            return
        name = run.parent.name
        if state == FINISHED:
            words = _("The training {name} has finished: the model is ready.").format(name=name)
        else:
            words = _("The training {name} has failed. {reason}").format(name=name, reason=error)
        slicer.util.showStatusMessage(words)
        if not in_sight:
            self._open(words, failed=state != FINISHED)

    def close(self) -> None:
        """Take the box away."""
        if self._box is not None:
            self._connections.close()
            self._box.close()
            self._box.deleteLater()
            self._box = None

    def _open(self, words: str, failed: bool) -> None:
        if self._box is not None:
            words = f"{self._box.text}\n\n{words}"
        self.close()
        box = qt.QMessageBox(slicer.util.mainWindow())
        box.windowTitle = _("TopoGAN Train")
        # The words hold the name of a folder, which is not to be taken for markup.
        box.setTextFormat(qt.Qt.PlainText)
        box.text = words
        box.setIcon(qt.QMessageBox.Warning if failed else qt.QMessageBox.Information)
        box.setStandardButtons(qt.QMessageBox.Open | qt.QMessageBox.Close)
        box.modal = False
        self._connections.add(box, "finished(int)", self._answered)
        self._box = box
        box.show()

    def _answered(self, result: int) -> None:
        self.close()
        if result == qt.QMessageBox.Open:
            slicer.util.selectModule(_MODULE)
