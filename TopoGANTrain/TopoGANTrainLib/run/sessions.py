"""The trainings that are followed: the one that is shown, and others that go on beside it until their end is told.

Driven by ticks that never wait, as each of them is (:mod:`TopoGANTrainLib.run.training_session`). Knows nothing of Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from topogan_contract.run import ENDED
from TopoGANLib.engine.run_monitor import SILENT, RunMonitor
from TopoGANTrainLib.run.awaited import AwaitedRuns
from TopoGANTrainLib.run.folders import is_removed
from TopoGANTrainLib.run.looked_after import LookedAfter
from TopoGANTrainLib.run.progress import Progress
from TopoGANTrainLib.run.training_session import TrainingSession

_PAUSE_MILLISECONDS = 100
# Somebody else may go on with a run that has ended, or remove it.
_PAUSE_OF_ENDED_MILLISECONDS = 1000
_PAUSE_OF_SILENT_MILLISECONDS = 5000


@dataclass(frozen=True)
class Look:
    """What a look at all of them has shown."""

    changed: bool
    """Whether there is something new to show."""
    ended: list[tuple[TrainingSession, Progress]]
    """Those that have ended since the look before."""
    pause: int | None
    """Milliseconds until the next look; None while there is nothing to look at."""


class Sessions:
    """Looks after all trainings that were started here or are looked at, and knows whose end is still to be told.

    Usage::

        sessions = Sessions(find)
        sessions.start(session)
        look = sessions.tick()
        for session, progress in look.ended:
            if sessions.take_end(session):
                tell_the_end(session.run, progress)
    """

    def __init__(self, find: Callable[[Path], TrainingSession]) -> None:
        """Nothing is followed.

        Args:
            find: makes the session of a run that is there already.
        """
        self.shown: TrainingSession | None = None
        """The one whose ``progress`` is shown."""
        self.progress: Progress | None = None
        """As of the last look; None before the first."""
        self._find = find
        # Those that were shown before, and have not ended: what is due for them is still done.
        self._before: dict[TrainingSession, Progress | None] = {}
        self._awaited = AwaitedRuns()
        self._mine = LookedAfter()
        # Runs of others that were seen to work: their end is told, too.
        self._seen: set[Path] = set()

    @property
    def is_at_work(self) -> bool:
        """Whether the run that is shown is being worked on; of a silent computer nobody knows, and nothing waits."""
        return _is_at_work(self.progress)

    @property
    def others(self) -> list[Path]:
        """The runs that were started here and are being worked on while another one is shown."""
        return [one.run for one, progress in self._before.items() if one.run in self._mine and _is_at_work(progress)]

    def start(self, session: TrainingSession) -> None:
        """Show a training that was started here; its end is told, be it in a session of the application to come."""
        self._awaited.add(session.run)
        for needed in _needed(session):
            self._mine.take(needed)
        self._show(session)

    def attach(self, run: Path) -> bool:
        """Show a run that is there, whoever has started it; False if there is none. One shown before goes on."""
        if RunMonitor(run).poll() is None:
            return False
        if run in self._awaited.runs:
            self._mine.take(run)
        known = next((session for session in self._before if session.run == run), None)
        self._show(known or self._find(run))
        return True

    def watch(self) -> None:
        """Look after the runs that were started here in a session before, and whose end was not told yet.

        Those of another application that still lives are left to it.
        """
        followed = {session.run for session in self._all()}
        for run in self._awaited.runs:
            if self._mine.is_of_another(run):
                continue
            if run in followed:
                self._mine.take(run)
            elif RunMonitor(run).poll() is not None and self._mine.take(run):
                self._before[self._find(run)] = None
            elif is_removed(run):
                self._awaited.take(run)

    def tick(self) -> Look:
        """Look how all of them are doing, and do what is due."""
        ended = self._tick_others()
        before = self.progress
        self.progress = None if self.shown is None else self.shown.tick()
        changed = False
        if self.shown is not None and self.progress is not None:
            changed = self.progress != before or self.progress.state not in ENDED
            if self.progress.state not in ENDED:
                self._seen.add(self.shown.run)
            elif before is None or before.state != self.progress.state:
                ended.append((self.shown, self.progress))
        return Look(changed or bool(ended), ended, self._pause())

    def take_end(self, session: TrainingSession) -> bool:
        """One has ended, and is nobody's any more; whether that is to be told here, which it is once."""
        run = session.run
        # Another application that lives, and has started it, tells it to whoever works there.
        started, seen = not self._mine.is_of_another(run) and self._awaited.take(run), run in self._seen
        for needed in _needed(session):
            self._mine.leave(needed)
        self._seen.discard(run)
        return started or seen

    def is_of_another(self, run: Path) -> bool:
        """Whether another application that lives looks after a run, or another panel of this one."""
        return self._mine.is_of_another(run)

    def is_of_another_application(self, run: Path) -> bool:
        """Whether another application that lives looks after a run."""
        return self._mine.is_of_another_application(run)

    def is_learned_from(self, training_set: Path) -> bool:
        """Whether one of them uses a training set, also before its run is there; or another application does."""
        at_work = [*self._before, *([self.shown] if self.is_at_work and self.shown is not None else [])]
        return any(one.training_set == training_set for one in at_work) or self._mine.is_of_another(training_set)

    def forget(self, run: Path) -> bool:
        """Do not follow a run any more that is not there any more; whether it was shown."""
        self._awaited.take(run)
        self._mine.leave(run)
        was_shown = self.shown is not None and self.shown.run == run and not self.is_at_work
        if was_shown:
            self.shown = self.progress = None
        return was_shown

    def close(self, keep_running: bool) -> None:
        """Let go of all; a training goes on by itself if it is to be kept, or is another application's."""
        for session in self._all():
            session.leave(keep_running or session.run not in self._mine)
        self._mine.close()
        self._before, self.shown = {}, None

    def _all(self) -> list[TrainingSession]:
        return [*self._before, *filter(None, [self.shown])]

    def _show(self, session: TrainingSession) -> None:
        if self.shown is not None and self.progress is not None and self.progress.state not in ENDED:
            self._before[self.shown] = self.progress
        self._before = {one: progress for one, progress in self._before.items() if one.run != session.run}
        self.shown, self.progress = session, None

    def _tick_others(self) -> list[tuple[TrainingSession, Progress]]:
        """Look after the runs that are not shown; those that have ended."""
        looked = {session: session.tick() for session in self._before}
        self._before = {one: progress for one, progress in looked.items() if progress.state not in ENDED}
        return [(one, progress) for one, progress in looked.items() if progress.state in ENDED]

    def _pause(self) -> int | None:
        if not self._all():
            return None
        states = {one.state for one in (*self._before.values(), self.progress) if one is not None}
        if states <= {SILENT}:
            return _PAUSE_OF_SILENT_MILLISECONDS
        return _PAUSE_OF_ENDED_MILLISECONDS if states <= {SILENT, *ENDED} else _PAUSE_MILLISECONDS


def _needed(session: TrainingSession) -> list[Path]:
    """What nobody else may touch while it works."""
    return [path for path in (session.run, session.training_set) if path is not None]


def _is_at_work(progress: Progress | None) -> bool:
    return progress is not None and progress.state not in (*ENDED, SILENT)
