"""Settings: one place, refused in words, and the panels' copy of it is never stale."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from topogan import config_schema
from topogan.config import PatchSize, PrepareSettings, Settings, SynthesisSettings, TrainSettings, validated
from topogan.errors import InputError
from topogan.presets import prepare_settings, preset_names, read_preset
from topogan_contract.sizes import SIZES, VOLUME_SIZES

LIBRARY = Path(config_schema.__file__).parents[1] / "TopoGANLib" / "forms"


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (TrainSettings, {"masks": {"width": 1}}, "masks.width cannot be 1"),
        (TrainSettings, {"masks": {"widht": 8}}, "masks.widht"),
        (TrainSettings, {"device": "gpu"}, "'auto', 'cuda', 'mps' or 'cpu'"),
        (TrainSettings, {"topology": {"ratio": float("nan")}}, "topology.ratio cannot be nan"),
        (PrepareSettings, {"context": ["lungs", "lung"]}, "context cannot be 'lung': input should be 'lungs', 'bone'"),
        (PrepareSettings, {"context": "lungs"}, "context cannot be 'lungs': it should be a list"),
        (SynthesisSettings, {"betti": "two"}, "betti cannot be 'two'"),
        (SynthesisSettings, {"count": 0}, "count cannot be 0"),
    ],
)
def test_wrong_settings_are_one_sentence(kind: type[Settings], values: dict, words: str) -> None:
    with pytest.raises(InputError, match="The setting ") as caught:
        validated(kind, values)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_settings_survive_json() -> None:
    settings = validated(TrainSettings, {"masks": {"objective": "log"}, "seed": 7})
    assert validated(TrainSettings, json.loads(settings.model_dump_json())) == settings


def test_schema_file_is_fresh() -> None:
    stored = (LIBRARY / "settings.schema.json").read_text(encoding="utf-8")
    assert stored == config_schema.schema_text(), "run: python -m topogan.config_schema"


def test_schema_describes_every_setting() -> None:
    schema = config_schema.settings_schema()
    for section, rows in schema["sections"].items():
        for row in rows:
            assert row["title"] and row["help"].endswith("."), f"{section}.{row['name']}"
            assert row["type"] in {"int", "float", "str", "bool", "enum", "list"}
            if row["type"] in {"int", "float"}:
                assert row["minimum"] <= row["default"] <= row["maximum"], row
            if row["type"] == "enum":
                assert row["default"] in [choice["value"] for choice in row["choices"]]


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_valid(name: str) -> None:
    preset = read_preset(name)
    assert preset["title"] and preset["help"]
    validated(TrainSettings, preset["train"])
    validated(PrepareSettings, preset.get("prepare", {}))


def test_what_is_given_goes_before_a_preset() -> None:
    assert prepare_settings(None, {}) == PrepareSettings()
    assert prepare_settings("ct", {"labels": [3]}) == PrepareSettings(size=256, labels=(3,))
    assert prepare_settings("ct", {"size": 128}).size == 128
    assert prepare_settings("paper", {}) == PrepareSettings(), "it says nothing of the preparation"
    assert prepare_settings("demo", {}) == PrepareSettings(), "what fits the phantom is for the demo alone"
    for name in ("slice_spacing", "minimum_area"):
        assert getattr(prepare_settings("demo", {name: 3.0}), name) == 3.0
        with pytest.raises(InputError, match=f"The setting {name} is for slices, and volumes were asked for"):
            prepare_settings("volumes", {name: 3.0})


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no preset 'slow': choose one of .*demo"):
        read_preset("slow")


def test_the_sizes_are_those_of_the_contract() -> None:
    assert set(get_args(PatchSize)) == {*SIZES, *VOLUME_SIZES}


@pytest.mark.parametrize("name", ["critic_steps", "discriminator_steps"])
def test_the_old_name_of_a_setting_is_read(name: str) -> None:
    settings = validated(TrainSettings, {"masks": {name: 5}})
    assert settings.masks.discriminator_steps == 5
    assert "critic_steps" not in settings.model_dump()["masks"]
