"""The application's stand-in, installed once for all tests of the panels, and where their files lie."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from standin import StandIn

REPOSITORY = Path(__file__).resolve().parents[2]

# As in Slicer, where every module's folder is on the path.
for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels"):
    path = str(REPOSITORY / folder)
    if path not in sys.path:
        sys.path.append(path)


@pytest.fixture(scope="package")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The application for all tests; SLICER_SOURCE brings Slicer's own Python into it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from standin import install

    from TopoGANLib.headless import start_headless

    headless = start_headless()
    source = os.environ.get("SLICER_SOURCE")
    installed = install(headless.application_logic, tmp_path_factory.mktemp("slicer"), Path(source) if source else None)
    yield installed
    installed.uninstall()


@pytest.fixture
def application(stand_in: StandIn) -> Iterator[StandIn]:
    """The application as after its start: an empty scene, no module, no settings."""
    import slicer

    sys.modules["qt"].QSettings().clear()
    slicer.mrmlScene.Clear(False)
    yield stand_in
    stand_in.close_application()
    slicer.mrmlScene.Clear(False)
    errors = stand_in.take_slot_errors()
    assert not errors, "errors in slots, which the application would only print:\n" + "\n".join(errors)
