"""What a segmentation shows: structures by name, and the named unions of them whose topology counts too."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from topogan.config import PRINTABLE, PrepareSettings, Settings, in_words, shown_value
from topogan.errors import InputError
from topogan.files import read_json
from topogan_contract import schemas

# More than any atlas of the heart has; each structure is a channel of every network.
MOST_STRUCTURES = 24
MOST_UNIONS = 12
# Okabe and Ito's, which the color-blind tell apart (https://jfly.uni-koeln.de/color/).
_COLORS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442")
# When they are used up they come again, lighter or darker: towards white (1) or black (-1).
_SHADES = (0.0, 0.5, -0.4, 0.75)

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]
_COLOR = r"^#[0-9a-fA-F]{6}$"
Color = Annotated[str, Field(pattern=_COLOR)]


class Structure(Settings):
    """One structure of a label map."""

    name: Name
    labels: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Label values that together make it in a segmentation; none where it is found by its name or its PNG colors."""
    png_colors: tuple[Color, ...] = ()
    """Its colors in PNG masks."""
    color: Color = _COLORS[0]
    """How it is shown; in a table, :func:`colored` where none was chosen."""
    terminology: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    """Slicer's serialized terminology entry, or nothing."""
    context: bool = False
    """Whether it is learned and painted, and its topology is not counted."""

    @model_serializer(mode="wrap")
    def _context_only_where_it_is(self, plain: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Versions that know no context read all other tables.
        content: dict[str, Any] = plain(self)
        return content if self.context else {name: value for name, value in content.items() if name != "context"}


class Region(NamedTuple):
    """A structure or a union, whose Betti numbers are counted."""

    name: str
    ids: tuple[int, ...]
    """The label ids that it is made of."""

    def of(self, labels: NDArray[np.generic]) -> NDArray[np.bool_]:
        """Where it is in label maps of any shape."""
        found = labels == self.ids[0]
        for label in self.ids[1:]:
            found |= labels == label
        return np.asarray(found)


class StructureTable(Settings):
    """Structures in the order of their label ids, which begin at 1; where two overlap, the earlier one wins.

    Those that are context stand last, have no Betti numbers, and do not say where patches lie.
    """

    structures: Annotated[tuple[Structure, ...], Field(min_length=1, max_length=MOST_STRUCTURES)]
    unions: Annotated[tuple[tuple[Name, ...], ...], Field(max_length=MOST_UNIONS)] = ()
    """Names of the structures of each union."""

    @field_validator("structures", mode="after")
    @classmethod
    def _with_colors(cls, structures: tuple[Structure, ...]) -> tuple[Structure, ...]:
        return tuple(
            one if "color" in one.model_fields_set else one.model_copy(update={"color": colored(number)})
            for number, one in enumerate(structures)
        )

    @classmethod
    def of_one(cls, settings: PrepareSettings) -> StructureTable:
        """The table of a single structure, as ``structure`` and ``labels`` name it."""
        return cls(structures=(Structure(name=settings.structure, labels=tuple(dict.fromkeys(settings.labels))),))

    @model_validator(mode="after")
    def _fits_together(self) -> StructureTable:
        self._check_context()
        for union in self.unions:
            unknown = [name for name in union if name not in self.names]
            if unknown:
                known = ", ".join(self.names)
                raise ValueError(f"a union names {unknown[0]!r}, which is none of the structures: choose among {known}")
            if len(set(union)) < 2 or len(set(union)) < len(union):
                raise ValueError(f"the union {' + '.join(union)!r} needs two different structures or more: add one")
        for what, values in (
            ("structure", self.names),
            ("label", [label for structure in self.structures for label in structure.labels]),
            ("color", [color.lower() for structure in self.structures for color in structure.png_colors]),
            ("union", [" + ".join(sorted(union)) for union in self.unions]),
            ("name", [*self.names[self.counted :], *(region.name for region in self.regions)]),
        ):
            value, count = Counter(values).most_common(1)[0] if values else ("", 0)
            if count > 1:
                times = "twice" if count == 2 else f"{count} times"
                raise ValueError(f"the {what} {value} is given {times}: give it once")
        return self

    def _check_context(self) -> None:
        kinds = [structure.context for structure in self.structures]
        if kinds != sorted(kinds):
            after = self.structures[kinds.index(True) + kinds[kinds.index(True) :].index(False)]
            raise ValueError(f"the structure {after.name} stands after context: put what is context last")
        if all(kinds):
            raise ValueError("all structures are context: one that is none is needed, add it")
        for union in self.unions:
            if context := [name for name in union if name in self.names[self.counted :]]:
                raise ValueError(f"a union names {context[0]!r}, which is context and has no topology: leave it out")

    @property
    def names(self) -> tuple[str, ...]:
        """Of the structures."""
        return tuple(structure.name for structure in self.structures)

    @property
    def without_context(self) -> StructureTable:
        """The same without what is context."""
        return self.model_copy(update={"structures": self.structures[: self.counted]})

    @property
    def counted(self) -> int:
        """How many structures, the first ones, are no context."""
        return sum(not structure.context for structure in self.structures)

    @property
    def regions(self) -> tuple[Region, ...]:
        """Each structure that is no context, then each union: what Betti numbers are counted of, in this order."""
        structures = [Region(name, (label,)) for label, name in enumerate(self.names[: self.counted], start=1)]
        ids = {name: label for label, name in enumerate(self.names, start=1)}
        return (*structures, *(Region(" + ".join(union), tuple(ids[name] for name in union)) for union in self.unions))

    def without_context_in(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Label maps in which what is context is background."""
        counted = self.counted
        return labels if counted == len(self) else np.where(labels <= counted, labels, np.uint8(0))

    @property
    def numbered(self) -> StructureTable:
        """The same for volumes whose values are the label ids already."""
        structures = (one.model_copy(update={"labels": (label,)}) for label, one in enumerate(self.structures, start=1))
        return self.model_copy(update={"structures": tuple(structures)})

    @property
    def title(self) -> str:
        """All names in a line."""
        return ", ".join(self.names)

    def __len__(self) -> int:
        return len(self.structures)


def colored(number: int) -> str:
    """The color of structure ``number`` (from 0) where none was chosen."""
    color, shade = _COLORS[number % len(_COLORS)], _SHADES[number // len(_COLORS) % len(_SHADES)]
    target = 255 if shade > 0 else 0
    values = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(value + abs(shade) * (target - value)):02x}" for value in values)


def read_table(path: Path) -> StructureTable:
    """Read a table from JSON: the schema ``topogan.structures/1``, ``structures`` and ``unions``.

    Raises:
        InputError: one sentence on the first thing that is wrong.
    """
    content = read_json(path, schemas.STRUCTURES)
    return checked_table({name: value for name, value in content.items() if name != "schema"}, f"in {path} ")


def table_of_words(structures: Sequence[str], unions: Sequence[str]) -> StructureTable:
    """Make a table of what a command line says: ``NAME=1,7``, ``NAME=#ff0000`` or ``NAME``; unions ``NAME+NAME``.

    Raises:
        InputError: one sentence on the first thing that is wrong.
    """
    rows = [_structure_of(word) for word in structures]
    return checked_table(
        {"structures": rows, "unions": [[one.strip() for one in union.split("+")] for union in unions]}
    )


def _structure_of(word: str) -> dict[str, Any]:
    name, equals, values = word.rpartition("=")
    if not equals:
        return {"name": word}
    found = [value.strip() for value in values.split(",")]
    if all(re.fullmatch(r"\d{1,9}", value) for value in found):
        return {"name": name, "labels": [int(value) for value in found]}
    if all(value.startswith("#") for value in found):
        return {"name": name, "png_colors": found}
    raise InputError(
        f"The structure {shown_value(word)} says neither labels nor colors: write {shown_value(name)[1:-1]}=1, or =1,7 "
        "for several labels, or =#ff0000 for a color in PNG masks."
    )


def refuse_unaskable_names(table: StructureTable) -> None:
    """Refuse names that the setting ``betti`` of a synthesis, "wall=1,1;cavity=1,0", could not tell apart.

    For new training sets alone: older ones may hold such names.

    Raises:
        InputError: a structure has such a name.
    """
    for name in table.names:
        if set(name) & set(";="):
            raise InputError(
                f"The structure {shown_value(name)} cannot be asked for by its name: rename it, without ; and = in it."
            )


def checked_table(content: Any, where: str = "") -> StructureTable:
    """Make a table of plain values; ``where`` is put into messages ("in FILE ").

    Raises:
        InputError: one sentence on the first thing that is wrong.
    """
    try:
        return StructureTable.model_validate(content)
    except ValidationError as error:
        raise InputError(f"The table of structures {where}cannot be used: {_wrong(error.errors()[0])}.") from error


def _wrong(first: Any) -> str:
    """What is wrong with which value of a table, and the remedy."""
    place, kind = first["loc"], first["type"]
    if not place:
        return in_words(first)
    if kind == "too_long" and len(place) == 1:
        count, most = first["ctx"]["actual_length"] or "more", first["ctx"]["max_length"]
        return f"it has {count} {place[0]} where {most} are the most, leave some out"
    if kind == "too_short" and len(place) == 1:
        return f"it has no {place[0]}, add one"
    of = f"{str(place[0])[:-1]} {place[1] + 1}" if len(place) > 1 else str(place[0])[:40]
    what = f"the {str(place[2])[:40]} of {of}" if len(place) > 2 and isinstance(place[2], str) else of
    if kind in ("missing", "extra_forbidden"):
        return f"{what} {'is missing, add it' if kind == 'missing' else 'does not exist, check its spelling'}"
    said = f"{what} cannot be {shown_value(first.get('input'))}"
    pattern = first.get("ctx", {}).get("pattern")
    if pattern == _COLOR:
        return f"{said}, write a color as {_COLORS[0]}"
    return f"{said}: {'it holds characters that cannot be printed' if pattern else in_words(first)}"
