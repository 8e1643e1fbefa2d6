"""The few settings that matter: how many are in sight, in what order, and what they say."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from train_bench import choose, ready, status

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench

# As many as the panel of version 0.3 had.
_ONCE_IN_SIGHT = 13


def boxes_in_sight(panel: Any) -> list[str]:
    """Controls of the section Training that are shown while Advanced is closed."""
    from bench import shown_children
    from PySide6 import QtCore

    kinds = ("QComboBox", "QCheckBox", "QSpinBox", "QDoubleSpinBox", "QPushButton", "QLineEdit", "ctkPathLineEdit")
    inside = shown_children(panel.ui.trainingCollapsibleButton)
    names = [QtCore.QObject.objectName(one) for one in inside if type(one).__name__ in kinds]
    return [name for name in names if not name.startswith("qt_")]  # inside of others


def test_fewer_settings_are_in_sight(bench: Bench, scene: Any) -> None:
    widget = ready(bench)
    names = boxes_in_sight(widget)
    assert "estimateButton" in names and "startFromComboBox" in names and "pixelSizeSpinBox" not in names
    assert len(names) < _ONCE_IN_SIGHT, " ".join(names)
    choose(widget.ui.partComboBox, "masks")
    assert "texturesStepsSpinBox" not in boxes_in_sight(widget)
    bench.picture("TopoGANTrain", "masks alone")
    choose(widget.ui.partComboBox, "textures")
    assert not {"masksStepsSpinBox", "topologyCheckBox", "topologyRatioSpinBox"} & set(boxes_in_sight(widget))


@pytest.mark.parametrize("source", ["This scene", "Files or folders", "A training set made before"])
def test_the_keyboard_goes_from_top_to_bottom(bench: Bench, scene: Any, source: str) -> None:
    from bench import settle, tab_order
    from PySide6 import QtCore, QtWidgets

    widget = ready(bench)
    choose(widget.ui.sourceComboBox, source)
    choose(widget.ui.startFromComboBox, "A model to fine-tune")
    for section in ("engine", "trainAdvanced"):
        getattr(widget.ui, f"{section}CollapsibleButton").collapsed = False
    panel = bench.modules["TopoGANTrain"].widgetRepresentation()
    settle()
    kind = QtWidgets.QWidget
    places = [
        (kind.mapTo(one, panel, QtCore.QPoint(0, kind.height(one) // 2)), QtCore.QObject.objectName(one))
        for one in tab_order(panel)
        if not isinstance(one, QtWidgets.QAbstractButton) or one.property("collapsed") is None
    ]
    assert len(places) > 40
    for (before, name), (after, next_name) in itertools.pairwise(places):
        in_a_row = abs(before.y() - after.y()) < 12
        assert before.x() < after.x() if in_a_row else before.y() < after.y(), f"{name} before {next_name}"


def test_a_preset_says_what_it_is_for(bench: Bench) -> None:
    widget = ready(bench)
    ui = widget.ui
    assert ui.presetComboBox.currentText == "Standard"
    choose(ui.presetComboBox, "Quick look (64 pixels, CPU)")
    assert ui.presetWordsLabel.text.startswith("A few minutes on a laptop")
    ui.masksStepsSpinBox.value = 601
    assert ui.presetComboBox.currentText == "Own settings"
    assert ui.presetWordsLabel.text == "Settings of your own: a preset fills in all of them."
    choose(ui.presetComboBox, "Own settings")
    assert ui.masksStepsSpinBox.value == 601
    choose(ui.presetComboBox, "Standard")
    assert ui.masksStepsSpinBox.value == 3000
    widget.logic.getParameterNode().train_masks_steps = 600
    widget.logic.getParameterNode().train_textures_steps = 300
    assert ui.presetComboBox.currentText == "Quick look (64 pixels, CPU)", "a script may choose, too"


def test_a_size_says_what_it_means(bench: Bench) -> None:
    widget = ready(bench)
    ui = widget.ui
    assert ui.sizeWordsLabel.text == "2.1 mm a pixel, for structures 100 mm wide."
    choose(ui.sizeComboBox, "256")
    assert ui.sizeWordsLabel.text == "0.53 mm a pixel, for structures 100 mm wide."
    ui.pixelSizeSpinBox.value = 0.5
    assert ui.sizeWordsLabel.text == "Each slice shows 128 mm."
    ui.volumesCheckBox.click()
    assert ui.sizeWordsLabel.text == "Each volume shows 32 mm."
    ui.pixelSizeSpinBox.value = 0.0
    assert ui.sizeWordsLabel.text == "1.7 mm a voxel, for structures 100 mm wide."


def test_topology_is_switched_off_and_on(bench: Bench) -> None:
    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    assert ui.topologyCheckBox.checked and ui.topologyRatioSpinBox.visible
    choose(ui.topologyModeComboBox, "paper")
    ui.topologyCheckBox.click()
    assert parameters.train_topology_mode.name == "off"
    assert not ui.topologyRatioSpinBox.visible
    ui.topologyCheckBox.click()
    assert parameters.train_topology_mode.name == "paper"
    choose(ui.topologyModeComboBox, "off")
    assert not ui.topologyCheckBox.checked


def command_of_start(widget: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Press Start; return the command, which then does not start."""
    from bench import pump

    commands: list[list[str]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        commands.append([*map(str, arguments)])
        raise FileNotFoundError(2, "not today")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "start", refuse)
        widget.ui.startButton.click()
        pump(lambda: "cannot be started (not today)" in status(widget))
    return commands[0]


def test_a_model_is_fine_tuned(bench: Bench, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANLib.forms import user_settings

    widget = ready(bench)
    ui = widget.ui
    assert not ui.firstModelPathLineEdit.visible and not ui.adaptStructuresCheckBox.visible
    assert "--from" not in command_of_start(widget, monkeypatch)
    choose(ui.startFromComboBox, "A model to fine-tune")
    assert not ui.startButton.enabled
    assert ui.reasonLabel.text == "Choose the model to fine-tune, or start from new networks."
    model = tmp_path / "model.zip"
    ui.firstModelPathLineEdit.currentPath = str(model)
    assert ui.startButton.enabled
    bench.picture("TopoGANTrain", "fine-tuning")
    command = command_of_start(widget, monkeypatch)
    assert command[command.index("--from") + 1] == str(model) and "--adapt-structures" not in command
    ui.adaptStructuresCheckBox.click()
    assert "--adapt-structures" in command_of_start(widget, monkeypatch)
    assert user_settings.read_text(user_settings.FIRST_MODEL) == str(model), "in the user's settings, not the scene's"
    choose(ui.startFromComboBox, "New")
    assert "--from" not in command_of_start(widget, monkeypatch)
