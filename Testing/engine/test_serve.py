"""The engine that answers requests while a panel is open."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from topogan.errors import InputError, WorkError
from topogan.serve import request_folder, serve
from topogan.serve.loop import _LastModel
from topogan.serve.processes import alive_on_windows, process_alive
from topogan.serve.request_folder import Request, RequestFolder
from topogan_contract.lock import RunLock
from topogan_contract.service import ServiceFolder

ENDLESS = {"count": 1000, "betti": "9,9", "attempts": 1000}


def wait_until(ready: Callable[[], Any]) -> Any:
    """Poll until ``ready`` returns something true; only pytest's timeout ends what waits in vain."""
    while not (value := ready()):
        time.sleep(0.02)
    return value


def read(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


class Panel:
    """What a panel does with the folder."""

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder, self.model = folder, model
        self.ended: list[str] = []
        (folder / "requests").mkdir(parents=True)

    def start(self, **options: Any) -> None:
        self.thread = threading.Thread(target=lambda: self.ended.append(serve(self.folder, **options)), daemon=True)
        self.thread.start()

    def put(self, identifier: str, content: dict[str, Any] | str | None = None, **values: Any) -> None:
        if content is None:
            content = {"schema": "topogan.request/1", "model": str(self.model), "settings": {"count": 2}, **values}
        text = content if isinstance(content, str) else json.dumps(content)
        partial = self.folder / "requests" / f".{identifier}.partial"
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, self.folder / "requests" / f"{identifier}.json")

    def file(self, name: str) -> Path:
        return self.folder / "results" / name

    def closed(self, identifier: str) -> str:
        """Wait for a request to be closed; return its last state."""
        request = self.folder / "requests" / f"{identifier}.json"
        wait_until(lambda: not request.exists())
        state = read(self.file(f"{identifier}.progress.json"))["state"]
        if state == "failed":
            print(read(self.file(f"{identifier}.error.json")))  # pytest shows it beside the failed assertion
        return state

    def running(self, identifier: str) -> None:
        wait_until(lambda: (read(self.file(f"{identifier}.progress.json")) or {}).get("state") == "running")

    def error(self, identifier: str) -> dict[str, Any]:
        self.closed(identifier)
        return read(self.file(f"{identifier}.error.json"))

    def status(self) -> dict[str, Any] | None:
        return read(self.folder / "serve.json")

    def stop(self) -> str:
        (self.folder / "stop").touch()
        self.thread.join()
        return self.ended[0]


@pytest.fixture
def panel(tmp_path: Path, ring_model: Path) -> Iterator[Panel]:
    panel = Panel(tmp_path / "serve", ring_model)
    yield panel
    if not panel.ended and hasattr(panel, "thread"):
        panel.stop()


