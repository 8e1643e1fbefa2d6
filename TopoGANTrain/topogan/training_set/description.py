"""What ``dataset.json`` says of a training set, in this schema and in older ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from topogan.config import Center, PatchSize, check_size, in_words
from topogan.files import read_json
from topogan.structures import StructureTable
from topogan.training_set.damage import damaged
from topogan.training_set.table import OLD_TEST, betti_columns

SCHEMA = "topogan.training-set/3"
# Of one structure alone.
_SECOND_SCHEMA = "topogan.training-set/2"
# With two parts.
_OLD_SCHEMA = "topogan.training-set/1"
# As many slices as there may be diagrams: beyond every set.
_MOST_SLICES = 1 << 20

_Count = Annotated[int, Field(ge=0, le=_MOST_SLICES)]
_Int16 = Annotated[float, Field(ge=-(2**15), le=2**15 - 1)]


class _Checked(BaseModel):
    # Later minor versions may say more than this one knows; what is known has to be right.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Counts(_Checked):
    total: _Count
    train: _Count
    validation: _Count = 0
    test: Annotated[_Count, Field(validation_alias=AliasChoices("test", OLD_TEST))]


class _Betti(_Checked):
    modal: tuple[tuple[_Count, ...], ...]


class _Prepared(_Checked):
    tiling: bool = False
    center: Center = Center.SLICE


class Description(_Checked):
    """What is read of ``dataset.json``."""

    written_as: Annotated[str, Field(validation_alias="schema")]
    table: StructureTable
    axes: Literal[2, 3] = 2
    size: PatchSize
    pixel_size_mm: Annotated[float, Field(gt=0.0, le=100.0)]
    intensity: Literal["HU", "arbitrary", "none"]
    window: tuple[_Int16, _Int16] | None
    independent: bool
    counts: _Counts
    betti: _Betti
    content_hash: Annotated[str, Field(max_length=200)]
    image_pixel_size_mm: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.0
    settings: _Prepared = _Prepared()

    @model_validator(mode="before")
    @classmethod
    def _of_one_structure(cls, content: Any) -> Any:
        """Sets of the first two schemas name one structure, and count its Betti numbers alone."""
        if not isinstance(content, dict) or "table" in content or not isinstance(content.get("betti"), dict):
            return content
        one = {"name": content.get("structure"), "labels": content.get("labels", ())}
        modal = {"modal": [content["betti"]["modal"]]} if "modal" in content["betti"] else {}
        return {**content, "table": {"structures": [one]}, "betti": modal}

    @model_validator(mode="after")
    def _fits_together(self) -> Description:
        if (self.window is None) != (self.intensity == "none"):
            raise ValueError("it names images and no window, or a window and no images")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError("its window does not rise")
        if len(self.betti.modal) != len(self.table.regions):
            raise ValueError("betti.modal and table name differently many structures and unions")
        if any(len(one) != self.axes for one in self.betti.modal):
            raise ValueError(f"betti.modal should have {self.axes} numbers for each structure")
        check_size(self.size, self.axes)
        return self

    @property
    def betti_columns(self) -> tuple[tuple[str, ...], ...]:
        """The columns of its table with the Betti numbers of each region."""
        return betti_columns(self.table, self.axes) if self.written_as == SCHEMA else (("b0", "b1"),)

    @property
    def hashes_whole_files(self) -> bool:
        """Whether its hash is over the arrays' files, headers and all, and over no table."""
        return self.written_as == _OLD_SCHEMA


def read_description(folder: Path) -> Description:
    """Read ``dataset.json`` of the training set ``folder``.

    Raises:
        InputError: it is missing, not that of a training set, or contradicts itself.
    """
    content = read_json(folder / "dataset.json", SCHEMA, _SECOND_SCHEMA, _OLD_SCHEMA)
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "dataset.json"
        raise damaged(folder, f"{name}: {in_words(first)}") from error
