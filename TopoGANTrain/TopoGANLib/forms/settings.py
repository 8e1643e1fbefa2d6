"""The engine's settings as parameters of a MRML node, made from ``settings.schema.json``.

The file is written by the engine, so that defaults, limits and help stand in one place, and a panel opens before
anything of the engine is installed.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from topogan_contract import schemas
from TopoGANLib.words import tr as _

_FILE = Path(__file__).with_name("settings.schema.json")
_MOST_DECIMALS = 6
_FORM_OF_SAMPLES = ("volumes", "size", "poses")
"""Settings of the preparation that presets are about."""


class SettingChoice(enum.Enum):
    """Base of every choice. A scene stores the name, which is the engine's own word for it."""

    def label(self) -> str:
        """What the user reads."""
        return type(self)._labels[self.name]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Setting:
    """One setting of one of the engine's commands."""

    section: str
    name: str
    """As the engine knows it, such as ``masks.steps``."""
    type: str
    default: Any
    title: str
    help: str
    unit: str
    minimum: float | None
    maximum: float | None
    choices: tuple[tuple[Any, str], ...]
    """Value and label of each."""

    @property
    def attribute(self) -> str:
        """Name of the parameter, such as ``train_masks_steps``."""
        return f"{self.section}_{self.name.replace('.', '_')}"

    @property
    def option(self) -> str:
        """Name of the option on the command line."""
        return "--" + self.name.replace(".", "-").replace("_", "-")

    @property
    def decimals(self) -> int:
        """Digits behind the point that a box needs: enough for the default and one more, to change it by."""
        text = f"{float(self.default):.{_MOST_DECIMALS}f}".rstrip("0")
        return min(_MOST_DECIMALS, max(2, len(text.partition(".")[2]) + 1))

    def tool_tip(self) -> str:
        """The help with limits, unit and default."""
        limits = "" if self.minimum is None or self.maximum is None else f"{self.minimum:g} to {self.maximum:g}"
        span = " ".join(part for part in (limits, self.unit) if part)
        default = ",".join(map(str, self.default)) if self.type == "list" else str(self.default)
        notes = [note for note in (span, f"default {default}" if default else "") if note]
        return f"{self.help} ({'; '.join(notes)})" if notes else self.help

    def parameter(self) -> tuple[Any, Any]:
        """Type, with limits, and default of the parameter."""
        if self.choices:
            kind = self._choice_class()
            return kind, kind[str(self.default)]
        if self.type == "bool":
            return bool, bool(self.default)
        if self.type in ("int", "float"):
            kind = int if self.type == "int" else float
            if self.minimum is None or self.maximum is None:
                return kind, kind(self.default)
            return Annotated[kind, WithinRange(kind(self.minimum), kind(self.maximum))], kind(self.default)
        return str, ",".join(map(str, self.default)) if self.type == "list" else str(self.default)

    def arguments(self, value: Any) -> list[str]:
        """What the command line takes for a parameter's value: of a list, the option once for each entry."""
        if self.type == "bool":
            return [self.option if value else self.option.replace("--", "--no-", 1)]
        words = self.to_json(value)
        # Written in one word, or an empty text or a negative number would be taken for something else.
        return [f"{self.option}={word}" for word in (words if self.type == "list" else [words])]

    def to_json(self, value: Any) -> Any:
        """The engine's value for a parameter's; words that it does not know stay, for the engine to refuse."""
        if self.choices:
            word = getattr(value, "name", value)
            return next((known for known, _ in self.choices if str(known) == str(word)), word)
        if self.type == "list":
            words = [word.strip() for word in str(value).split(",") if word.strip()]
            return [int(word) if word.isdecimal() else word for word in words]
        return value

    def from_json(self, value: Any) -> Any:
        """The parameter's value for one of the engine's."""
        kind, _ = self.parameter()
        if self.choices:
            return kind[str(value)]
        if self.type == "list":
            return ",".join(map(str, value))
        return float(value) if self.type == "float" else value

    def _choice_class(self) -> type[SettingChoice]:
        if self.attribute not in _choice_classes:
            names = [str(value) for value, _ in self.choices]
            kind = SettingChoice(self.attribute, {name: name for name in names})  # type: ignore[call-overload]
            kind._labels = dict(zip(names, (label for _, label in self.choices), strict=True))
            _choice_classes[self.attribute] = kind
        return _choice_classes[self.attribute]


# One class a choice for all panels: a value of one must be a value of the other.
_choice_classes: dict[str, type[SettingChoice]] = {}


