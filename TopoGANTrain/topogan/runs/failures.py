"""How a run that ends badly says so: in one sentence, without any path of the user's machine."""

from __future__ import annotations

import errno
import re
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from topogan.errors import InputError, WorkError
from topogan_contract.words import shown

# An absolute path: in quotes, as Python's own errors write them (it may hold spaces), or without. Then up to three
# words are still of it where a separator or a file's suffix follows: a patient's name is worse than a lost word.
_LETTER, _WORD = r"""[^\s'",;:()]""", r"""[^\s'",;:()\\/]+"""
_MORE = rf"(?: {_WORD}){{1,3}}[\\/]{_LETTER}*|(?: {_WORD}){{0,2}} {_WORD}\.[A-Za-z]\w{{1,4}}(?!\w)"
_ANY_PATH = re.compile(
    r"""(['"])(?:~|[A-Za-z]:)?[\\/][^'"\n]*\1|"""
    rf"(?<![\w/\\])(?:~|[A-Za-z]:)?[\\/]{_LETTER}+(?:{_MORE})*"
)
# A short path ("/m") also stands within longer ones, and the letters of a relative one in words.
_START_OF_NAME, _END_OF_NAME = r"(?<![\w.~/\\-])", r"(?![\w.-])"
# What stands in quotes may be a patient's name, wherever it came from: to the closing one, or else to the end. An
# apostrophe ("can't") follows a letter; of those before a quote only bytes' own does not count.
_IN_QUOTES = re.compile(
    r"""(?:\b[bB]|(?<!\w))(?:(['"])(?:\\.|.)*?(?:\1(?!\w)|$)|`.*?(?:[`']|$)|[‘“«].*?(?:[’”»](?!\w)|$))""", re.DOTALL
)
_MOST_LETTERS = 200
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}


def failure_sentence(error: Exception, checkpoint_step: int) -> str:
    """Say what happened and what to do."""
    cause = error.__cause__ if isinstance(error, WorkError) else error
    if isinstance(cause, OSError) and cause.errno in _DISK_FULL:
        return f"The disk is full: free some space and resume the run; {checkpoint_words(checkpoint_step)}."
    if isinstance(cause, OSError) and cause.errno in _NOT_WRITABLE:
        return (
            f"The run folder cannot be written any more ({cause.strerror}): allow it again, or copy the folder "
            f"elsewhere, and resume the run; {checkpoint_words(checkpoint_step)}."
        )
    if isinstance(error, InputError | WorkError):
        return str(error)
    if isinstance(error, MemoryError) or "memory" in str(error).lower():
        return "There is not enough memory for this training: use a smaller batch or width, or another device."
    where = f"log.txt in the run folder says where; {checkpoint_words(checkpoint_step)}"
    return f"The training failed ({fault_words(error)}): {where}."


def fault_words(error: BaseException) -> str:
    """Say a fault of ours within a sentence: its kind and the first line of what it says, without paths and names.

    Of a file's trouble it is the system's words alone; what stands in quotes becomes "…"; a key that is missing, which
    may be a name, is not said at all.
    """
    said = "" if isinstance(error, KeyError) else str(error)
    if isinstance(error, OSError) and error.strerror:
        said = str(error.strerror)
    first = _IN_QUOTES.sub("…", without_paths(said, {})).strip().partition("\n")[0]
    words = shown(first.rstrip(".").replace(". ", "; "), _MOST_LETTERS)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def checkpoint_words(step: int) -> str:
    """What is left to go on from."""
    return f"its checkpoint of step {step} is whole" if step else "it has no checkpoint yet and begins anew"


def failure_trace(error: BaseException) -> str:
    """Return the traceback with bare file names: the full ones would tell where the user keeps things."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([*places, f"  {type(error).__name__}: {error}"])


def without_paths(text: str, private: dict[Path, str]) -> str:
    """Replace the paths in a text: known ones by their word ("the training set"), all others by "a path"."""
    words = {str(path): word for path, word in private.items()}
    for path in sorted(words, key=len, reverse=True):
        for written in (path, repr(path)[1:-1]):
            # Not as a template, in which a backslash would mean something.
            text = words[path].join(re.split(_START_OF_NAME + re.escape(written) + _END_OF_NAME, text))
    return _ANY_PATH.sub("a path", text)


@contextmanager
def signals_as_requests(stop: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C, or a cluster that ends the job, call ``stop`` once; a second signal acts as ever."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def answer(number: int, frame: FrameType | None) -> None:
        restore()
        stop()

    for number in before:
        signal.signal(number, answer)
    try:
        yield
    finally:
        restore()
