"""``settings.schema.json``: what the Slicer panels know of the settings without importing the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    leaf_fields,
    plain,
)
from topogan.losses import LOSSES
from topogan.networks import MASK_NETWORKS, TEXTURE_NETWORKS
from topogan.presets import preset_names, read_preset
from topogan.training.objectives import OBJECTIVES
from topogan_contract import schemas

_SECTIONS: dict[str, type[Settings]] = {
    "phantom": PhantomSettings,
    "prepare": PrepareSettings,
    "train": TrainSettings,
    "synthesize": SynthesisSettings,
}
_REGISTRIES: dict[str, Mapping[str, Any]] = {
    "masks.backbone": MASK_NETWORKS,
    "masks.objective": OBJECTIVES,
    "topology.mode": LOSSES,
    "textures.network": TEXTURE_NETWORKS,
}
_LIMITS = {"ge": "minimum", "gt": "minimum", "le": "maximum", "lt": "maximum"}


def choices(name: str, field: FieldInfo) -> list[Any]:
    """Return the values a setting can take where they can be listed, else nothing."""
    if name in _REGISTRIES:
        return list(_REGISTRIES[name])
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return [member.value for member in annotation]
    return list(get_args(annotation)) if get_origin(annotation) is Literal else []


def _describe(name: str, field: FieldInfo) -> dict[str, Any]:
    default = plain(field.default)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    options = choices(name, field)
    row: dict[str, Any] = {
        "name": name,
        "type": "enum" if options else type(default).__name__,
        "default": default,
        "title": field.title,
        "help": field.description,
        "unit": extra.get("unit", ""),
    }
    if options:
        row["choices"] = [{"value": value, "label": str(value)} for value in options]
    for limit in field.metadata:
        for bound, key in _LIMITS.items():
            if getattr(limit, bound, None) is not None:
                row[key] = getattr(limit, bound)
        if getattr(limit, "pattern", None) and not options:
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
