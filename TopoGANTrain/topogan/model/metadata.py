"""``configs/metadata.json`` of a model package: what the networks are, what they were trained on, and their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from topogan.config import PRINTABLE, TrainSettings, in_words
from topogan.errors import InputError
from topogan.files import content_hash, read_json
from topogan.model.layout import METADATA, OPENED, refused
from topogan.presets import recorded_settings
from topogan_contract import schemas

_Count = Annotated[int, Field(ge=0, le=10**9)]
_BettiNumber = Annotated[int, Field(ge=0, le=9999)]
# "held_out" in packages of sets with two parts.
_TEST = AliasChoices("test", "held_out")
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Int16 = Annotated[float, Field(ge=-(2**15), le=2**15 - 1)]


class _Checked(BaseModel):
    # Later minor versions may say more than this one knows; what is known has to be right.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class BettiSummary(_Checked):
    """How often each (b0, b1), written "b0,b1", occurs in the real masks."""

    train: dict[str, _Count]
    validation: dict[str, _Count] = {}
    test: dict[str, _Count] = Field(validation_alias=_TEST)
    modal: tuple[_BettiNumber, _BettiNumber]


class TrainedOn(_Checked):
    """The training set, without anything that names a patient."""

    content_hash: Annotated[str, Field(max_length=200)]
    train: _Count
    validation: _Count = 0
    test: _Count = Field(validation_alias=_TEST)
    patients: _Count
    independent: bool


class Metadata(_Checked):
    """What is known of a model."""

    structure: Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]
    size: Literal[64, 128, 256]
    pixel_size_mm: Annotated[float, Field(gt=0.0, le=100.0)]
    intensity: Literal["HU", "arbitrary", "none"]
    window: tuple[_Int16, _Int16] | None
    betti: BettiSummary
    training_set: TrainedOn
    settings: TrainSettings
    training: dict[str, Any]
    files: dict[str, _Hash]
    """SHA-256 of each weights and reference file, by its name in the package."""
    content_hash: _Hash
    """Of all of ``files`` together: two models with the same one give the same samples."""

    @model_validator(mode="after")
    def _fits_together(self) -> Metadata:
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError("the window must rise")
        if not self.files.keys() <= set(OPENED[1:]):
            raise ValueError("it names files that are no part of a package")
        if self.content_hash != content_hash(self.files):
            raise ValueError("content_hash does not belong to files")
        return self


def read_metadata(folder: Path, package: Path) -> Metadata:
    """Read and check the metadata of the unpacked package ``folder``; errors name ``package``.

    Raises:
        InputError: it is damaged, of a later schema, or holds a value that is not allowed.
    """
    try:
        content = read_json(folder / METADATA, schemas.MODEL)
        settings = recorded_settings(content.get("settings"))
        return Metadata.model_validate({**content, "settings": settings})
    except ValidationError as error:
        raise refused(package, f"{METADATA} is wrong: {_first_complaint(error)}") from error
    except InputError as error:
        raise refused(package, str(error).replace(str(folder / METADATA), METADATA).rstrip(".")) from error
    except ValueError as error:  # Python's json does not read integers of thousands of digits
        raise refused(package, f"{METADATA} is damaged") from error


def _first_complaint(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return f"{name}: {in_words(first)}" if name else in_words(first)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
