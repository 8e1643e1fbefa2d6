"""What all settings have in common: strict, frozen, and each with its words."""

from __future__ import annotations

from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

# Names are shown in terminals, figures, reports and Slicer: no line ends, no codes that would drive a terminal.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"
# What a registry can hold; whether it does is asked when it is used (topogan.errors.lookup).
REGISTERED = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$"


class Settings(BaseModel):
    """Frozen, strict about names: a misspelt setting is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def setting(default: Any, title: str, text: str, unit: str = "", **limits: Any) -> Any:
    """A field with what a panel shows: a short ``title``, a help ``text`` and a ``unit``."""
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    return Field(default=default, title=title, description=text, json_schema_extra=extra, **limits)


class Device(str, Enum):
    """Where the networks run; persistence always runs on the CPU."""

    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


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
