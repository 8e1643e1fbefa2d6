"""The application's stand-in, installed once for all tests of the panels, and where their files lie."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn

    from TopoGANLib.engine.check import EngineReport
    from TopoGANLib.engine.process import Engine

REPOSITORY = Path(__file__).resolve().parents[2]

# As in Slicer, where every module's folder is on the path.
for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels", "Testing/common"):
    path = str(REPOSITORY / folder)
    if path not in sys.path:
        sys.path.append(path)


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """The application for all tests; SLICER_SOURCE brings Slicer's own Python into it."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from standin import install

    from TopoGANLib.headless.application import start_headless

    headless = start_headless()
    source = os.environ.get("SLICER_SOURCE")
    installed = install(headless.application_logic, tmp_path_factory.mktemp("slicer"), Path(source) if source else None)
    yield installed
    installed.uninstall()


@pytest.fixture
def application(stand_in: StandIn) -> Iterator[StandIn]:
    """The application as after its start: an empty scene, no module, no settings."""
    import slicer

    # Tests of other folders, in the same process, have had scenes of their own.
    slicer.mrmlScene = stand_in.application.applicationLogic().GetMRMLScene()
    sys.modules["qt"].QSettings().clear()
    slicer.mrmlScene.Clear(False)
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    # A test that ends with a killed engine leaves what the next panel would have removed.
    shutil.rmtree(Path(stand_in.application.temporaryPath) / "TopoGAN", ignore_errors=True)
    yield stand_in
    stand_in.close_application()
    slicer.mrmlScene.Clear(False)
    errors = stand_in.take_slot_errors()
    assert not errors, "errors in slots, which the application would only print:\n" + "\n".join(errors)


@pytest.fixture
def engine(application: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine that is quick and misbehaves on command, in place of the panels' own."""
    from fake_engine import make_engine

    from TopoGANLib.engine import panel
    from TopoGANLib.engine.process import Engine
    from TopoGANLib.forms import module

    made = make_engine(tmp_path)
    for user in (panel, module):
        monkeypatch.setattr(user, "Engine", functools.partial(Engine, parent=made.parent))
    return made


class _RememberedCheck:
    """A check of the real engine that asks only where nobody has asked before."""

    def __init__(self, known: list[EngineReport], engine: Engine, log: Path) -> None:
        from TopoGANLib.engine.check import EngineCheck

        self._known, self._check = known, None if known else EngineCheck(engine, log)

    def poll(self) -> EngineReport | None:
        if self._known:
            return self._known[0]
        report = None if self._check is None else self._check.poll()
        if report is not None and report.usable:
            self._known.append(report)
        return report

    def close(self) -> None:
        if self._check is not None:
            self._check.close()


@pytest.fixture(scope="session")
def real_reports() -> list[EngineReport]:
    """What the check of the real engine has said: nothing, or one report."""
    return []


@pytest.fixture
def real_engine(application: StandIn, real_reports: list[EngineReport], monkeypatch: pytest.MonkeyPatch) -> None:
    """The panels' own engine; asked once for all tests whether it is ready, for it loads all packages to answer."""
    from TopoGANLib.engine import panel

    monkeypatch.setattr(panel, "EngineCheck", functools.partial(_RememberedCheck, real_reports))


@pytest.fixture
def bench(application: StandIn, engine: Engine, tmp_path: Path) -> Iterator[Bench]:
    """The application with both modules and the quick engine."""
    from bench import Bench

    from TopoGANLib.engine.run_monitor import RunMonitor
    from TopoGANLib.forms import user_settings

    user_settings.write(user_settings.RESULTS_FOLDER, str(tmp_path / "results"))
    yield Bench(application)
    for run in (tmp_path / "results").glob("*/run"):
        RunMonitor(run).kill()


@pytest.fixture
def scene(application: StandIn) -> tuple[Any, Any]:
    """A volume and a segmentation with two segments."""
    import slicer

    array = np.zeros((20, 24, 24), np.int16)
    volume = slicer.util.addVolumeFromArray(array, np.diag([1.0, 1.0, 2.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    array[2:18, 5:20, 5:20] = 1
    for name in ("Blood", "Myocardium"):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(array.astype(np.uint8), segmentation, identifier, volume)
    return volume, segmentation


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """A synthesis folder of six rings."""
    from synth_bench import writers

    return writers().write_synthesis(tmp_path / "answer")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """As much of a model package as the panel reads."""
    folder = tmp_path / "model"
    (folder / "configs").mkdir(parents=True)
    content = {
        "schema": "topogan.model/1",
        "structure": "myocardium",
        "size": 64,
        "pixel_size_mm": 1.85,
        "betti": {"modal": [1, 1]},
        "network_data_format": {"outputs": {"mask": {}, "image": {}}},
        "training_set": {"independent": False, "patients": 1, "train": 30, "validation": 6, "test": 8},
    }
    (folder / "configs" / "metadata.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def model_of_several(model: Path) -> Path:
    """The same for a model of two structures and their union."""
    path = model / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    del content["structure"]
    structures = [{"name": "cavity", "labels": [1]}, {"name": "myocardium", "labels": [2]}]
    content |= {
        "schema": "topogan.model/2",
        "table": {"structures": structures, "unions": [["cavity", "myocardium"]]},
        "betti": {"modal": [[1, 0], [1, 1], [1, 0]]},
    }
    path.write_text(json.dumps(content))
    return model


@pytest.fixture
def model_of_volumes(model: Path) -> Path:
    """The same for a model of volumes of two structures."""
    path = model / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    del content["structure"]
    structures = [{"name": "lv_cavity", "labels": [1]}, {"name": "myocardium", "labels": [2]}]
    content |= {"schema": "topogan.model/2", "axes": 3, "size": 32, "table": {"structures": structures, "unions": []}}
    content["betti"] = {"modal": [[1, 0, 0], [1, 0, 0]]}
    path.write_text(json.dumps(content))
    return model
