"""Work that takes longer than a click may, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from TopoGANLib.words import tr as _
from TopoGANLib.words import translated

Result = TypeVar("Result")

# While Qt waits for events Slicer's main thread may keep Python's lock, and a thread then moves only when it is let.
_JOIN_SECONDS = 0.02


class Background(Generic[Result]):
    """One call on a thread.

    Usage::

        reading = Background(lambda: read_synthesis_folder(folder), no_memory="There is not enough memory: …")
        if reading.done():  # now and then
            synthesis = reading.result or complain(reading.error)
    """

    def __init__(self, work: Callable[[], Result], no_memory: str) -> None:
        """Begin.

        Args:
            work: its OSError and ValueError are said in :attr:`error`.
            no_memory: what is said if the memory does not suffice.
        """
        self._work, self._no_memory = work, no_memory
        self.result: Result | None = None
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="TopoGAN", daemon=True)
        self._thread.start()

    @property
    def error(self) -> str:
        """What went wrong, a sentence in the user's language; empty if nothing did. Not for a thread."""
        return str(translated(self._error))

    def done(self, seconds: float = _JOIN_SECONDS) -> bool:
        """Whether there is a result or an error; gives the thread some seconds to work in."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except (OSError, ValueError) as error:
            self._error = str(error)
        except MemoryError:
            self._error = self._no_memory
        except Exception as error:  # else the thread would end without a word, and whoever waits would never know
            logging.exception("TopoGAN: work in the background has failed")
            self._error = _("TopoGAN failed unexpectedly ({kind}): please report what the log says of it.").format(
                kind=type(error).__name__
            )
