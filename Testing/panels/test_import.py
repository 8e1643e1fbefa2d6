"""What opening Slicer and opening a panel cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

_CODE = """
import importlib, json, sys, time
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from standin import install
from TopoGANLib.headless.application import start_headless
source = Path(sys.argv[2]) if sys.argv[2] else None
stand_in = install(start_headless().application_logic, Path(sys.argv[1]), source)
for known in [name for name in sys.modules if name.startswith("TopoGANLib")]:
    del sys.modules[known]
importlib.invalidate_caches()
seconds = {}
for name in ("TopoGANTrain", "TopoGANSynth"):
    start = time.process_time()
    module = stand_in.load(Path(sys.argv[4]).parent / name / f"{name}.py")
    seconds[name] = time.process_time() - start
imported = sorted(name.partition(".")[0] for name in sys.modules)
for name in ("TopoGANTrain", "TopoGANSynth"):
    stand_in.application.moduleManager().module(name).widgetRepresentation()
opened = sorted(name.partition(".")[0] for name in sys.modules)
print(json.dumps([seconds, imported, opened]))
stand_in.uninstall()
"""
_HEAVY = {"torch", "gudhi", "pydantic", "topogan", "monai", "matplotlib", "typer", "safetensors"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, float], set[str], set[str]]:
    folders = [REPOSITORY / "Testing" / "panels", REPOSITORY / "TopoGANTrain", REPOSITORY / "TopoGANSynth"]
    command = [sys.executable, "-c", _CODE, str(tmp_path_factory.mktemp("slicer"))]
    command += [os.environ.get("SLICER_SOURCE", ""), *map(str, folders)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, imported, opened = json.loads(said.stdout.splitlines()[-1])
    return seconds, set(imported), set(opened)


def test_importing_is_quick(measured: tuple[dict[str, float], set[str], set[str]]) -> None:
    assert max(measured[0].values()) < 0.3, measured[0]


def test_importing_and_opening_load_nothing_of_the_engine(
    measured: tuple[dict[str, float], set[str], set[str]],
) -> None:
    assert not measured[1] & _HEAVY
    assert not measured[2] & _HEAVY
    assert "SimpleITK" not in measured[2], "loaded when the panel is entered"
