"""Asking for samples: the panel's half of the meeting, and its agreement with the engine's half."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_engine import lives, make_engine, wait_until

from TopoGANLib.engine.serve_client import Answer, ServeClient


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "serve folder"


@pytest.fixture
def client(tmp_path: Path, folder: Path) -> Iterator[ServeClient]:
    made = ServeClient(make_engine(tmp_path), folder)
    yield made
    made.close()


def write(folder: Path, name: str, schema: str, **content: object) -> None:
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results" / name).write_text(json.dumps({"schema": schema, **content}))


def test_a_request_and_its_answers(client: ServeClient, folder: Path) -> None:
    request = client.ask(Path("model"), {"count": 4, "betti": "1,1"})
    content = json.loads((folder / "requests" / f"{request}.json").read_text())
    assert content == {
        "schema": "topogan.request/1",
        "model": str(Path("model").absolute()),
        "settings": {"count": 4, "betti": "1,1"},
    }
    assert client.poll(request) == Answer("waiting")
    write(folder, f"{request}.progress.json", "topogan.progress/1", state="running", step=1, total=4)
    assert client.poll(request) == Answer("running", 1, 4)
    (folder / "results" / request).mkdir()
    answer = client.poll(request)
    assert answer == Answer("finished", folder=folder / "results" / request)
    assert answer.ended
    client.forget(request)
    assert not (folder / "results" / request).exists()


def test_one_engine_answers_all_requests(client: ServeClient) -> None:
    client.ask(Path("model"), {})
    first = client.process
    client.ask(Path("model"), {})
    assert client.process is first


@pytest.mark.parametrize(("kind", "state"), [("input", "failed"), ("work", "failed"), ("cancelled", "cancelled")])
def test_a_failed_request_says_why(client: ServeClient, folder: Path, kind: str, state: str) -> None:
    request = client.ask(Path("model"), {})
    write(folder, f"{request}.error.json", "topogan.error/1", kind=kind, error="There is no model.")
    assert client.poll(request) == Answer(state, error="There is no model.")


def test_cancelling_leaves_a_note(client: ServeClient, folder: Path) -> None:
    request = client.ask(Path("model"), {})
    client.cancel(request)
    assert (folder / "requests" / f"{request}.cancel").exists()


def test_an_engine_that_crashed_says_so(client: ServeClient) -> None:
    request = client.ask(Path("crash"), {})
    wait_until(lambda: client.poll(request).ended)
    answer = client.poll(request)
    assert answer.state == "failed"
    assert answer.error == "The engine ended without a word (exit code -6): its output says where it was."
    assert "out of memory" in client.log.read_text()
    second = client.ask(Path("model"), {})
    assert client.poll(second) == Answer("waiting"), "another engine takes over"


def test_an_engine_that_ended_for_want_of_work_is_started_again(client: ServeClient, folder: Path) -> None:
    request = client.ask(Path("idle"), {})
    first = client.process
    wait_until(lambda: first.exit_code() == 0)
    (folder / "requests" / f"{request}.json").write_text('{"model": "model"}')
    assert client.poll(request) == Answer("waiting")
    assert client.process is not first
    assert client.process.exit_code() is None


def test_cancelled_while_the_engine_was_dying(client: ServeClient) -> None:
    request = client.ask(Path("crash"), {})
    client.cancel(request)
    wait_until(lambda: client.poll(request).ended)
    assert client.poll(request).state == "cancelled"


def test_closing_leaves_nothing(client: ServeClient, folder: Path) -> None:
    request = client.ask(Path("model"), {})
    pid = client.process.pid
    client.close()
    wait_until(lambda: not lives(pid))
    assert not folder.exists()
    assert client.poll(request).state == "failed"
    client.cancel(request)
    client.close()


def test_the_engine_understands_the_request(client: ServeClient, folder: Path) -> None:
    """The engine's own reader takes what the client writes, and the client what the engine writes."""
    from topogan.serve.request_folder import RequestFolder

    requests = RequestFolder(folder)
    requests.prepare()
    request = client.ask(folder / "model", {"count": 3, "seed": 7, "betti": "modal", "clean": 2, "device": "cpu"})
    assert requests.waiting() == [request]
    read = requests.read(request)
    assert Path(read.model) == folder / "model"
    assert (read.settings.count, read.settings.seed, read.settings.betti) == (3, 7, "modal")
    requests.report(request, 1, 3)
    assert client.poll(request) == Answer("running", 1, 3)
    client.cancel(request)
    assert requests.is_cancelled(request)
    requests.fail(request, "input", "There is no model: name another.")
    assert client.poll(request) == Answer("failed", error="There is no model: name another.")
