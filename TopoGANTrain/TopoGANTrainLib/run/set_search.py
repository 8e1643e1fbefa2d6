"""Looks for the training set of a run, on a thread: a results folder may have thousands, on a slow disk."""

from __future__ import annotations

import threading
from pathlib import Path

from topogan_contract.results import TRAINING_SET_FOLDER
from TopoGANLib.forms.background import Background
from TopoGANLib.words import tr as _
from TopoGANTrainLib.run.training_sets import training_set_elsewhere


class SetSearch:
    """One search among the results that a run lies in.

    Usage::

        search = SetSearch(run)
        if search.done():  # now and then
            training_set = search.found
    """

    def __init__(self, run: Path) -> None:
        """Begin."""
        self._run = run
        self._dropped = threading.Event()
        no_memory = _("There is not enough memory to look for the training set: close other data.")
        self._work = Background(lambda: training_set_elsewhere(run, self._dropped.is_set), no_memory)

    @property
    def found(self) -> Path | None:
        """The training set, once it is done; None where it is not there."""
        return self._work.result

    @property
    def advice(self) -> str:
        """What to do if the engine does not know either where it is; empty if it was found."""
        if self.found is not None:
            return ""
        sentence = _("No training set of this run lies in {results}: move it to {place}, and resume again.")
        return sentence.format(results=self._run.parent.parent, place=self._run.parent / TRAINING_SET_FOLDER)

    def done(self) -> bool:
        """Whether nothing more will be found."""
        return self._work.done()

    def drop(self) -> None:
        """Let it end: nobody waits for it any more."""
        self._dropped.set()
