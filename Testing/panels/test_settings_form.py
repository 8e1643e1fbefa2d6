"""The settings of a training in the panel, and how they reach the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from train_bench import choose, ready, status, tick_segments

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench


def test_presets_leave_the_users_data_and_nothing_else(bench: Bench) -> None:
    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    parameters.prepare_structure, parameters.prepare_labels, parameters.structures = "wall", "7", "fat=1"
    parameters.prepare_slice_spacing, parameters.prepare_minimum_area = 3.0, 55.0
    parameters.prepare_window_low, parameters.prepare_pixel_size = -350.0, 0.8
    everything = [setting.attribute for setting in widget.logic.settings]
    titles = [ui.presetComboBox.itemText(row) for row in range(1, ui.presetComboBox.count)]
    assert len(titles) >= 5

    def after(*chosen: str) -> dict[str, Any]:
        for title in chosen:
            choose(ui.presetComboBox, title)
        return {name: getattr(parameters, name) for name in everything}

    alone = {title: after(title) for title in titles}
    for title in titles:
        for before in titles:
            assert after(before, title) == alone[title], f"{title} after {before}"
        assert alone[title]["prepare_structure"] == "wall" and alone[title]["prepare_labels"] == "7"
        assert alone[title]["prepare_slice_spacing"] == 3.0 and alone[title]["prepare_minimum_area"] == 55.0
        assert alone[title]["prepare_window_low"] == -350.0 and alone[title]["prepare_pixel_size"] == 0.8
    assert parameters.structures == "fat=1"
    assert alone["Volumes (32 voxels, CPU)"]["prepare_volumes"]
    assert not alone["Demo"]["prepare_volumes"]


@pytest.mark.parametrize("points", [9, 12])
def test_everything_is_unfolded(bench: Bench, scene: Any, points: int) -> None:
    from bench import font_of

    with font_of(points):
        widget = ready(bench)
        tick_segments(widget, "Blood", "Myocardium")
        bench.picture("TopoGANTrain", f"ready, {points} points")
        for section in ("engine", "trainAdvanced"):
            getattr(widget.ui, f"{section}CollapsibleButton").collapsed = False
        for source in ("This scene", "Files or folders", "A training set made before"):
            choose(widget.ui.sourceComboBox, source)
            bench.picture("TopoGANTrain", f"everything, {source.lower()}, {points} points")


def test_settings_reach_the_engine(bench: Bench, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the widgets show is what the engine is told, presets included; what nobody has changed is its own choice."""
    import slicer
    from bench import pump

    commands: list[list[str]] = []
    requests: list[dict[str, Any]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        commands.append([*map(str, arguments)])
        folder = Path(arguments[arguments.index("--prepare") + 1])
        requests.append(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        raise FileNotFoundError(2, "not today")

    widget = ready(bench)
    red = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    monkeypatch.setattr(type(widget.panel._data), "_red", lambda form: red)
    choose(widget.ui.presetComboBox, "As in the paper")
    assert widget.ui.masksObjectiveComboBox.currentText == "log"
    assert widget.ui.presetComboBox.currentText == "As in the paper"
    widget.ui.masksStepsSpinBox.value = 77
    widget.ui.topologyRatioSpinBox.value = 3.5
    widget.ui.windowLowSpinBox.value = -350.0
    choose(widget.ui.planeComboBox, "As the Red view")
    monkeypatch.setattr(Engine, "start", refuse)
    widget.ui.startButton.click()
    pump(lambda: "cannot be started (not today)" in status(widget))
    command, request = commands[0], requests[0]
    assert command[0] == "train"
    told = {"--masks-objective=log", "--masks-steps=77", "--topology-ratio=3.5", "--topology-mode=paper"}
    assert told <= set(command)
    assert not [word for word in command if word.startswith("--threads")], "the engine may adapt a default"
    assert request["schema"] == "topogan.prepare-request/1"
    (source,) = request["sources"]
    assert [Path(path).name for path in source["segmentations"]] == ["p1-001-segmentation.nrrd"]
    assert np.shape(source["plane"]) == (4, 4)
    assert request["settings"] == {"window_low": -350.0, "resample": True}
    segment = scene[1].GetSegmentation().GetNthSegment(0)
    (blood,) = request["table"]["structures"]
    color = [int(blood["color"][start : start + 2], 16) / 255 for start in (1, 3, 5)]
    assert (blood["name"], blood["labels"], blood["terminology"]) == ("Blood", [1], segment.GetTerminology())
    assert np.allclose(color, segment.GetColor(), atol=1 / 255)