class TestAnswers:
    def test_a_request_becomes_a_synthesis_folder(self, panel: Panel) -> None:
        panel.start()
        panel.put("one", settings={"count": 3, "seed": 4, "betti": "1,1"})
        assert panel.closed("one") == "finished"
        report = read(panel.file("one") / "report.json")
        assert (report["count"], report["requested_betti"]) == (3, [[1, 1]])
        assert not panel.file("one.error.json").exists()
        assert panel.stop() == "stop"
        assert not (panel.folder / "stop").exists()

    def test_where_and_compared_with_what(self, panel: Panel, tmp_path: Path, ring_training_set: Path) -> None:
        panel.start()
        panel.put("one", out=str(tmp_path / "here"), training_set=str(ring_training_set))
        assert panel.closed("one") == "finished"
        assert "dice_to_training" in read(tmp_path / "here" / "report.json")
        assert (tmp_path / "here" / "gallery.png").exists()
        assert not panel.file("one").exists()

    def test_copies_are_left_out(self, panel: Panel, ring_training_set: Path) -> None:
        panel.start()
        panel.put("one", reject_copies=str(ring_training_set))
        assert panel.closed("one") == "finished"
        assert read(panel.file("one") / "report.json")["copies_bar"] == {"part": "validation", "held_out": 3}

    def test_requests_are_answered_in_their_order(self, panel: Panel) -> None:
        for number, identifier in enumerate("cab"):
            panel.put(identifier)
            os.utime(panel.folder / "requests" / f"{identifier}.json", ns=(number, number))
        panel.start()
        for identifier in "cab":
            assert panel.closed(identifier) == "finished"
        times = [(panel.file(identifier) / "report.json").stat().st_mtime_ns for identifier in "cab"]
        assert times == sorted(times)

    def test_status_beats(self, panel: Panel) -> None:
        panel.start()
        first = wait_until(lambda: (status := panel.status()) and status["ready"] and status)
        assert (first["pid"], first["state"]) == (os.getpid(), "idle")
        wait_until(lambda: panel.status()["heartbeat"] > first["heartbeat"])
        panel.stop()
        last = panel.status()
        assert (last["ready"], last["state"], last["reason"]) == (False, "ended", "stop")

    def test_one_model_is_kept_until_it_changes(self, panel: Panel, tmp_path: Path, monkeypatch) -> None:
        import topogan.model

        loaded: list[Path] = []
        load = topogan.model.load_model

        def counting(path: Path, discriminators: bool = True):
            loaded.append(path)
            return load(path, discriminators)

        monkeypatch.setattr(topogan.model, "load_model", counting)
        panel.model = shutil.copytree(panel.model, tmp_path / "model")
        panel.start()
        for identifier in ("one", "two"):
            panel.put(identifier)
            assert panel.closed(identifier) == "finished"
        assert len(loaded) == 1
        os.utime(panel.model / "configs" / "metadata.json", ns=(1, 1))
        panel.put("three")
        assert panel.closed("three") == "finished"
        assert len(loaded) == 2


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ({"schema": "topogan.request/1"}, "model"),
            ({"schema": "topogan.request/2", "model": "/m"}, "topogan.request/2"),
            ({"model": "/m"}, "schema None"),
            ({"schema": "topogan.request/1", "model": "/missing/model"}, "does not exist"),
            ({"schema": "topogan.request/1", "model": "model"}, "not an absolute path"),
            ({"schema": "topogan.request/1", "model": "x" * 4000}, "not an absolute path"),
            ({"schema": "topogan.request/1", "model": "/m", "reject_copies": "set"}, "not an absolute path"),
            ({"schema": "topogan.request/1", "model": 7}, "model"),
            ({"schema": "topogan.request/1", "model": "/m", "surprise": 1}, "surprise"),
            ({"schema": "topogan.request/1", "model": "/m", "settings": {"count": 0}}, "settings.count"),
            ({"schema": "topogan.request/1", "model": "/m", "settings": {"betti": "many"}}, "settings.betti"),
            ({"schema": "topogan.request/1", "model": "/m", "settings": {"count": "x" * 70_000}}, "larger"),
            ("{'half", "JSON"),
            ("[]", "schema None"),
        ],
    )
    def test_malformed_requests_get_one_sentence(self, panel: Panel, content: Any, said: str) -> None:
        panel.put("odd", content)
        past = time.time() - 10
        os.utime(panel.folder / "requests" / "odd.json", (past, past))
        panel.start()
        error = panel.error("odd")
        assert (error["schema"], error["kind"]) == ("topogan.error/1", "input")
        assert said in error["error"] and "\n" not in error["error"] and len(error["error"]) < 500
        panel.put("good")
        assert panel.closed("good") == "finished"

    def test_half_written_requests_are_waited_for(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        read_half, read = threading.Event(), RequestFolder.read

        def watched(requests: RequestFolder, identifier: str) -> Request | None:
            if (request := read(requests, identifier)) is None:
                read_half.set()
            return request

        monkeypatch.setattr(RequestFolder, "read", watched)
        monkeypatch.setattr(request_folder, "_SECONDS_TO_COMPLETE", 600.0)
        panel.start()
        path = panel.folder / "requests" / "slow.json"
        text = json.dumps({"schema": "topogan.request/1", "model": str(panel.model), "settings": {"count": 1}})
        with path.open("w") as file:
            file.write(text[:40])
            file.flush()
            read_half.wait()
            file.write(text[40:])
        assert panel.closed("slow") == "finished"

    def test_names_that_are_no_ids_are_left_alone(self, panel: Panel) -> None:
        for name in (".hidden.json", "two words.json", "ä.json", "x" * 65 + ".json", "notes.txt"):
            (panel.folder / "requests" / name).write_text("{}")
        (panel.folder / "requests" / "folder.json").mkdir()
        panel.start()
        panel.put("good")
        assert panel.closed("good") == "finished"
        assert len(list((panel.folder / "requests").iterdir())) == 6

    def test_work_that_fails_says_so(self, panel: Panel) -> None:
        panel.start()
        panel.put("rare", settings={"count": 2, "betti": "9,9", "attempts": 2})
        error = panel.error("rare")
        assert error["kind"] == "work" and error["error"].startswith("Only 0 of 4 tries")
        assert panel.closed("rare") == "failed"
        assert not panel.file("rare").exists()

    def test_a_full_disk_is_said(self, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
        """And what was half written is gone; the next request is answered."""
        import topogan.synthesis.run as synthesis

        def full(folder: Path, judged: Any) -> None:
            (folder / "masks.nrrd").write_bytes(b"half")
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(synthesis, "write_samples", full)
            panel.start()
            panel.put("one")
            error = panel.error("one")
        assert error["kind"] == "work" and error["error"].endswith("is full: free some space and run it again.")
        assert [path.name for path in (panel.folder / "results").iterdir() if path.is_dir()] == []
        panel.put("two")
        assert panel.closed("two") == "finished"
        assert not (panel.file("two") / "gallery.png").exists(), "a panel shows samples in its own views"

    def test_a_model_that_is_removed_is_missed(self, tmp_path: Path, ring_model: Path) -> None:
        kept = Path(shutil.copytree(ring_model, tmp_path / "model"))
        models = _LastModel()
        models.get(kept)
        shutil.rmtree(kept)
        with pytest.raises(InputError, match="model does not exist: name a model package"):
            models.get(kept)

    def test_a_fault_does_not_end_the_engine(self, panel: Panel, monkeypatch, capfd) -> None:
        import topogan.synthesis

        def faulty(*arguments: Any, **named: Any) -> None:
            raise TypeError(f"no idea about {Path.home()}/secret")

        with monkeypatch.context() as patch:
            patch.setattr(topogan.synthesis, "synthesize", faulty)
            panel.start()
            panel.put("one")
            assert "(TypeError: no idea about a path)" in panel.error("one")["error"]
        log = capfd.readouterr().err
        assert "test_serve.py" in log and str(Path.home()) not in log
        panel.put("two")
        assert panel.closed("two") == "finished"


class TestEnding:
    def test_one_request_is_cancelled(self, panel: Panel) -> None:
        panel.start()
        panel.put("long", settings=ENDLESS)
        panel.running("long")
        panel.put("next")
        (panel.folder / "requests" / "long.cancel").touch()
        assert panel.error("long")["kind"] == "cancelled"
        assert panel.closed("next") == "finished"
        assert sorted(path.name for path in (panel.folder / "requests").iterdir()) == []
        assert not [path for path in panel.file("").iterdir() if path.name.startswith(".")]

    def test_a_waiting_request_is_cancelled(self, panel: Panel) -> None:
        panel.put("one")
        (panel.folder / "requests" / "one.cancel").touch()
        panel.start()
        assert panel.closed("one") == "cancelled"
        assert not panel.file("one").exists()

    def test_stop_in_the_middle(self, panel: Panel) -> None:
        panel.start()
        panel.put("long", settings=ENDLESS)
        panel.running("long")
        assert panel.stop() == "stop"
        assert panel.error("long")["kind"] == "cancelled"

    def test_idle(self, panel: Panel) -> None:
        panel.start(idle_seconds=0.3)
        panel.thread.join()
        assert panel.ended == ["idle"]

    def test_parent_is_gone(self, panel: Panel) -> None:
        parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            panel.start(parent_pid=parent.pid)
            panel.put("long", settings=ENDLESS)
            panel.running("long")
        finally:
            parent.kill()
            parent.wait()
        panel.thread.join()
        assert panel.ended == ["parent"]
        assert panel.error("long")["kind"] == "cancelled"


class TestFolder:
    def test_two_engines_do_not_share_one(self, panel: Panel) -> None:
        (ServiceFolder(panel.folder).lock).touch()
        lock = RunLock(ServiceFolder(panel.folder).lock)
        assert lock.acquire()
        try:
            with pytest.raises(InputError, match="Another engine"):
                serve(panel.folder)
        finally:
            lock.release()

    def test_unusable_folder(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="cannot be used"):
            serve(tmp_path / "file")

    def test_the_folder_is_taken_away(self, panel: Panel) -> None:
        faults: list[Exception] = []

        def run() -> None:
            try:
                serve(panel.folder)
            except WorkError as error:
                faults.append(error)

        panel.thread = threading.Thread(target=run, daemon=True)
        panel.thread.start()
        wait_until(lambda: (status := panel.status()) and status["ready"])
        panel.folder.rename(panel.folder.with_name("elsewhere"))
        panel.thread.join()
        assert "can no longer be written" in str(faults[0])
        panel.ended.append("fault")

    def test_what_a_dead_engine_left_is_cleared_up(self, panel: Panel) -> None:
        panel.put("begun")
        panel.put("done")
        panel.put("waiting")
        (panel.folder / "requests" / "gone.cancel").touch()
        (panel.file(".begun.12345678.partial")).mkdir(parents=True)
        panel.file("begun.progress.json").write_text('{"schema": "topogan.progress/1", "state": "running"}')
        panel.file("done").mkdir()
        panel.start()
        assert "ask again" in panel.error("begun")["error"]
        assert panel.closed("done") == "finished"
        assert panel.closed("waiting") == "finished"
        assert not panel.file(".begun.12345678.partial").exists()
        assert not (panel.folder / "requests" / "gone.cancel").exists()

    def test_what_others_left_stays(self, panel: Panel) -> None:
        for name in (".git", ".done.old.partial", ".cache.partial"):
            (panel.file(name) / "kept").mkdir(parents=True)
        (panel.folder / "elsewhere").mkdir()
        panel.file(".begun.12345678.partial").symlink_to(panel.folder / "elsewhere")
        panel.file(".89abcdef.partial.json").touch()
        panel.start()
        wait_until(lambda: (status := panel.status()) and status["ready"])
        assert all((panel.file(name) / "kept").is_dir() for name in (".git", ".done.old.partial", ".cache.partial"))
        assert panel.file(".begun.12345678.partial").is_symlink() and (panel.folder / "elsewhere").is_dir()
        assert not panel.file(".89abcdef.partial.json").exists()

    def test_folders_in_the_place_of_files_do_not_silence_it(self, panel: Panel) -> None:
        for name in ("one.progress.json", "two.progress.json", "two.error.json"):
            panel.file(name).mkdir(parents=True)
        (panel.folder / "requests" / "one.cancel").mkdir()
        (panel.folder / "requests" / "folder.json").mkdir()
        panel.start()
        panel.put("one")
        panel.put("two", "[]")
        panel.put("three")
        assert panel.closed("three") == "finished"
        wait_until(lambda: not (panel.folder / "requests" / "two.json").exists())
        assert panel.file("one.error.json").exists(), "a folder is a request to cancel, too"
        assert panel.stop() == "stop"

    def test_a_bad_request_from_the_future_is_answered(self, panel: Panel) -> None:
        panel.put("future", "half a requ")
        later = time.time() + 10 * 365 * 86400
        os.utime(panel.folder / "requests" / "future.json", (later, later))
        panel.start()
        assert "cannot be read as JSON" in panel.error("future")["error"]
        panel.put("next")
        assert panel.closed("next") == "finished"


class TestProcesses:
    def test_alive(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert process_alive(child.pid) and process_alive(os.getpid())
        finally:
            child.communicate(b"\n")
        assert not process_alive(child.pid)

    @pytest.mark.parametrize(
        ("handle", "waited", "error", "alive"),
        [(5, 0x102, 0, True), (5, 0, 0, False), (0, None, 5, True), (0, None, 87, False)],
    )
    def test_alive_on_windows(self, handle: int, waited: int | None, error: int, alive: bool) -> None:
        closed: list[int] = []

        class Kernel32:
            def OpenProcess(self, access: int, inherit: bool, pid: int) -> int:
                assert (access, inherit, pid) == (0x00100000, False, 42)
                return handle

            def WaitForSingleObject(self, handle: int, milliseconds: int) -> int | None:
                assert milliseconds == 0, "it must not wait"
                return waited

            def CloseHandle(self, handle: int) -> None:
                closed.append(handle)

            def GetLastError(self) -> int:
                return error

        assert alive_on_windows(42, Kernel32()) is alive
        assert closed == ([handle] if handle else [])


def test_command_line(panel: Panel) -> None:
    command = [sys.executable, "-m", "topogan", "serve", str(panel.folder), "--parent", str(os.getpid())]
    engine = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        panel.put("one")
        assert panel.closed("one") == "finished"
        assert panel.status()["pid"] == engine.pid
        (panel.folder / "stop").touch()
        _, said = engine.communicate()
        assert (engine.returncode, said) == (0, "")
    finally:
        engine.kill()
