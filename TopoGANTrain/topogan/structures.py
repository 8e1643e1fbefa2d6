"""What a segmentation shows: structures by name, and the named unions of them whose topology counts too."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from topogan.config import PRINTABLE, PrepareSettings, Settings

# More than any atlas of the heart has; each structure is a channel of every network.
MOST_STRUCTURES = 24
MOST_UNIONS = 12
# Okabe and Ito's, which the color-blind tell apart (https://jfly.uni-koeln.de/color/).
_COLORS = ("#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#0072b2", "#d55e00", "#f0e442")

Name = Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]
Color = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]


class Structure(Settings):
    """One structure of a label map."""

    name: Name
    labels: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """Label values that together make it in a segmentation; none where it is found by its name or its PNG colors."""
    png_colors: tuple[Color, ...] = ()
    """Its colors in PNG masks."""
    color: Color = _COLORS[0]
    """How it is shown."""
    terminology: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] = ""
    """Slicer's serialized terminology entry, or nothing."""


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
    """Structures in the order of their label ids, which begin at 1; where two overlap, the earlier one wins."""

    structures: Annotated[tuple[Structure, ...], Field(min_length=1, max_length=MOST_STRUCTURES)]
    unions: Annotated[tuple[tuple[Name, ...], ...], Field(max_length=MOST_UNIONS)] = ()
    """Names of the structures of each union."""

    @classmethod
    def of_one(cls, settings: PrepareSettings) -> StructureTable:
        """The table of a single structure, as ``structure`` and ``labels`` name it."""
        return cls(structures=(Structure(name=settings.structure, labels=settings.labels),))

    @model_validator(mode="after")
    def _fits_together(self) -> StructureTable:
        for what, values in (
            ("the structure", self.names),
            ("the label", [label for structure in self.structures for label in structure.labels]),
            ("the color", [color for structure in self.structures for color in structure.png_colors]),
            ("the union", [" + ".join(sorted(union)) for union in self.unions]),
        ):
            value, count = Counter(values).most_common(1)[0] if values else ("", 0)
            if count > 1:
                raise ValueError(f"{what} {value} is named {'twice' if count == 2 else f'{count} times'}")
        for union in self.unions:
            unknown = [name for name in union if name not in self.names]
            if unknown:
                raise ValueError(f"a union names {unknown[0]}, which is none of the structures {', '.join(self.names)}")
            if len(set(union)) < 2 or len(set(union)) < len(union):
                raise ValueError(f"the union {' + '.join(union)} needs two different structures or more")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Of the structures."""
        return tuple(structure.name for structure in self.structures)

    @property
    def regions(self) -> tuple[Region, ...]:
        """Each structure, then each union: what Betti numbers are counted of, in this order."""
        ids = {name: label for label, name in enumerate(self.names, start=1)}
        structures = [Region(name, (label,)) for name, label in ids.items()]
        return (*structures, *(Region(" + ".join(union), tuple(ids[name] for name in union)) for union in self.unions))

    @property
    def title(self) -> str:
        """All names in a line."""
        return ", ".join(self.names)

    def __len__(self) -> int:
        return len(self.structures)


def colored(number: int) -> str:
    """The color of structure ``number`` (from 0) where none was chosen."""
    return _COLORS[number % len(_COLORS)]
