"""The operating system's lock on a run folder: held means that an engine lives, whatever clocks and pids say.

The system gives the lock back when the process ends, however it ends. Not by filelock: Slicer does not bundle it, and
without flock it falls back to a file that outlives its process, which would break "held means alive".
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import IO, Any

# Someone who asks whether the lock is held takes it for an instant; whoever wants to keep it waits that long.
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.02


class RunLock:
    """An exclusive lock on a file.

    Example:
        >>> lock = RunLock(folder / "run.lock")
        >>> if lock.acquire():
        ...     lock.release()
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[Any] | None = None

    def acquire(self) -> bool:
        """Take the lock; False if another process (or another lock of this one) keeps it."""
        file = self._path.open("ab")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(file.fileno(), exclusive=True):
            if time.monotonic() > deadline:
                file.close()
                return False
            time.sleep(_PAUSE_SECONDS)
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back; does nothing where it is not held."""
        if self._file is not None:
            _unlock(self._file.fileno())
            self._file.close()
            self._file = None


def is_locked(path: Path) -> bool:
    """Tell, without waiting, whether anyone holds the lock of ``path``."""
    try:
        file = path.open("rb")
    except OSError:  # not there, or not to be opened: nobody is known to hold it
        return False
    with file:
        free = _try_lock(file.fileno(), exclusive=False)
        if free:
            _unlock(file.fileno())
    return not free


def _try_lock(descriptor: int, exclusive: bool) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            # Windows locks the byte at the file's position, which may lie behind its end; shared locks do not exist.
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_UN)
