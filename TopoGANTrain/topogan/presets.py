"""Named sets of training settings, shared by the command line and the panels."""

from __future__ import annotations

import json
from typing import Any

from topogan.errors import InputError
from topogan.resources import resource_path


def preset_names() -> list[str]:
    """List the presets that come with TopoGAN."""
    return sorted(path.stem for path in resource_path("presets").glob("*.json"))


def read_preset(name: str) -> dict[str, Any]:
    """Return a preset: ``{"title", "help", "train": settings that differ from the defaults}``.

    Raises:
        InputError: there is no such preset; the message lists those there are.
    """
    if name not in preset_names():
        raise InputError(f"There is no preset {name!r}: choose one of {', '.join(preset_names())}.")
    content: dict[str, Any] = json.loads(resource_path("presets", f"{name}.json").read_text(encoding="utf-8"))
    return content
