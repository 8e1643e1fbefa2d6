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
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.check.check_order import CheckOrders, Order
from TopoGANTrainLib.check.checking import Checking, CheckProgress
from TopoGANTrainLib.check.data_check import DATASET_FILE
from TopoGANTrainLib.check.data_check_view import DataCheckView
from TopoGANTrainLib.check.fingerprint import files_changed
from TopoGANTrainLib.data.train_inputs import FromTrainingSet

_TICK_MILLISECONDS = 200


class DataCheckForm:
    """Works with the widgets of ``TopoGANTrainCheck.ui``.

    Usage::

        form = DataCheckForm(ui, engine, orders, self.refresh)
        training_set = form.checked()  # at a start: the checked set, if it is still true
    """

    def __init__(
        self,
        ui: Any,
        engine: EnginePanel,
        orders: CheckOrders,
        changed: Callable[[], None],
    ) -> None:
        """Wait for a click.

        Args:
            ui: the form's widgets by name.
            engine: makes the training set.
            orders: tells what is chosen now.
            changed: is called when a check begins or ends.
        """
        self._ui, self._engine, self._orders, self._changed = ui, engine, orders, changed
        self._checking: Checking | None = None
        self._asked: Order | None = None
        self._made: Path | None = None
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
    def samples(self) -> int:
        """How many the checked training set has; 0 where it is no longer what is chosen."""
        return self._view.check.samples if self._view.check is not None and self._is_true() else 0

    def checked(self) -> Path | None:
        """The training set that was checked, if data and form are the same; looks at the disk, for a start."""
        if self._made is None or not self._is_true() or not (self._made / DATASET_FILE).is_file():
            return None
        assert self._asked is not None
        return self._made if files_changed(self._asked.inputs) == self._asked.files else None

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
        if self._view.check is not None and not self.isRunning and not self._is_true():
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
        order.files = files_changed(order.inputs)
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
        if not self._view.show(order.inputs.folder):
            self._words = _("This training set was made by an older version and has not been checked.")

    def _tick(self) -> None:
        if self._checking is None:
            return
        progress = self._checking.tick()
        self._words = self._say(progress)
        if progress.state in ENDED:
            self._timer.stop()
            checking, self._checking = self._checking, None
            if progress.state == FINISHED:
                self._made = checking.training_set
                self._view.show(checking.training_set)
        self._changed()

    def _say(self, progress: CheckProgress) -> str:
        words = {
            STOPPING: _("Stopping …"),
            STOPPED: _("The check was stopped; nothing of it is left."),
            FINISHED: _("Checked: Start trains on this training set."),
        }.get(progress.state, "" if progress.error else _("Preparing the training set …"))
        return "\n".join(part for part in (words, progress.note, progress.error, progress.remark) if part)
