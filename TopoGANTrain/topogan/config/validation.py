"""Settings from plain values, and what is wrong with them in words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from topogan.config.base import PRINTABLE, Settings, leaf_fields
from topogan.errors import InputError

_MOST_SHOWN = 80
AnySettings = TypeVar("AnySettings", bound=Settings)


def validated(kind: type[AnySettings], values: Any) -> AnySettings:
    """Make settings from plain values.

    Raises:
        InputError: one sentence that names the first setting that is wrong, its value, and what is allowed.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        # Of a list of names the one that is shown tells which it is.
        place = first["loc"][:-1] if first["type"] == "enum" and isinstance(first["loc"][-1], int) else first["loc"]
        name = ".".join(str(part) for part in place) or kind.__name__
        if first["type"] == "extra_forbidden":
            raise InputError(f"The setting {name[:_MOST_SHOWN]} does not exist: check its spelling.") from error
        raise InputError(
            f"The setting {name} cannot be {shown_value(first.get('input'))}: {_reason(kind, first)}."
        ) from error


def shown_value(value: Any) -> str:
    """A value as messages show it, at bounded length."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."


def _reason(kind: type[Settings], error: Any) -> str:
    """What is wrong; for a text of the wrong form the setting's own help instead of a regular expression."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] != PRINTABLE:
        field = dict(leaf_fields(kind))[".".join(error["loc"])]
        return str(field.description).rstrip(".")
    return in_words(error)


def in_words(error: Any) -> str:
    """What is wrong with a value, of an entry of pydantic's ``ValidationError.errors()``: no capital, no full stop."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] == PRINTABLE:
        return "it holds characters that cannot be printed"
    if error["type"] == "model_type":
        return "it should be a group of values"
    if error["type"] == "tuple_type":
        return "it should be a list"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]
