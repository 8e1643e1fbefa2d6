"""Which runs this application looks after, and not another one of the same user: it alone may end them.

All applications of a user know the runs that were started (:mod:`TopoGANTrainLib.run.awaited`). Whoever has started one
holds a lock for it; when that application has ended, however it did, the next one takes over. So is the training set
held that a run learns from: before the run is there, nothing else says that it is needed.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path

from topogan_contract.lock import RunLock, is_locked, lock_holder
from TopoGANLib.forms import user_settings


class LookedAfter:
    """The runs of this application.

    Usage::

        mine = LookedAfter()
        mine.take(run)  # False while another application looks after it
        mine.leave(run)
    """

    def __init__(self) -> None:
        # None where the disk knows no locks.
        self._locks: dict[Path, RunLock | None] = {}

    def __contains__(self, run: Path) -> bool:
        """Whether this application looks after a run."""
        return run in self._locks

    def take(self, run: Path) -> bool:
        """Look after a run that is started here, or by an application that has ended; False where that one lives."""
        if run in self:
            return True
        if self.is_of_another(run):
            return False
        lock = RunLock(_file(run))
        try:
            if not lock.acquire():
                return False
        except OSError:  # a disk without locks: nobody is known to look after it
            self._locks[run] = None
        else:
            self._locks[run] = lock
        return True

    def is_of_another(self, run: Path) -> bool:
        """Whether another application that lives looks after it, or another panel of this one."""
        return run not in self and is_locked(_file(run))

    def is_of_another_application(self, run: Path) -> bool:
        """Whether another application that lives looks after it."""
        return lock_holder(_file(run)) not in (0, os.getpid())

    def leave(self, run: Path) -> None:
        """It has ended, or is left to others."""
        lock = self._locks.pop(run, None)
        if lock is not None:
            # Not when it is released: by then the file may be another's. Windows keeps files that are open.
            if sys.platform != "win32":
                with suppress(OSError):
                    _file(run).unlink(missing_ok=True)
            lock.release()

    def close(self) -> None:
        """Leave all of them to others."""
        for run in list(self._locks):
            self.leave(run)


def _file(run: Path) -> Path:
    # Not in the run's folder, which is the engine's.
    return user_settings.work_folder() / f"followed-{hashlib.sha256(str(run).encode()).hexdigest()[:16]}.lock"
