"""Simulated hearts in Sample Data, made by the real engine."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bench import REPOSITORY, pump

if TYPE_CHECKING:
    from standin import StandIn

    from TopoGANLib.engine.process import Engine


@pytest.fixture
def offered(application: StandIn, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the module offers to Sample Data."""
    import slicer

    found: dict[str, Any] = {}
    sample_data = types.ModuleType("SampleData")
    sample_data.SampleDataLogic = types.SimpleNamespace(registerCustomSampleDataSource=found.update)
    monkeypatch.setitem(sys.modules, "SampleData", sample_data)
    application.load(REPOSITORY / "TopoGANTrain" / "TopoGANTrain.py")
    slicer.app.startupCompleted.emit()
    return found


def hearts_with(engine: Engine, said: list[str], wrong: list[str]) -> Any:
    from TopoGANTrainLib.sample_hearts import SampleHearts

    return SampleHearts(lambda: engine, said.append, wrong.append)


def test_hearts_are_offered(offered: dict[str, Any]) -> None:
    assert offered["sampleName"] == "TopoGANHearts"
    assert callable(offered["customDownloader"])
    # One that has nothing to load has one empty address.
    assert offered["uris"] == ""


def test_three_hearts_that_beat(application: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    from TopoGANLib.engine.process import Engine
    from TopoGANTrainLib import sample_hearts

    monkeypatch.setattr(sample_hearts, "_PHASES", 2)  # half the time

    said: list[str] = []
    wrong: list[str] = []
    hearts = hearts_with(Engine(Path(sys.executable)), said, wrong)
    hearts.make()
    hearts.make()  # one at a time
    pump(lambda: not hearts.busy)
    assert wrong == []
    assert "in the scene" in said[-1]
    assert not list(Path(slicer.app.temporaryPath).glob("TopoGAN/hearts-*/phantom"))
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    assert [node.GetName() for node in browsers] == [f"Simulated heart {number}" for number in (1, 2, 3)]
    sequences = slicer.util.getNodesByClass("vtkMRMLSequenceNode")
    assert [node.GetNumberOfDataNodes() for node in sequences] == [2] * 6
    ct, segmentation = (sequences[place].GetNthDataNode(1) for place in (0, 1))
    names = [segmentation.GetSegmentation().GetNthSegment(number).GetName() for number in range(6)]
    assert names[:2] == ["lv_cavity", "myocardium"]
    # The blood in the left ventricle is enhanced, and lies where the segment is.
    picture = slicer.util.arrayFromVolume(ct)
    labelmap = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Segment_1", ct)
    matrix = np.zeros((3, 3))
    ct.GetIJKToRASDirections(matrix)
    assert np.array_equal(np.sign(np.diag(matrix)), [-1, -1, 1])
    assert labelmap.shape == picture.shape
    assert 300 < picture[labelmap != 0].mean() < 420
    hearts.close()


@pytest.mark.parametrize("python", ["/nowhere/python", sys.executable])
def test_an_engine_that_cannot(application: StandIn, engine: Engine, python: str) -> None:
    from dataclasses import replace

    import slicer

    wrong: list[str] = []
    # The quick engine knows no phantom.
    hearts = hearts_with(replace(engine, python=Path(python)), [], wrong)
    hearts.make()
    pump(lambda: not hearts.busy)
    assert len(wrong) == 1
    assert "TopoGAN Train" in wrong[0]
    assert slicer.util.getNodesByClass("vtkMRMLSequenceNode") == []
    hearts.close()
