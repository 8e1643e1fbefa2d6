"""Reads a synthesis folder on a thread, because hundreds of samples take longer than a click may."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from TopoGANLib.errors import SynthesisFolderError

if TYPE_CHECKING:
    from TopoGANLib.synthesis_folder import Synthesis

# While Qt waits for events Slicer's main thread may keep Python's lock, and a thread then moves only when it is let.
_BREATH_SECONDS = 0.02


class Reading:
    """Usage::

    reading = Reading(folder)
    if reading.done():
        synthesis = reading.result
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.result: Synthesis | None = None
        self.error = ""
        self._thread = threading.Thread(target=self._read, name="TopoGAN synthesis", daemon=True)
        self._thread.start()

    def done(self) -> bool:
        """Whether there is a result, or an error in its place; gives the thread a moment to work in."""
        self._thread.join(_BREATH_SECONDS)
        return not self._thread.is_alive()

    def _read(self) -> None:
        # Here, not above: importing the module must not load SimpleITK, or every start of Slicer would be slower.
        from TopoGANLib.synthesis_folder import read_synthesis_folder

        try:
            self.result = read_synthesis_folder(self._folder)
        except SynthesisFolderError as error:
            self.error = str(error)
        except MemoryError:
            self.error = "There is not enough memory to read the samples: ask for fewer."
