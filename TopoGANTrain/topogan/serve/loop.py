"""The loop of ``topogan serve``."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from topogan.errors import Cancelled, InputError, WorkError
from topogan.files import check_outside
from topogan.runs.failures import failure_trace, fault_words, without_paths
from topogan.serve.processes import process_alive
from topogan.serve.request_folder import Request, RequestFolder
from topogan_contract.lock import RunLock
from topogan_contract.service import FINISHED

if TYPE_CHECKING:
    from topogan.model import Model

IDLE_SECONDS = 600.0
# A look at an empty folder takes 0.01 ms.
_POLL_SECONDS = 0.02
_SECONDS_BETWEEN_BEATS = 1.0


def serve(folder: Path | str, parent_pid: int = 0, idle_seconds: float = IDLE_SECONDS) -> str:
    """Answer the requests of a folder until there is no reason to go on.

    Ends when the file ``stop`` appears, when the process ``parent_pid`` is gone (0: there is none to watch), or when
    nothing was asked for ``idle_seconds``; a request that is being worked on is cancelled in the first two cases.

    Returns:
        Why it ended: "stop", "parent" or "idle".

    Raises:
        InputError: the folder cannot be used, or another engine serves it already.
        WorkError: the folder was removed or can no longer be written.
    """
    requests = RequestFolder(Path(folder).absolute())
    requests.prepare()
    lock = RunLock(requests.folder.lock)
    try:
        free = lock.acquire()
    except OSError as error:
        raise InputError(f"{requests.folder.lock} cannot be opened ({error.strerror}): name a new folder.") from error
    if not free:
        raise InputError(f"Another engine answers the requests of {folder}: name another folder.")
    try:
        return _Server(requests, parent_pid, idle_seconds).run()
    except OSError as error:
        raise WorkError(f"The folder {folder} can no longer be written ({error.strerror}): start again.") from error
    finally:
        lock.release()


class _Server:
    def __init__(self, requests: RequestFolder, parent_pid: int, idle_seconds: float) -> None:
        self._requests, self._parent_pid, self._idle_seconds = requests, parent_pid, idle_seconds
        self._models = _LastModel()
        self._last_work = time.monotonic()
        self._last_beat = -_SECONDS_BETWEEN_BEATS

    def run(self) -> str:
        self._requests.write_status("starting")
        self._requests.clear_up()
        # The heavy imports take seconds; whoever waits sees "starting" in the meantime.
        import topogan.synthesis  # noqa: F401

        self._last_work = time.monotonic()
        while (reason := self._reason_to_end()) is None:
            worked = [self._answer(identifier) for identifier in self._requests.waiting()]
            if any(worked):
                self._last_work = time.monotonic()
            self._show("idle")
            time.sleep(_POLL_SECONDS)
        self._requests.forget_stop()
        self._requests.write_status("ended", reason=reason)
        return reason

    def _reason_to_end(self) -> str | None:
        if self._requests.stop_asked():
            return "stop"
        if self._parent_pid and not process_alive(self._parent_pid):
            return "parent"
        return "idle" if time.monotonic() - self._last_work > self._idle_seconds else None

    def _show(self, state: str, request: str | None = None) -> None:
        """Write the status, at most once a second."""
        now = time.monotonic()
        if now - self._last_beat >= _SECONDS_BETWEEN_BEATS:
            self._last_beat = now
            self._requests.write_status(state, request)

    def _answer(self, identifier: str) -> bool:
        """Work on a request; False when it has to wait."""
        if self._is_unwanted(identifier):
            self._requests.fail(identifier, "cancelled", "The request was cancelled.")
            return True
        try:
            request = self._requests.read(identifier)
            if request is None:
                return False
            self._work(identifier, request)
            self._requests.finish(identifier, FINISHED)
        except Cancelled:
            self._requests.fail(identifier, "cancelled", "The request was cancelled.")
        except InputError as error:
            self._requests.fail(identifier, "input", str(error))
        except WorkError as error:
            self._requests.fail(identifier, "work", str(error))
        except MemoryError:
            self._requests.fail(identifier, "work", "There is not enough memory: ask for fewer samples.")
        except Exception as error:  # a fault in one request must not take the service from all others
            print(without_paths(failure_trace(error), {}), file=sys.stderr, flush=True)
            sentence = f"The synthesis failed unexpectedly ({fault_words(error)}): the engine's log says where."
            self._requests.fail(identifier, "work", sentence)
        return True

    def _work(self, identifier: str, request: Request) -> None:
        from topogan.synthesis import synthesize

        self._requests.write_status("working", identifier)
        self._requests.report(identifier, 0, request.settings.count)
        out = Path(request.out) if request.out else self._requests.folder.result(identifier)
        model = self._models.get(Path(request.model))
        check_outside(out, Path(request.model), "model package")
        synthesize(
            model,
            out,
            request.settings,
            training_set=request.training_set,
            reject_copies=request.reject_copies,
            on_event=lambda event: self._requests.report(identifier, event["step"], event["total"]),
            cancelled=lambda: self._is_unwanted(identifier),
            # Who takes the answer from here shows the samples himself.
            picture=bool(request.out),
        )

    def _is_unwanted(self, identifier: str) -> bool:
        self._show("working", identifier)
        return self._requests.is_cancelled(identifier) or self._reason_to_end() in ("stop", "parent")


class _LastModel:
    """Keeps the model that was used last, as long as its package does not change."""

    def __init__(self) -> None:
        self._kept: tuple[object, Model] | None = None

    def get(self, path: Path) -> Model:
        from topogan.model import load_model

        key = _state_of(path)
        if self._kept is None or self._kept[0] != key:
            self._kept = None  # the old model's memory is free before the new one takes its own
            self._kept = (key, load_model(path, discriminators=False))
        return self._kept[1]


def _state_of(path: Path) -> tuple[str, int, int]:
    file = path / "configs" / "metadata.json" if path.is_dir() else path
    try:
        state = file.stat()
    except OSError:
        return (str(path), 0, 0)
    return (str(path), state.st_mtime_ns, state.st_size)
