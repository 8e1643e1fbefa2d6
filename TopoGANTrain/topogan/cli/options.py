"""Command-line options made from the settings, so that defaults, ranges and help stand in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from topogan.config import Settings, leaf_fields, plain
from topogan.errors import InputError
from topogan.structures import StructureTable, read_table, table_of_words

Structures = Annotated[
    list[str] | None,
    typer.Option(
        "--structure",
        help="A structure and its labels, NAME=2 or NAME=1,7; in PNG masks its colors, NAME=#ff0000; in DICOM "
        "segmentations and structure sets NAME alone. May be repeated; where two overlap, the first wins.",
    ),
]
Labels = Annotated[
    list[int] | None,
    typer.Option("--label", help="Label values (in DICOM, numbers) of a single --structure NAME. (default 1)"),
]
Unions = Annotated[
    list[str] | None,
    typer.Option("--union", help="Structures whose topology counts together, too: NAME+NAME. May be repeated."),
]
Table = Annotated[
    Path | None,
    typer.Option("--structures", help="JSON file (topogan.structures/1) with structures, colors, codes and unions."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output folder if it exists.")]
Output = Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")]


def structures_given(
    structures: list[str] | None, labels: list[int] | None, unions: list[str] | None, file: Path | None
) -> tuple[dict[str, Any], StructureTable | None]:
    """What the options on structures say: settings of a single one by name and label, or else a table.

    Raises:
        InputError: they contradict each other, or the table cannot be.
    """
    words = structures or []
    if file is not None:
        if words or labels or unions:
            raise InputError(f"{file} is to say what the structures are: leave --structure, --label and --union out.")
        return {}, read_table(file)
    if len(words) < 2 and not unions and not any("=" in word for word in words):
        given = {"structure": words[0] if words else None, "labels": labels or None}
        return {name: value for name, value in given.items() if value is not None}, None
    if labels:
        raise InputError(
            f"--label {labels[0]} does not say of which structure it is: write --structure NAME={labels[0]}."
        )
    return {}, table_of_words(words, unions or [])


def _option_type(field: FieldInfo) -> Any:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return type(get_args(annotation)[0])
    if get_origin(annotation) is tuple:
        of = get_args(annotation)[0]
        return list[get_args(of)[0] if get_origin(of) is Annotated else of]  # type: ignore[misc]
    return annotation


def _help(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {name: getattr(limit, name) for limit in field.metadata for name in ("ge", "le") if hasattr(limit, name)}
    span = f"{bounds['ge']:g} to {bounds['le']:g}" if len(bounds) == 2 and bounds["le"] < 1e9 else ""
    default = plain(field.default)
    shown = ",".join(map(str, default)) if isinstance(default, list) else str(default)
    notes = [note for note in (str(extra.get("unit", "")), span, f"default {shown}") if note]
    return f"{field.description} ({'; '.join(notes)})"


def _parameter(name: str, field: FieldInfo, rename: dict[str, str], repeated: bool) -> inspect.Parameter:
    flag = rename.get(name, _flag(name))
    declarations = [f"{flag}/--no-{flag[2:]}"] if isinstance(field.default, bool) else [flag, *_older(name, field)]
    # None means "not given", so that a preset's value is only replaced by what the user wrote.
    option = typer.Option(None, *declarations, help=_help(field), show_default=False, rich_help_panel=_panel(name))
    kind = list[str] if repeated else _option_type(field)
    return inspect.Parameter(
        name.replace(".", "__"), inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind | None
    )


def _flag(name: str) -> str:
    return "--" + name.replace(".", "-").replace("_", "-")


def _older(name: str, field: FieldInfo) -> list[str]:
    """Flags of the names that the setting had before."""
    names = field.validation_alias.choices[1:] if isinstance(field.validation_alias, AliasChoices) else []
    group, dot, _ = name.rpartition(".")
    return [_flag(f"{group}{dot}{older}") for older in names]


def _panel(name: str) -> str:
    group = name.split(".", maxsplit=1)[0] if "." in name else ""
    return {"masks": "Masks", "topology": "Topology", "textures": "Textures"}.get(group, "Settings")


def with_settings(
    kind: type[Settings],
    without: tuple[str, ...] = (),
    rename: dict[str, str] | None = None,
    repeated: dict[str, str] | None = None,
) -> Callable[..., Any]:
    """Give a command one option for each setting of ``kind``; it receives those the user wrote as ``given``.

    The command's parameter ``given`` is a nested dictionary, ready for :func:`topogan.config.validated`.

    Args:
        kind: the settings.
        without: settings that are no options of the command.
        rename: flags of settings that are not called as the setting is.
        repeated: settings whose option may stand several times, and what joins the texts.
    """
    separators = repeated or {}

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True)
        leaves = [leaf for leaf in leaf_fields(kind) if leaf[0] not in without]
        options = [_parameter(name, field, rename or {}, name in separators) for name, field in leaves]

        def run(**arguments: Any) -> None:
            given: dict[str, Any] = {}
            for name, _ in leaves:
                value = arguments.pop(name.replace(".", "__"))
                if value is not None and value != []:
                    value = separators[name].join(value) if name in separators else value
                    _put(given, name, value.value if isinstance(value, Enum) else value)
            command(given=given, **arguments)

        kept = [parameter for parameter in own.parameters.values() if parameter.name != "given"]
        run.__signature__ = own.replace(parameters=kept + options)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in kept + options}
        run.__name__, run.__doc__ = command.__name__, command.__doc__
        return run

    return decorate


def _put(target: dict[str, Any], dotted: str, value: Any) -> None:
    *groups, name = dotted.split(".")
    for group in groups:
        target = target.setdefault(group, {})
    target[name] = value
