"""``train --overwrite`` that is killed, or runs out of memory or disk: the older run or the new one, whole."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kill_commands import fingerprint
from test_disks import LARGE, TINY, WEIGHTS, mounted, used

from topogan import files
from topogan.cli import run
from topogan.runs.folder import RunFolder

RUNNER = Path(__file__).resolve().parent / "kill_trainings.py"
KEPT = re.compile(r"\.out\.[0-9a-f]{32}\.replaced")
PARTIAL = re.compile(r"\.out\.[0-9a-f]{8}\.partial")
SETTINGS = ["--part", "masks", "--masks-steps", "4", "--masks-batch", "4", "--masks-width", "4", "--threads", "1"]
SETTINGS += ["--checkpoint-every", "1", "--preview-every", "2"]


@pytest.fixture(scope="module")
def found(good: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all attempts."""
    folder = tmp_path_factory.mktemp("trainings")
    order, result = folder / "order.json", folder / "result.json"
    content = {"folder": str(folder), "dataset": str(good["training_set"]), "settings": SETTINGS}
    order.write_text(json.dumps(content), encoding="utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, str(RUNNER), str(order), str(result)], check=True, env=environment)
    return json.loads(result.read_text(encoding="utf-8"))


def check(attempt: dict[str, Any], found: dict[str, Any]) -> str:
    """The older run is there, or the new one; and going on with the new one ends as if nothing had happened."""
    older, new, after, last = found["older"]["run"], found["new"]["weights"], attempt["after"], attempt["at last"]
    kept = [name for name, content in after["beside"].items() if content == older]
    assert all(KEPT.fullmatch(name) or PARTIAL.fullmatch(name) for name in after["beside"]), after
    assert older in (after["run"], *after["beside"].values()) or after["weights"] == new, "neither is whole"
    assert after["run"], "there is no run under the name"
    if after["run"] == older:
        assert attempt["resumed"] == 2 and "is finished" in last["said"], last
        assert last["run"] == older
        return "older"
    assert all(KEPT.fullmatch(name) for name in kept), "a name under which it would be cleared up"
    if attempt["resumed"] == 0:
        assert kept and kept[0] in last["said"], "where the older run is kept was not said"
        assert not [name for name in last["beside"] if KEPT.fullmatch(name)], "it stays for ever"
    else:
        assert "is finished" in last["said"], last["said"]
    assert last["weights"] == new
    return "new" if attempt["resumed"] else "going on"


def test_killed_at_twenty_moments(found: dict[str, Any]) -> None:
    assert len(found["kills"]) >= 20
    assert all(attempt["code"] == -9 for attempt in found["kills"].values())
    ends = {check(attempt, found) for attempt in found["kills"].values()}
    assert ends == {"older", "new", "going on"}, "the moments must lie on both sides"


def test_little_memory(found: dict[str, Any]) -> None:
    ends = [check(attempt, found) for attempt in found["limits"].values()]
    assert "older" in ends, "some must have failed"
    failed = [attempt for attempt in found["limits"].values() if attempt["code"]]
    assert failed and all(attempt["code"] > 0 for attempt in failed), "ended by a signal"


def test_full_disk(good: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Full at each stage: before the new run has begun, at its first checkpoint, and later."""
    train = ["train", str(good["training_set"])]
    with mounted(tmp_path / "whole", kilobytes=LARGE) as whole:
        assert run([*train, str(whole / "out"), *TINY]) == 0
        needed = used(whole)
    ends = set()
    for share in (0.0, 0.02, 0.1, 0.2, 0.4, 0.7, 0.9):
        with mounted(tmp_path / "disk", kilobytes=LARGE) as disk:
            assert run([*train, str(disk / "out"), *TINY]) == 0
            older = fingerprint(disk / "out")
            size = used(disk) + max(4, int(share * needed))
            subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)
            capfd.readouterr()
            assert run([*train, str(disk / "out"), *TINY, "--overwrite"]) == 1
            said = capfd.readouterr().err
            assert said.count("\n") == 1 and "free some space" in said, said
            assert ".replaced" not in said, "a name that the user does not know"
            left = {path.name: fingerprint(path) for path in disk.iterdir()}
            assert older in left.values(), f"lost with {share} of the space"
            if left["out"] == older:
                assert list(left) == ["out"], left
                ends.add("older")
                continue
            subprocess.run(["mount", "-o", f"remount,size={LARGE}k", str(disk)], check=True)
            assert run(["resume", str(disk / "out"), "--dataset", str(good["training_set"])]) == 0
            assert [path.name for path in disk.iterdir()] == ["out"]
            ends.add("going on")
    assert ends == {"older", "going on"}


def test_the_older_run_of_a_chain(good: dict[str, Path], tmp_path: Path) -> None:
    """A run that replaces an unfinished one, which was to replace a finished one: that stays until one is finished."""
    train = ["train", str(good["training_set"]), str(tmp_path / "out"), *TINY]
    assert run(train) == 0
    older = fingerprint(tmp_path / "out")
    from topogan.config import MaskSettings, TrainSettings
    from topogan.training import train as run_train

    def stop(event: dict[str, Any]) -> None:
        if event.get("step") == 1:
            (tmp_path / "out" / "stop").touch()

    settings = TrainSettings(part="masks", masks=MaskSettings(width=4, latent=8, steps=4, batch=4), threads=1)
    for kept in (1, 2):
        run_train(good["training_set"], tmp_path / "out", settings, overwrite=True, on_event=stop)
        beside = [path for path in tmp_path.iterdir() if KEPT.fullmatch(path.name)]
        assert len(beside) == kept
        assert older in map(fingerprint, beside)
    assert run(["resume", str(tmp_path / "out"), "--dataset", str(good["training_set"])]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.fixture(scope="module")
def older(good: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    out = tmp_path_factory.mktemp("older") / "out"
    assert run(["train", str(good["training_set"]), str(out), *TINY]) == 0
    return out


@pytest.mark.parametrize("failing", range(6))
@pytest.mark.parametrize("system", ["Windows", "NFS"])
def test_where_folders_cannot_be_exchanged(
    system: str,
    failing: int,
    good: dict[str, Path],
    older: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Three moves take the place of the exchange; the model gets its name by a fourth, and the older run goes last."""
    out = Path(shutil.copytree(older, tmp_path / "out"))
    without_exchange(monkeypatch, system, failing)
    code = run(["train", str(good["training_set"]), str(out), *TINY, "--overwrite"])
    beside = [fingerprint(path) for path in tmp_path.iterdir() if path != out]
    if failing in (1, 2, 3):
        assert code == 2 and f"The folder {out} cannot be written" in capfd.readouterr().err
        assert fingerprint(out) == fingerprint(older)
        assert beside == []
        return
    assert code == (1 if failing == 4 else 0)
    assert beside == ([fingerprint(older)] if failing else [])
    if failing == 4:
        monkeypatch.undo()
        assert run(["resume", str(out), "--dataset", str(good["training_set"])]) == 0
        assert list(tmp_path.iterdir()) == [out]
    assert run_id(out) != run_id(older)
    assert (out / WEIGHTS).is_file()


@pytest.mark.parametrize("failing", [0, 1, 2])
@pytest.mark.parametrize("system", ["Windows", "NFS"])
def test_brought_back_where_folders_cannot_be_exchanged(
    system: str, failing: int, older: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(older, tmp_path / "out"))
    config = {**json.loads((older / "config.json").read_text()), "id": "1" * 32}
    new = RunFolder.create(out, overwrite=True, config=config)
    without_exchange(monkeypatch, system, failing)
    assert new.bring_back_older() == (failing == 0)
    kept = tmp_path / f".out.{'1' * 32}.replaced"
    assert fingerprint(kept if failing else out) == fingerprint(older)
    assert sorted(tmp_path.iterdir()) == ([kept, out] if failing else [out])


def run_id(path: Path) -> str:
    return json.loads((path / "config.json").read_text(encoding="utf-8"))["id"]


def without_exchange(monkeypatch: pytest.MonkeyPatch, system: str, failing: int) -> None:
    """Let this system be one that cannot exchange folders, where one move of a folder (0: none) fails for good."""
    moves: list[tuple[Path, Path]] = []
    real = os.replace

    def move(source: Path, destination: Path) -> None:
        if Path(source).is_dir() and (source, destination) not in moves:
            moves.append((source, destination))
        if failing and moves[failing - 1 : failing] == [(source, destination)]:
            # A file in it is open; another computer uses it.
            raise (
                PermissionError(errno.EACCES, "Access is denied")
                if system == "Windows"
                else OSError(errno.EBUSY, "Device or resource busy")
            )
        real(source, destination)

    def library(*_: Any, **__: Any) -> Any:
        if system == "Windows":
            raise TypeError("no library of this process")
        return SimpleNamespace(renameat2=lambda *_: -1, renamex_np=lambda *_: -1)

    monkeypatch.setattr(files, "ctypes", SimpleNamespace(CDLL=library))
    monkeypatch.setattr(files, "_REPLACE_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(os, "replace", move)