def read_settings(*sections: str) -> list[Setting]:
    """All settings of some of the engine's commands: ``"prepare"``, ``"train"``, ``"synthesize"``."""
    rows = _read()["sections"]
    return [_setting(section, row) for section in sections for row in rows[section]]


def read_presets() -> dict[str, dict[str, Any]]:
    """Named sets of settings: ``{"quick": {"title": …, "help": …, "train": {"masks": {"steps": 600}}}}``."""
    return _read()["presets"]


def preset_values(preset: Mapping[str, Any], settings: Iterable[Setting]) -> dict[str, Any]:
    """The parameters that every preset sets: what this one leaves open is at its default, whatever came before it.

    Of the preparation these are the form of the samples; all else describes the user's data and is never set.
    """
    values = {}
    for setting in settings:
        if setting.section == "train" or (setting.section == "prepare" and setting.name in _FORM_OF_SAMPLES):
            given: Any = preset.get(setting.section)
            for part in setting.name.split("."):
                given = given.get(part) if isinstance(given, Mapping) else None
            values[setting.attribute] = setting.from_json(setting.default if given is None else given)
    return values


def changed_values(settings: Iterable[Setting], parameters: Any) -> dict[str, Any]:
    """The parameters that are not at their defaults: the engine may adapt a default, and refuses what it is told."""
    values = {setting.attribute: getattr(parameters, setting.attribute) for setting in settings}
    return {name: value for name, value in values.items() if value != parameters.defaultValues[name]}


def known_values(settings: Iterable[Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of parameters by name as a script gives them, without empty texts, which say nothing.

    Raises:
        RuntimeError: there is no such setting.
    """
    unknown = set(values) - {setting.attribute for setting in settings}
    if unknown:
        raise RuntimeError(_("There is no setting {name}.").format(name=sorted(unknown)[0]))
    return {name: value for name, value in values.items() if value != ""}


def command_arguments(settings: Iterable[Setting], values: Mapping[str, Any]) -> list[str]:
    """Options of the command line for the values of parameters, by name; what is not among them is left out."""
    known = [setting for setting in settings if setting.attribute in values]
    return [word for setting in known for word in setting.arguments(values[setting.attribute])]


def nested_values(settings: Iterable[Setting], values: Mapping[str, Any]) -> dict[str, Any]:
    """The same as the engine's JSON: ``{"masks": {"steps": 500}}``."""
    nested: dict[str, Any] = {}
    for setting in settings:
        if setting.attribute in values:
            *groups, name = setting.name.split(".")
            group = nested
            for part in groups:
                group = group.setdefault(part, {})
            group[name] = setting.to_json(values[setting.attribute])
    return nested


def parameter_node_class(name: str, settings: Iterable[Setting], **others: tuple[Any, Any]) -> type:
    """A parameter node wrapper with a parameter for each setting.

    Its attributes ``choiceWords`` and ``defaultValues`` hold the words that each choice knows, and the defaults.

    Args:
        name: of the class.
        settings: what the engine knows.
        others: type and default of parameters that the panel alone knows.
    """
    parameters = {setting.attribute: setting.parameter() for setting in settings} | others
    annotations = {attribute: kind for attribute, (kind, _) in parameters.items()}
    defaults = {attribute: default for attribute, (_, default) in parameters.items() if default is not None}
    kind = parameterNodeWrapper(type(name, (), {"__annotations__": annotations, "__module__": __name__, **defaults}))
    choices = {attribute: choice for attribute, choice in annotations.items() if isinstance(choice, enum.EnumMeta)}
    kind.choiceWords = {attribute: frozenset(choice.__members__) for attribute, choice in choices.items()}
    kind.defaultValues = defaults
    return kind


def _read() -> dict[str, Any]:
    content = json.loads(_FILE.read_text(encoding="utf-8"))
    if content.get("schema") != schemas.SETTINGS:
        raise RuntimeError(_("{file} is of another version: install the TopoGAN extension again.").format(file=_FILE))
    return content


def _setting(section: str, row: Mapping[str, Any]) -> Setting:
    choices = tuple((choice["value"], choice["label"]) for choice in row.get("choices", ()))
    return Setting(
        section=section,
        name=row["name"],
        type=row["type"],
        default=row["default"],
        title=row["title"],
        help=row["help"],
        unit=row.get("unit", ""),
        minimum=row.get("minimum"),
        maximum=row.get("maximum"),
        choices=choices,
    )
