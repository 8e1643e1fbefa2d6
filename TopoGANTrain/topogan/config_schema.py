"""``settings.schema.json``: what the Slicer panels know of the settings without importing the engine."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from topogan.config import (
    PhantomSettings,
    PrepareSettings,
    Settings,
    SynthesisSettings,
    TrainSettings,
)
from topogan.presets import preset_names, read_preset
from topogan_contract import schemas

_SECTIONS: dict[str, type[Settings]] = {
    "phantom": PhantomSettings,
    "prepare": PrepareSettings,
    "train": TrainSettings,
    "synthesize": SynthesisSettings,
}
_LIMITS = {"ge": "minimum", "gt": "minimum", "le": "maximum", "lt": "maximum"}


def leaf_fields(kind: type[Settings], prefix: str = "") -> list[tuple[str, FieldInfo]]:
    """List every single setting of ``kind`` with its dotted name, those of nested groups included."""
    leaves = []
    for name, field in kind.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Settings):
            leaves += leaf_fields(annotation, f"{prefix}{name}.")
        else:
            leaves.append((prefix + name, field))
    return leaves


def plain(value: Any) -> Any:
    """Return a default as JSON holds it."""
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def choices(field: FieldInfo) -> list[Any]:
    """Return the values a setting can take where they can be listed, else nothing."""
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


def _describe(name: str, field: FieldInfo) -> dict[str, Any]:
    default = plain(field.default)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    row: dict[str, Any] = {
        "name": name,
        "type": "enum" if choices(field) else type(default).__name__,
        "default": default,
        "title": field.title,
        "help": field.description,
        "unit": extra.get("unit", ""),
    }
    if choices(field):
        row["choices"] = [{"value": value, "label": str(value)} for value in choices(field)]
    for limit in field.metadata:
        for bound, key in _LIMITS.items():
            if getattr(limit, bound, None) is not None:
                row[key] = getattr(limit, bound)
        if getattr(limit, "pattern", None):
            row["pattern"] = limit.pattern
    return row


def settings_schema() -> dict[str, Any]:
    """Return every section's settings, with type, range, unit, default, help and choices, and the presets."""
    return {
        "schema": schemas.SETTINGS,
        "sections": {
            section: [_describe(name, field) for name, field in leaf_fields(kind)]
            for section, kind in _SECTIONS.items()
        },
        "presets": {name: read_preset(name) for name in preset_names()},
    }


def schema_text() -> str:
    """Return the file's exact text, so that a test can tell when it is stale."""
    return json.dumps(settings_schema(), indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the file beside the Slicer-side library: ``python -m topogan.config_schema``."""
    path = Path(__file__).resolve().parents[1] / "TopoGANLib" / "forms" / "settings.schema.json"
    path.write_text(schema_text(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
