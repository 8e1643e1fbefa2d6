"""Settings as parameters: every one of the engine's, within its limits, and back to its command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin import StandIn

    from TopoGANLib.forms.settings import Setting


@pytest.fixture
def settings(application: StandIn) -> dict[str, Setting]:
    from TopoGANLib.forms.settings import read_settings

    return {setting.attribute: setting for setting in read_settings("prepare", "train", "synthesize")}


@pytest.fixture
def parameters(application: StandIn, settings: dict[str, Setting]) -> Any:
    import slicer

    from TopoGANLib.forms.settings import parameter_node_class

    kind = parameter_node_class("Parameters", settings.values(), volume=(slicer.vtkMRMLScalarVolumeNode, None))
    return kind(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def test_every_setting_is_a_parameter_with_its_default(settings: dict[str, Setting], parameters: Any) -> None:
    from topogan.config import SynthesisSettings, TrainSettings, validated

    for section, kind in (("train", TrainSettings), ("synthesize", SynthesisSettings)):
        values: dict[str, Any] = {}
        for setting in settings.values():
            if setting.section == section:
                *groups, name = setting.name.split(".")
                group = values
                for part in groups:
                    group = group.setdefault(part, {})
                value = getattr(parameters, setting.attribute)
                group[name] = setting.to_json(value)
        assert validated(kind, values) == kind()
    assert parameters.volume is None
    assert parameters.prepare_labels == "1"


def test_limits_hold(parameters: Any) -> None:
    parameters.train_masks_steps = 7
    assert parameters.train_masks_steps == 7
    for wrong in (0, 10_000_001):
        with pytest.raises(ValueError, match="within range"):
            parameters.train_masks_steps = wrong


def test_a_choice_is_stored_by_the_engines_word(settings: dict[str, Setting], parameters: Any) -> None:
    kind, _ = settings["train_masks_objective"].parameter()
    parameters.train_masks_objective = kind["wgan-gp"]
    assert parameters.parameterNode.GetParameter("train_masks_objective") == "wgan-gp"
    assert parameters.train_masks_objective.label() == "wgan-gp"


def test_small_numbers_can_be_typed(settings: dict[str, Setting]) -> None:
    for name, decimals in {"train_masks_learning_rate": 5, "train_masks_average": 4, "prepare_window_low": 2}.items():
        assert settings[name].decimals == decimals


def test_tool_tips(settings: dict[str, Setting]) -> None:
    assert settings["prepare_pixel_size"].tool_tip().endswith("(0 to 20 mm; default 0.0)")
    assert settings["prepare_labels"].tool_tip().endswith("(default 1)")
    assert settings["prepare_png_structure"].tool_tip().endswith("empty uses the labels.")


def test_the_command_line_takes_them_all(
    settings: dict[str, Setting], parameters: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine's own parser reads back what the panel writes."""
    from topogan import training
    from topogan.cli import run
    from topogan.config import TrainSettings
    from topogan.errors import Cancelled
    from TopoGANLib.forms.settings import command_arguments

    values = {name: getattr(parameters, name) for name in settings if name.startswith("train_")}
    values |= {"train_masks_steps": 77, "train_device": "cpu", "train_topology_ratio": 3.5}
    values["train_topology_regions"] = "lv_cavity + myocardium, aorta"
    arguments = command_arguments(settings.values(), values)
    seen: list[TrainSettings] = []

    def take(dataset: Path, out: Path, settings: TrainSettings, *others: Any) -> None:
        seen.append(settings)
        raise Cancelled("Enough is known.")

    monkeypatch.setattr(training, "train", take)
    assert run(["train", "set", "run", *map(str, arguments)]) == 1
    expected = TrainSettings(
        masks={"steps": 77}, device="cpu", topology={"ratio": 3.5, "regions": ["lv_cavity + myocardium", "aorta"]}
    )
    assert seen == [expected]


def test_the_engine_reads_them_as_json(settings: dict[str, Setting], parameters: Any) -> None:
    """What a request holds for a preparation, odd values included."""
    from topogan.config import PrepareSettings, validated
    from TopoGANLib.forms.settings import nested_values

    values = {name: getattr(parameters, name) for name in settings if name.startswith("prepare_")}
    values |= {"prepare_labels": "2, 5", "prepare_window_low": -350.0, "prepare_tiling": True, "prepare_size": "128"}
    values |= {"prepare_structure": "left 'atrium'"}
    nested = json.loads(json.dumps(nested_values(settings.values(), values)))
    expected = PrepareSettings(structure="left 'atrium'", labels=(2, 5), window_low=-350.0, tiling=True, size=128)
    assert validated(PrepareSettings, nested) == expected
    assert nested_values(settings.values(), {"prepare_labels": "two"}) == {"labels": ["two"]}, "the engine refuses it"
    assert nested_values(settings.values(), {"train_masks_steps": 7}) == {"masks": {"steps": 7}}


def test_only_what_was_changed_is_passed_on(settings: dict[str, Setting], parameters: Any) -> None:
    """The engine may adapt a default to small data, and refuses to adapt what it is told."""
    from TopoGANLib.forms.settings import changed_values

    assert changed_values(settings.values(), parameters) == {}
    kind, _ = settings["train_device"].parameter()
    parameters.train_masks_steps, parameters.train_device = 77, kind["cpu"]
    changed = changed_values(settings.values(), parameters)
    assert changed == {"train_masks_steps": 77, "train_device": kind["cpu"]}


def test_presets(settings: dict[str, Setting], parameters: Any) -> None:
    from topogan.config import TrainSettings, validated
    from TopoGANLib.forms.settings import preset_values, read_presets

    presets = read_presets()
    values = preset_values(presets["paper"], settings.values())
    form = {"prepare_volumes", "prepare_size", "prepare_poses"}
    assert set(values) == {name for name in settings if name.startswith("train_")} | form
    assert {frozenset(preset_values(preset, settings.values())) for preset in presets.values()} == {frozenset(values)}
    assert values["train_masks_steps"] == validated(TrainSettings, presets["paper"]["train"]).masks.steps
    of_ct = preset_values(presets["ct"], settings.values())
    assert of_ct["prepare_size"].name == "256"
    assert values["prepare_size"].name == "64", "what a preset leaves is a default"
    for name, value in values.items():
        setattr(parameters, name, value)
    assert parameters.train_topology_mode.name == "paper"
    assert parameters.train_topology_warm_up == 0.0


def test_a_schema_of_another_version_is_refused(settings: dict[str, Setting], monkeypatch: Any, tmp_path: Any) -> None:
    from TopoGANLib.forms import settings as module

    other = tmp_path / "settings.schema.json"
    other.write_text('{"schema": "topogan.settings/2"}')
    monkeypatch.setattr(module, "_FILE", other)
    with pytest.raises(RuntimeError, match="another version"):
        module.read_settings("train")
