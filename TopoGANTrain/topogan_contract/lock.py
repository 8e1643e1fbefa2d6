"""The operating system's lock on a run folder: held means that an engine lives, whatever clocks and pids say.

The system gives the lock back when the process ends, however it ends. Not by filelock: Slicer does not bundle it, and
without flock it falls back to a file that outlives its process, which would break "held means alive".

The file holds the process id of whoever holds the lock, for one who must use force, and is emptied with the lock: the
id is of no use to anyone who is given the folder later, and is believed only while the lock is held.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

# Someone who asks whether the lock is held takes it for an instant; whoever wants to keep it waits that long.
_PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 0.02
_MOST_LETTERS = 20


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
        """Take the lock; False if another process (or another lock of this one) keeps it.

        Raises:
            OSError: the file cannot be made, or is none (a link, a pipe, a device).
        """
        # Not emptied by opening it: another process may hold it.
        file = _open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(file.fileno(), exclusive=True):
            if time.monotonic() > deadline:
                file.close()
                return False
            time.sleep(_PAUSE_SECONDS)
        if not _is_still(file, self._path):  # the folder has been replaced while we waited
            file.close()
            return False
        self._file = file
        _write_content(file, f"\n{os.getpid()}\n".encode())
        return True

    def release(self) -> None:
        """Give the lock back; does nothing where it is not held."""
        if self._file is not None:
            _write_content(self._file, b"")
            _unlock(self._file.fileno())
            self._file.close()
            self._file = None


def is_locked(path: Path) -> bool:
    """Tell, without waiting, whether anyone holds the lock of ``path``."""
    try:
        file = _open(path, os.O_RDONLY)
    except OSError:  # not there, or not to be opened: nobody is known to hold it
        return False
    with file:
        free = _try_lock(file.fileno(), exclusive=False)
        if free:
            _unlock(file.fileno())
    return not free


def _open(path: Path, flags: int) -> IO[Any]:
    """Open a plain file, and never wait: a pipe has no end, and a link leads to a file that is not ours."""
    # What a system lacks of these (Windows) it has no use for.
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    # Unbuffered: what a full disk did not take must not come up again when the file is closed.
    return os.fdopen(descriptor, "rb" if flags & os.O_RDWR == 0 else "r+b", buffering=0)


def _is_still(file: IO[Any], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def lock_holder(path: Path) -> int:
    """Process id of whoever holds the lock; 0 if nobody does, or it cannot be read. True on the holder's host alone."""
    try:
        with _open(path, os.O_RDONLY) as file:
            file.seek(1)  # Windows keeps the first byte, which is locked, from being read
            words = file.read(_MOST_LETTERS)
    except OSError:
        return 0
    number = int(words) if re.fullmatch(rb"[1-9][0-9]{0,9}\n", words) else 0
    return number if number and is_locked(path) else 0


def _write_content(file: IO[Any], content: bytes) -> None:
    # On a full disk the lock counts without it.
    with suppress(OSError):
        file.truncate(0)
        file.seek(0)
        file.write(content)
        file.flush()


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
