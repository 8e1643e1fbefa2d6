"""The list of all runs in the folder of the results, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract.run import ENDED
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANLib.words import translated
from TopoGANTrainLib.run.training_sets import own_training_set
from TopoGANTrainLib.runs.run_list import DAMAGED, UNUSED, RunEntry, RunList
from TopoGANTrainLib.runs.run_removal import remove_each
from TopoGANTrainLib.runs.run_words import figure, sentence, state_word, steps, steps_done, tool_tip
from TopoGANTrainLib.train_logic import TrainLogic

_LOOK_MILLISECONDS = 50
# How a run is doing is read again now and then while the list is open.
_AGAIN_MILLISECONDS = 5000
_PAIR = 2


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
        resume: Callable[[Path, str], None],
        use_model: Callable[[Path], None],
        compare: Callable[[Sequence[Path]], None],
    ) -> None:
        """Show nothing yet; the list is read when it is opened.

        Args:
            ui: the form's widgets by name.
            logic: follows a run.
            results: the folder to look into; None where none is chosen.
            refusal: why nothing can be resumed now; empty if it can.
            resume: goes on with a run that has a state.
            use_model: opens a model in the other module.
            compare: shows the curves of two runs.
        """
        self._ui, self._logic, self._results, self._refusal = ui, logic, results, refusal
        self._resume, self._use_model, self._compare = resume, use_model, compare
        self._list = RunList()
        self._entries: list[RunEntry] = []
        self._work: Background[Any] | None = None
        self._take: Callable[[Any], None] = lambda found: None
        self._next: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []
        self._deleting = self._filling = False
        self._said = ""
        self._followed: tuple[Path | None, bool, str] = None, False, ""
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
            (ui.runsTable, "itemSelectionChanged()", self._choose),
            (ui.runsTable, "itemActivated(QTableWidgetItem*)", self._attach),
            (self._delete_key, "activated()", self._delete),
            (ui.refreshRunsButton, "clicked()", self.read),
            (ui.attachRunButton, "clicked()", self._attach),
            (ui.resumeRunButton, "clicked()", self._go_on),
            (ui.compareRunsButton, "clicked()", self._show_both),
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
        elif all(take != self._fill for work, take in self._next):
            self._do(lambda: self._list.read(results), self._fill)

    def refresh(self) -> None:
        """What can be done may be something else now; a run that has begun or ended is read anew."""
        session, progress = self._logic.session, self._logic.progress
        ended = progress.state if progress is not None and progress.state in ENDED else ""
        has_begun = progress is not None and progress.total > 0
        followed = None if session is None else session.run, has_begun, ended
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
        """Do something on a thread, after what is being done."""
        self._next.append((work, take))
        if self._work is None:
            self._begin()

    def _begin(self) -> None:
        work, self._take = self._next.pop(0)
        self._work = Background(work, no_memory=_("There is not enough memory to read the runs: close other data."))
        self._timer.start(_LOOK_MILLISECONDS)

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
            self._deleting = False
            self._say(work.error)
        else:
            self._take(work.result)
        if self._work is None and self._next:
            self._begin()
        elif self._work is None and any(entry.alive for entry in self._entries):
            self._timer.start(_AGAIN_MILLISECONDS)

    def _fill(self, entries: list[RunEntry]) -> None:
        """Show the list; who has chosen some rows keeps them."""
        chosen = {entry.run for entry in self._chosen()}
        self._entries, self._filling = entries, True
        table = self._ui.runsTable
        table.clearSelection()
        table.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            texts = (entry.name, state_word(entry), steps_done(entry), figure(entry.best))
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

    def _choose(self) -> None:
        if not self._filling:
            self._said = ""
            self._show_choice()

    def _say(self, words: str) -> None:
        """Say why something was not done, until another run is chosen."""
        self._said = words
        self._show_choice()

    def _show_choice(self) -> None:
        chosen = self._chosen()
        words = sentence(chosen[0]) if len(chosen) == 1 else ""
        nothing = "" if self._entries else _("There is no run in the folder of the results yet.")
        self._ui.runsLabel.text = self._said or words or nothing
        self._enable()

    def _enable(self) -> None:
        """Offer what can be done with the chosen runs."""
        ui, chosen = self._ui, self._chosen()
        one = chosen[0] if len(chosen) == 1 else None
        ui.runsLabel.visible = bool(ui.runsLabel.text)
        ui.attachRunButton.enabled = one is not None and one.state not in (DAMAGED, UNUSED)
        ui.resumeRunButton.enabled = one is not None and one.resumable and not self._refusal()
        ui.compareRunsButton.enabled = len(chosen) == _PAIR and all(entry.has_curves for entry in chosen)
        ui.openRunButton.enabled = one is not None
        ui.useRunButton.enabled = one is not None and one.has_model
        needed = any(one.alive or (one.state == UNUSED and self._is_needed(one.run)) for one in chosen)
        ui.deleteRunsButton.enabled = bool(chosen) and not self._deleting and not needed

    def _attach(self) -> None:
        if self._ui.attachRunButton.enabled and not self._logic.attach(self._chosen()[0].run):
            self.read()

    def _go_on(self) -> None:
        entry = self._chosen()[0]
        self._resume(entry.run, entry.state)

    def _show_both(self) -> None:
        self._compare([entry.run for entry in self._chosen()])

    def _open_folder(self) -> None:
        folder = self._chosen()[0].run
        if not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder))):
            self._say(_("The system cannot show a folder: open {folder} yourself.").format(folder=folder))

    def _open_model(self) -> None:
        self._use_model(self._chosen()[0].run / "model")

    def _delete(self) -> None:
        if not self._ui.deleteRunsButton.enabled:
            return
        runs = self._chosen()
        self._deleting = True
        self._do(lambda: [(entry, _goes_with(entry)) for entry in runs], self._ask_and_delete)

    def _ask_and_delete(self, found: list[tuple[RunEntry, Path | None]]) -> None:
        # The set of a run stays where another training learns from it.
        found = [(entry, None if entry.state != UNUSED and self._is_needed(goes) else goes) for entry, goes in found]
        goes = [
            _what_goes(entry, training_set).format(name=entry.name)
            + f" ({', '.join(filter(None, (state_word(entry), steps(entry))))})"
            for entry, training_set in found
        ]
        question = _("This is removed from the disk, for ever:\n\n{runs}\n\nDelete?").format(runs="\n".join(goes))
        if not slicer.util.confirmOkCancelDisplay(question, _("Delete runs")):
            self._deleting = False
            self._enable()
            return
        needed = next((entry for entry, training_set in found if self._is_needed(training_set)), None)
        if needed is not None:  # since they were chosen
            self._deleting = False
            self._say(_("{name} is being trained on: stop that first.").format(name=needed.name))
        else:
            chosen = [(entry.run, training_set is not None) for entry, training_set in found]
            self._do(lambda: remove_each(chosen), self._removed)

    def _is_needed(self, training_set: Path | None) -> bool:
        """Whether a training works on a set, be it that its run is not there yet."""
        return training_set is not None and self._logic.learnsFrom(training_set)

    def _removed(self, found: tuple[list[Path], str, OSError | None]) -> None:
        gone, complaint, error = found
        if error is not None:
            sentence = _("{name} cannot be removed ({reason}): remove its folder yourself.")
            complaint = sentence.format(name=complaint, reason=error.strerror or error)
        self._deleting = False
        for run in gone:
            self._logic.forget(run)
        self._entries = [entry for entry in self._entries if entry.run not in gone]
        self._fill(self._entries)
        self.read()
        self._say(translated(complaint))


def _goes_with(entry: RunEntry) -> Path | None:
    return entry.run if entry.state == UNUSED else own_training_set(entry.run)


def _what_goes(entry: RunEntry, training_set: Path | None) -> str:
    if entry.state == UNUSED:
        return _("the training set of {name}, which no run in this folder uses")
    return _("{name} with its training set") if training_set else _("{name}")
