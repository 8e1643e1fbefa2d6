"""Checking the data before hours are spent: the button, how it is going, and whether its result is still true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from topogan_contract.run import ENDED, FINISHED, STOPPED, STOPPING
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.check.check_order import CheckOrders, Order
from TopoGANTrainLib.check.checking import Checking, CheckProgress
from TopoGANTrainLib.check.data_check import DATASET_FILE, DataCheck
from TopoGANTrainLib.check.data_check_view import DataCheckView
from TopoGANTrainLib.data.train_inputs import FromTrainingSet
from TopoGANTrainLib.run.training_sets import remove_training_set

_TICK_MILLISECONDS = 200


class DataCheckForm:
    """Works with the widgets of ``TopoGANTrainCheck.ui``.

    Usage::

        form = DataCheckForm(ui, engine, orders, logic.learnsFrom, self.refresh)
        form.confirm(self.start)  # at a start: is called with the checked set, or None where it is no longer true
    """

    def __init__(
        self,
        ui: Any,
        engine: EnginePanel,
        orders: CheckOrders,
        learns_from: Callable[[Path], bool],
        changed: Callable[[], None],
    ) -> None:
        """Wait for a click.

        Args:
            ui: the form's widgets by name.
            engine: makes the training set.
            orders: tells what is chosen now.
            learns_from: tells whether a training uses a training set, also before its run is there.
            changed: is called when a check begins or ends.
        """
        self._ui, self._engine, self._orders, self._changed = ui, engine, orders, changed
        self._learns_from = learns_from
        self._checking: Checking | None = None
        self._asked: Order | None = None
        self._made: Path | None = None
        # What was made last, as long as no training has taken it: another check takes its place.
        self._loose: Path | None = None
        self._removing: Background[None] | None = None
        # Whether the files are still as they were, and who wants to know.
        self._looking: Background[str] | None = None
        self._then: Callable[[Path | None], None] = lambda training_set: None
        self._words = ""
        self._view = DataCheckView(ui)
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)
        self._connections.add(ui.checkDataButton, "clicked()", self._start_or_stop)
        self.refresh(possible=False)

    @property
    def isRunning(self) -> bool:
        """Whether data are being checked."""
        return self._checking is not None

    @property
    def known(self) -> DataCheck | None:
        """What the check has shown; None where it is no longer what is chosen."""
        return self._view.check if self._is_true() else None

    @property
    def isLooking(self) -> bool:
        """Whether the files are being looked at."""
        return self._looking is not None

    def confirm(self, then: Callable[[Path | None], None]) -> None:
        """Find out whether the checked training set is what would be made now; of many files that takes a while.

        Args:
            then: is called with it, or with None where there is none, or data or form have changed.
        """
        if self._made is None or not self._is_true():
            then(None)
            return
        assert self._asked is not None
        self._looking, self._then = Background(self._asked.look, no_memory=""), then
        self._timer.start()
        self._changed()
        self._tick()  # few files are looked at in no time

    def take(self, training_set: Path) -> None:
        """A training learns from it: it is kept, whatever is checked next."""
        if training_set == self._loose:
            self._loose = None

    def refresh(self, possible: bool) -> None:
        """Show what is so now.

        Args:
            possible: whether a check can be started.
        """
        ui = self._ui
        ui.checkDataButton.text = _("Stop the check") if self.isRunning else _("Check data")
        ui.checkDataButton.enabled = self.isRunning or possible
        ui.checkProgressBar.visible = self.isRunning
        words = self._words
        if self.isLooking:
            words = _("Looking whether the files have changed …")
        elif self._view.check is not None and not self.isRunning and not self._is_true():
            words = _("Data or settings have changed since this check: check again, or Start prepares them anew.")
        ui.checkStatusLabel.text = words
        ui.checkStatusLabel.visible = bool(words)

    def close(self) -> None:
        """End what runs and let go of the widgets."""
        self._timer.stop()
        self._connections.close()
        self._view.close()
        if self._checking is not None:
            self._checking.close()
            self._checking = None
        self._looking = None

    def _is_true(self) -> bool:
        """Whether what was checked is what is chosen now."""
        if self._asked is None or self._view.check is None:
            return False
        now = self._orders.now()
        return now is not None and now.print == self._asked.print

    def _start_or_stop(self) -> None:
        if self._checking is not None:
            self._checking.stop()
            self._tick()
            return
        order = self._orders.now()
        if order is None:
            return
        self._view.clear()
        self._made = None
        try:
            if isinstance(order.inputs, FromTrainingSet):
                order.inputs.check()
                self._read(order)
            else:
                self._start(order)
        except ValueError as error:
            self._words = str(error)
        except OSError as error:
            self._words = _("It cannot start: {reason}.").format(reason=error.strerror or error)
        self._changed()

    def _start(self, order: Order) -> None:
        training_set, preparation = self._orders.place(order)
        log = user_settings.new_work_folder("check") / "engine.txt"
        self._checking = Checking(self._engine.engine, training_set, preparation, log)
        self._asked = order
        self._words = _("Preparing the training set …")
        self._timer.start()

    def _read(self, order: Order) -> None:
        """A training set that was made before says what it is."""
        assert isinstance(order.inputs, FromTrainingSet)
        self._asked = order
        self._words = ""
        self.take(order.inputs.folder)
        if not self._view.show(order.inputs.folder):
            self._words = _("This training set was made by an older version and has not been checked.")

    def _tick(self) -> None:
        if self._looking is not None:
            self._look(self._looking)
        elif self._checking is not None:
            self._follow(self._checking)

    def _look(self, looking: Background[str]) -> None:
        if not looking.done():
            return
        self._timer.stop()
        self._looking = None
        found = self._made if self._is_true() and self._is_there() else None
        if found is not None and (self._asked is None or looking.result != self._asked.files):
            self._asked = found = None
        self._changed()
        self._then(found)

    def _follow(self, checking: Checking) -> None:
        progress = checking.tick()
        self._words = self._say(progress)
        if progress.state in ENDED:
            self._timer.stop()
            self._checking = None
            if progress.state == FINISHED:
                self._replace(checking.training_set)
                self._view.show(checking.training_set)
        self._changed()

    def _is_there(self) -> bool:
        return self._made is not None and (self._made / DATASET_FILE).is_file()

    def _replace(self, made: Path) -> None:
        """Nobody can reach the set of the check before any more, and nobody wants to clear up after a look."""
        before, self._loose, self._made = self._loose, made, made
        # A training that the panel knows nothing of: started in the console, or by another application.
        if before is not None and not self._learns_from(before):
            # What cannot be removed is found in the list of runs.
            self._removing = Background(lambda: remove_training_set(before), no_memory="")

    def _say(self, progress: CheckProgress) -> str:
        words = {
            STOPPING: _("Stopping …"),
            STOPPED: _("The check was stopped; nothing of it is left."),
            FINISHED: _("Checked: Start trains on this training set."),
        }.get(progress.state, "" if progress.error else _("Preparing the training set …"))
        return "\n".join(part for part in (words, progress.note, progress.error, progress.remark) if part)
