"""Runs the corpus once, in a process of its own, and keeps what came of it.

``pytest Testing/engine/hostile --hostile-table`` prints every case with its exit code and message.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Pipes, links, forks, mounts and limits of memory are POSIX's.
collect_ignore_glob = ["test_*.py"] if os.name == "nt" else []

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parents[1] / "common"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from hostile_corpus.case import Outcome  # noqa: E402 - found by the line before

_OUTCOMES = pytest.StashKey[dict[str, Outcome]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--hostile-table", action="store_true", help="Print each case of the corpus with its message.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    outcomes = config.stash.get(_OUTCOMES, {})
    # Without this folder among pytest's arguments the option does not exist.
    if not config.getoption("hostile_table", default=False) or not outcomes:
        return
    terminalreporter.section("hostile input")
    for outcome in outcomes.values():
        terminalreporter.write_line(f"{outcome.name}\n    exit {outcome.code}: {outcome.said.strip()}")


@pytest.fixture(scope="session")
def own_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A settings folder for these tests alone: nothing of the user's is read or written."""
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
            patch.setenv(name, str(folder))
        yield folder


@pytest.fixture(scope="session")
def good(
    tmp_path_factory: pytest.TempPathFactory, own_settings: Path, ring_training_set: Path, ring_model: Path
) -> dict[str, Path]:
    """A training set, a model, a synthesis and a run that was stopped."""
    # Not topogan.synthesize: it refuses beside the application's stand-in, which tests of the panels leave behind.
    from topogan.config import MaskSettings, SynthesisSettings, TrainSettings
    from topogan.synthesis import synthesize
    from topogan.training import train

    folder = tmp_path_factory.mktemp("good")
    synthesis = synthesize(ring_model, folder / "synthesis", SynthesisSettings(count=8))
    masks = MaskSettings(width=4, latent=8, steps=6, batch=4)
    settings = TrainSettings(part="masks", masks=masks, threads=1, checkpoint_every=1, preview_every=2)
    run = train(ring_training_set, folder / "run", settings, on_event=_StopAt(folder / "run", 3))
    shutil.rmtree(own_settings / "topogan")  # what it remembers of the run, a stranger's run would not have
    return {"training_set": ring_training_set, "model": ring_model, "synthesis": synthesis, "run": run}


class _StopAt:
    """Asks a run to stop after a step."""

    def __init__(self, run: Path, step: int) -> None:
        self._run, self._step = run, step

    def __call__(self, event: dict) -> None:
        if event.get("step") == self._step:
            (self._run / "stop").touch()


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, good: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Outcome]:
    """What came of each case that this session asks for, by its name."""
    chosen = [item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")]
    names = [case.name for case in chosen if case is not None]
    found = {outcome.name: outcome for outcome in _run(names, good, tmp_path_factory.mktemp("corpus"))}
    request.config.stash[_OUTCOMES] = found
    return found


def _run(names: list[str], good: dict[str, Path], folder: Path) -> Iterator[Outcome]:
    """Run cases; one that takes the process with it is an outcome, and the rest goes on in another process."""
    while names:
        shutil.rmtree(folder)
        folder.mkdir()
        order, results = folder / "order.json", folder / "results.jsonl"
        content = {"folder": str(folder), "good": {kind: str(path) for kind, path in good.items()}, "names": names}
        order.write_text(json.dumps(content), encoding="utf-8")
        results.touch()
        command = [sys.executable, str(HERE / "run_corpus.py"), str(order), str(results)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        outcomes = [Outcome(**json.loads(line)) for line in results.read_text(encoding="utf-8").splitlines()]
        yield from outcomes
        ended = {outcome.name for outcome in outcomes}
        names = [name for name in names if name not in ended]
        if names:
            yield Outcome(names.pop(0), done.returncode, done.stderr[-3000:], "", [], 0.0, 0.0)
