"""The list of all runs in the folder of the results, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract.run import ENDED
from TopoGANLib.engine.history import History, read_history
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.run_list import DAMAGED, RunEntry, RunList
from TopoGANTrainLib.run_removal import own_training_set, remove_run
from TopoGANTrainLib.run_words import figure, sentence, state_word, steps, tool_tip
from TopoGANTrainLib.train_logic import TrainLogic

_LOOK_MILLISECONDS = 50
# How a run is doing is read again now and then while the list is open.
_AGAIN_MILLISECONDS = 5000
_PAIR = 2

Compare = Callable[[Sequence[tuple[str, History]]], None]


class RunsView:
    """Works with the widgets of ``TopoGANTrainRuns.ui``.

    Disks are looked at on a thread of their own, one thing at a time; a timer takes over what it has found.
    """

    def __init__(
        self,
        ui: Any,
        logic: TrainLogic,
        results: Callable[[], Path | None],
        refusal: Callable[[], str],
        resume: Callable[[Path], None],
        use_model: Callable[[Path], None],
        compare: Compare,
    ) -> None:
        """Show nothing yet; the list is read when it is opened.

        Args:
            ui: the form's widgets by name.
            logic: follows a run.
            results: the folder to look into; None where none is chosen.
            refusal: why nothing can be resumed now; empty if it can.
            resume: goes on with a run.
            use_model: opens a model in the other module.
            compare: shows the curves of runs, each with its name.
        """
        self._ui, self._logic, self._results, self._refusal = ui, logic, results, refusal
        self._resume, self._use_model, self._compare = resume, use_model, compare
        self._list = RunList()
        self._entries: list[RunEntry] = []
        self._work: Background[Any] | None = None
        self._take: Callable[[Any], None] = lambda found: None
        self._wanted = False
        self._filling = False
        self._followed: tuple[Path | None, str] = None, ""
        header = ui.runsTable.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        for column in (1, 2, 3):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        self._timer = qt.QTimer()
        # Of the table alone: elsewhere in the application Del deletes other things.
        self._delete_key = qt.QShortcut(qt.QKeySequence(qt.Qt.Key_Delete), ui.runsTable)
        self._delete_key.setContext(qt.Qt.WidgetShortcut)
        self._connections = Connections()
        for sender, signal, slot in (
            (self._timer, "timeout()", self._tick),
            (ui.runsCollapsibleButton, "contentsCollapsed(bool)", self._opened),
            (ui.runsTable, "itemSelectionChanged()", self._show_choice),
            (ui.runsTable, "itemActivated(QTableWidgetItem*)", self._attach),
            (self._delete_key, "activated()", self._delete),
            (ui.refreshRunsButton, "clicked()", self.read),
            (ui.attachRunButton, "clicked()", self._attach),
            (ui.resumeRunButton, "clicked()", self._go_on),
            (ui.compareRunsButton, "clicked()", self._read_curves),
            (ui.openRunButton, "clicked()", self._open_folder),
            (ui.useRunButton, "clicked()", self._open_model),
            (ui.deleteRunsButton, "clicked()", self._delete),
        ):
            self._connections.add(sender, signal, slot)
        self._show_choice()

    def read(self) -> None:
        """Read the list anew, if it is open."""
        results = self._results()
        if self._ui.runsCollapsibleButton.collapsed:
            return
        if results is None:
            self._fill([])
        elif self._work is not None:
            self._wanted = True
        else:
            self._do(lambda: self._list.read(results), self._fill)

    def refresh(self) -> None:
        """What can be done may be something else now; a run that has begun or ended is read anew."""
        session, progress = self._logic.session, self._logic.progress
        state = "" if progress is None else progress.state
        followed = (None if session is None else session.run), state if state in ENDED else ""
        if followed != self._followed:
            self._followed = followed
            self.read()
        self._enable()

    def close(self) -> None:
        """Let go of the widgets."""
        self._timer.stop()
        self._connections.close()

    def _opened(self, collapsed: bool) -> None:
        self.read()

    def _do(self, work: Callable[[], Any], take: Callable[[Any], None]) -> None:
        self._work = Background(work, no_memory=_("There is not enough memory to read the runs: close other data."))
        self._take = take
        self._timer.start(_LOOK_MILLISECONDS)
        self._enable()

    def _tick(self) -> None:
        if self._work is None:
            self._timer.stop()
            if self._ui.runsTable.visible:
                self.read()
            return
        if not self._work.done():
            return
        work, self._work = self._work, None
        self._timer.stop()
        if work.error:
            self._ui.runsLabel.text = work.error
        else:
            self._take(work.result)
        if self._wanted:
            self._wanted = False
            self.read()
        if self._work is None and any(entry.alive for entry in self._entries):
            self._timer.start(_AGAIN_MILLISECONDS)
        self._enable()

    def _fill(self, entries: list[RunEntry]) -> None:
        """Show the list; who has chosen some rows keeps them."""
        chosen = {entry.run for entry in self._chosen()}
        self._entries, self._filling = entries, True
        table = self._ui.runsTable
        table.clearSelection()
        table.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            texts = (entry.name, state_word(entry), steps(entry), figure(entry.best))
            for column, text in enumerate(texts):
                item = table.item(row, column)
                if item is None:
                    item = qt.QTableWidgetItem()
                    table.setItem(row, column, item)
                item.setText(text)
                item.setToolTip(tool_tip(entry))
                item.setSelected(entry.run in chosen)
        self._filling = False
        self._show_choice()

    def _chosen(self) -> list[RunEntry]:
        rows = sorted({index.row() for index in self._ui.runsTable.selectionModel().selectedRows()})
        return [self._entries[row] for row in rows if row < len(self._entries)]

    def _show_choice(self) -> None:
        if self._filling:
            return
        chosen = self._chosen()
        if len(chosen) == 1:
            self._ui.runsLabel.text = sentence(chosen[0])
        elif not self._entries:
            self._ui.runsLabel.text = _("There is no run in the folder of the results yet.")
        else:
            self._ui.runsLabel.text = ""
        self._enable()

    def _enable(self) -> None:
        """Offer what can be done with the chosen runs."""
        ui, chosen, idle = self._ui, self._chosen(), self._work is None
        one = chosen[0] if len(chosen) == 1 else None
        ui.runsLabel.visible = bool(ui.runsLabel.text)
        ui.attachRunButton.enabled = one is not None and one.state != DAMAGED
        ui.resumeRunButton.enabled = one is not None and one.resumable and not self._refusal()
        ui.compareRunsButton.enabled = idle and len(chosen) == _PAIR
        ui.openRunButton.enabled = one is not None
        ui.useRunButton.enabled = one is not None and one.has_model
        ui.deleteRunsButton.enabled = idle and bool(chosen) and not any(entry.alive for entry in chosen)

    def _attach(self) -> None:
        if self._ui.attachRunButton.enabled and not self._logic.attach(self._chosen()[0].run):
            self.read()

    def _go_on(self) -> None:
        self._resume(self._chosen()[0].run)

    def _read_curves(self) -> None:
        chosen = self._chosen()
        self._do(lambda: [(entry.name, read_history(entry.run)) for entry in chosen], self._show_curves)

    def _show_curves(self, found: list[tuple[str, History | None]]) -> None:
        runs = [(name, history) for name, history in found if history is not None]
        missing = [name for name, history in found if history is None]
        if missing:
            self._ui.runsLabel.text = _("{name} has no curves yet: choose another run.").format(name=missing[0])
        else:
            self._compare(runs)

    def _open_folder(self) -> None:
        folder = self._chosen()[0].run
        if not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder))):
            sentence = _("The system cannot show a folder: open {folder} yourself.")
            self._ui.runsLabel.text = sentence.format(folder=folder)

    def _open_model(self) -> None:
        self._use_model(self._chosen()[0].run / "model")

    def _delete(self) -> None:
        if not self._ui.deleteRunsButton.enabled:
            return
        runs = {entry.run: entry for entry in self._chosen()}
        self._do(lambda: [(entry, own_training_set(run)) for run, entry in runs.items()], self._ask_and_delete)

    def _ask_and_delete(self, found: list[tuple[RunEntry, Path | None]]) -> None:
        goes = [
            (_("{name} with its training set") if training_set else _("{name}")).format(name=entry.name)
            + f" ({', '.join(filter(None, (state_word(entry), steps(entry))))})"
            for entry, training_set in found
        ]
        question = _("This is removed from the disk, for ever:\n\n{runs}\n\nDelete?").format(runs="\n".join(goes))
        if slicer.util.confirmOkCancelDisplay(question, _("Delete runs")):
            self._do(lambda: _remove([entry.run for entry, training_set in found]), self._removed)

    def _removed(self, found: tuple[list[Path], str]) -> None:
        gone, complaint = found
        for run in gone:
            self._logic.forget(run)
        self._entries = [entry for entry in self._entries if entry.run not in gone]
        self._fill(self._entries)
        self.read()
        if complaint:
            self._ui.runsLabel.text = complaint


def _remove(runs: Sequence[Path]) -> tuple[list[Path], str]:
    """Remove runs until one refuses; return those that are gone, and why one is not."""
    gone: list[Path] = []
    for run in runs:
        try:
            remove_run(run)
        except ValueError as error:
            return gone, str(error)
        except OSError as error:
            sentence = _("{name} cannot be removed ({reason}): remove its folder yourself.")
            return gone, sentence.format(name=run.parent.name, reason=error.strerror or error)
        gone.append(run)
    return gone, ""
