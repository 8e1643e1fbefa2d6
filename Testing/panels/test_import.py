"""What opening Slicer and opening a panel load."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

_CODE = """
import importlib, json, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from standin import install
from TopoGANLib.headless.application import start_headless
source = Path(sys.argv[2]) if sys.argv[2] else None
stand_in = install(start_headless().application_logic, Path(sys.argv[1]), source)
for known in [name for name in sys.modules if name.startswith("TopoGANLib")]:
    del sys.modules[known]
importlib.invalidate_caches()
for name in ("TopoGANTrain", "TopoGANSynth"):
    stand_in.load(Path(sys.argv[4]).parent / name / f"{name}.py")
imported = sorted(name.partition(".")[0] for name in sys.modules)
for name in ("TopoGANTrain", "TopoGANSynth"):
    stand_in.application.moduleManager().module(name).widgetRepresentation()
opened = sorted(name.partition(".")[0] for name in sys.modules)
print(json.dumps([imported, opened]))
stand_in.uninstall()
"""
_HEAVY = {"torch", "gudhi", "pydantic", "topogan", "monai", "matplotlib", "typer", "safetensors"}


def test_importing_and_opening_load_nothing_of_the_engine(tmp_path: Path) -> None:
    folders = [REPOSITORY / "Testing" / "panels", REPOSITORY / "TopoGANTrain", REPOSITORY / "TopoGANSynth"]
    command = [sys.executable, "-c", _CODE, str(tmp_path)]
    command += [os.environ.get("SLICER_SOURCE", ""), *map(str, folders)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    imported, opened = map(set, json.loads(said.stdout.splitlines()[-1]))
    assert not imported & _HEAVY
    assert not opened & _HEAVY
    assert "SimpleITK" not in opened, "Slicer takes 0.2 s to load it, and nothing of ours needs it"
