"""Killed at any moment, or started twice: afterwards there is the old result or the new one, and never half."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hostile_corpus.scene import labels, save, scan

RUNNER = Path(__file__).resolve().parent / "kill_commands.py"
# What a killed process may leave: a hidden folder or file that the next one knows for what it is.
LEFTOVER = re.compile(r"\.(out\.)?[0-9a-f]{8}\.(partial|replaced).*")
COMMANDS = ("prepare", "synthesize", "export")

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")


@pytest.fixture(scope="module")
def found(good: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all attempts, by command."""
    folder = tmp_path_factory.mktemp("kills")
    mask = save(folder / "mask.nii.gz", labels())
    ct = save(folder / "ct.nii.gz", scan(labels()))
    commands = {
        "prepare": ["prepare", "OUT", "--segmentation", str(mask), "--ct", str(ct)],
        "synthesize": ["synthesize", str(good["model"]), "OUT", "--count", "4"],
        "export": ["export", str(good["synthesis"]), "OUT"],
    }
    order, result = folder / "order.json", folder / "result.json"
    order.write_text(json.dumps({"folder": str(folder / "work"), "commands": commands}), encoding="utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
    subprocess.run([sys.executable, str(RUNNER), str(order), str(result)], check=True, env=environment)
    return json.loads(result.read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", COMMANDS)
def test_killed_at_many_moments(command: str, found: dict[str, Any]) -> None:
    tried = found[command]["moments"]
    assert len(tried["fresh"]) >= 6
    for change, code, state, beside in tried["fresh"]:
        assert code == -9, f"it should have died before change {change}"
        assert state in ("", tried["new"]), f"half a result, killed before change {change}"
        assert all(LEFTOVER.fullmatch(name) for name in beside), beside
    states = set()
    for change, code, state, beside in tried["replaced"]:
        assert code == -9, f"it should have died before change {change}"
        assert state in (tried["older"], tried["new"]), f"neither old nor new, killed before change {change}"
        assert all(LEFTOVER.fullmatch(name) for name in beside), beside
        states.add(state)
    assert states == {tried["older"], tried["new"]}, "the moments must lie on both sides of the replacement"
    assert tried["last"] == [0, tried["new"]], "what killed processes left must not stand in the way"


@pytest.mark.parametrize("command", COMMANDS)
def test_two_at_once(command: str, found: dict[str, Any]) -> None:
    tried = found[command]["two at once"]
    for more, codes, state, beside in tried["rounds"]:
        assert codes in ([0, 2], [0, 0]), codes
        assert codes == [0, 0] or not more, "with --overwrite the last one wins"
        assert state == tried["new"]
        assert beside == []
    assert [0, 2] in [codes for more, codes, _, _ in tried["rounds"] if not more], "the second must have been refused"
