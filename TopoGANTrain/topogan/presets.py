"""Named sets of training settings, shared by the command line and the panels; and what a user has asked for himself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from topogan.config import MaskSettings, Part, PrepareSettings, Settings, TextureSettings, TrainSettings, validated
from topogan.errors import InputError
from topogan.resources import resource_path
from topogan_contract import schemas

# A batch of one mask says nothing of a distribution.
_SMALLEST_BATCH = 2
_OF_SLICES = ("slice_spacing", "minimum_area", "center")
# What was so before it could be set.
_WITHOUT_AUGMENTATION = {"masks": 0.0, "discriminator": "off"}
_BEFORE: dict[str, dict[str, Any]] = {
    "augmentation": {"bending": 0.04},
    "textures": {"network": "unet", "draws": 1, "decay": 0.0, "gradient_penalty": 0.0},
}


def preset_names() -> list[str]:
    """List the presets that come with TopoGAN."""
    return sorted(path.stem for path in resource_path("presets").glob("*.json"))


def read_preset(name: str) -> dict[str, Any]:
    """Return a preset: ``{"title", "help", "prepare", "train"}``, the last two settings that differ from the defaults.

    Raises:
        InputError: there is no such preset; the message lists those there are.
    """
    if name not in preset_names():
        raise InputError(f"There is no preset {name!r}: choose one of {', '.join(preset_names())}.")
    return cast(dict[str, Any], schemas.read_json(resource_path("presets", f"{name}.json")))


def prepare_settings(preset: str | None, given: dict[str, Any]) -> PrepareSettings:
    """Put what a user gave over a preset, which may say nothing of the preparation.

    Raises:
        InputError: there is no such preset, a setting is wrong, or one was given that volumes do not have.
    """
    settings = validated(PrepareSettings, merged(read_preset(preset).get("prepare", {}) if preset else {}, given))
    vain = next((name for name in _OF_SLICES if settings.volumes and name in given), None)
    if vain:
        raise InputError(f"The setting {vain} is for slices, and volumes were asked for: leave one of them out.")
    return settings


def train_settings(preset: str | None, given: dict[str, Any]) -> TrainSettings:
    """Put what a user gave (nested) over a preset; ``model_fields_set`` of each group then tells what was given.

    Raises:
        InputError: there is no such preset, or a setting is wrong.
    """
    base = read_preset(preset)["train"] if preset else {}
    settings = validated(TrainSettings, merged(base, given))
    groups = {
        name: type(group).model_construct(_fields_set=set(given.get(name, {})), **dict(group))
        for name, group in settings
        if isinstance(group, Settings)
    }
    return settings.model_copy(update=groups)


def recorded_settings(values: Any) -> TrainSettings:
    """The settings that a model package or a run has recorded, of whatever version.

    Raises:
        InputError: a setting is wrong.
    """
    if isinstance(values, dict):
        values = {"augmentation": _WITHOUT_AUGMENTATION, **values}
        for name, before in _BEFORE.items():
            if isinstance(group := values.get(name), dict):
                values = {**values, name: {**before, **group}}
    return validated(TrainSettings, values)


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the values of ``over`` in their places, group by group."""
    result = dict(base)
    for name, value in over.items():
        result[name] = merged(result[name], value) if isinstance(value, dict) and name in result else value
    return result


def asked_batch(settings: TrainSettings) -> int:
    """The largest batch that was asked for and not a default's or a preset's; 0 where there is none."""
    return max((group.batch for _, group in _trained(settings) if "batch" in group.model_fields_set), default=0)


def check_form(settings: TrainSettings, axes: int) -> None:
    """Refuse settings that know slices (``axes`` = 2) alone, or volumes (3) alone, where the others are learned.

    Raises:
        InputError: the first such setting of the masks.
    """
    topology = settings.topology
    if settings.part is not Part.TEXTURES and topology.on:
        if axes == 3 and topology.mode == "paper":
            raise InputError("The topological loss 'paper' knows slices alone: choose 'likelihood' for volumes.")
        if max(topology.dimensions.numbers(axes)) >= axes:
            raise InputError("Slices have no cavities: choose h0, h1 or all for topology.dimensions, or learn volumes.")
    if axes == 3 and settings.condition == "level":
        raise InputError("Volumes have no slice level: choose auto or none for condition.")


def fit_batches(settings: TrainSettings, samples: int, noun: str = "slice") -> tuple[TrainSettings, list[str]]:
    """Make batches that nobody asked for no larger than the training part, of so many slices (or volumes).

    Returns:
        The settings, and a sentence for each batch that is another now.

    Raises:
        InputError: a batch that was asked for is larger.
    """
    messages = []
    for part, group in _trained(settings):
        if group.batch <= samples:
            continue
        if "batch" in group.model_fields_set or samples < _SMALLEST_BATCH:
            raise InputError(
                f"{part}.batch is {group.batch} and the training set has {samples} {noun}s for training: "
                f"set it to {samples} or less, or prepare more data."
            )
        settings = settings.model_copy(update={part: group.model_copy(update={"batch": samples})})
        messages.append(f"{part}.batch is {samples} and not {group.batch}: there are no more {noun}s for training.")
    return settings, messages


def _trained(settings: TrainSettings) -> Iterator[tuple[str, MaskSettings | TextureSettings]]:
    groups: dict[Part, MaskSettings | TextureSettings] = {
        Part.MASKS: settings.masks,
        Part.TEXTURES: settings.textures,
    }
    return ((part.value, group) for part, group in groups.items() if settings.part in (Part.BOTH, part))
