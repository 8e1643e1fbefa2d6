"""One request for samples, from the question to the samples in memory; nothing of it waits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from topogan_contract.service import CANCELLED, FAILED, FINISHED
from TopoGANLib.engine.process import last_lines
from TopoGANLib.engine.serve_client import ServeClient
from TopoGANLib.forms.background import Background
from TopoGANSynthLib.job.engine_job import READING, JobProgress, complaint_of

if TYPE_CHECKING:
    from TopoGANLib.scene.synthesis_folder import Synthesis

_LOG_LINES = 20


class SampleJob:
    """Follows a request to the engine that serves, and reads its answer.

    Usage::

        job = SampleJob(client, client.ask(model, {"count": 64}))
        while not job.tick().ended:
            time.sleep(0.2)
    """

    def __init__(self, client: ServeClient, request: str) -> None:
        self.result: Synthesis | None = None
        self.request = request
        self._client = client
        self._reading: Background[Synthesis] | None = None
        self._no_memory = _("There is not enough memory to read the samples: ask for fewer.")

    def tick(self) -> JobProgress:
        """Look how it is doing."""
        if self._reading is not None:
            return self._look_at_reading(self._reading)
        answer = self._client.poll(self.request)
        if answer.state == FINISHED and answer.folder is not None:
            self._reading = self._read(answer.folder)
            # A few samples are read in the moment that it is given.
            return self._look_at_reading(self._reading)
        if answer.state == CANCELLED:
            return JobProgress(CANCELLED)
        if answer.state != FAILED:
            return JobProgress(answer.state, answer.step, answer.total)
        process, log = self._client.process, tuple(last_lines(self._client.log, _LOG_LINES))
        killed = process is not None and process.was_killed
        return JobProgress(FAILED, error=complaint_of(process) if killed else answer.error, log=log)

    def cancel(self) -> None:
        """Drop it, unless the samples are there already."""
        if self._reading is None:
            self._client.cancel(self.request)

    def hand_over(self, folder: Path) -> bool:
        """Move the files of the samples to a place of the caller's; False where they cannot be kept."""
        try:
            self._client.hand_over(self.request, folder)
        except OSError:
            self.forget()
            return False
        return True

    def forget(self) -> None:
        """Let the files of the samples be removed."""
        self._client.forget(self.request)

    def close(self) -> None:
        """The client is closed by whoever owns it."""

    def _read(self, folder: Path) -> Background[Synthesis]:
        def read() -> Synthesis:
            # Here, not above: importing the module must not load numpy, or every start of Slicer would be slower.
            from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

            return read_synthesis_folder(folder)

        return Background(read, self._no_memory)

    def _look_at_reading(self, reading: Background[Synthesis]) -> JobProgress:
        if not reading.done():
            return JobProgress(READING)
        self.result = reading.result
        if self.result is not None:
            return JobProgress(FINISHED)
        self.forget()
        return JobProgress(FAILED, error=reading.error or _("The samples could not be read."))
