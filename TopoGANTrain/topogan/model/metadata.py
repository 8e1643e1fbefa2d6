"""``configs/metadata.json`` of a model package: what the networks are, what they were trained on, and their hashes."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from topogan.config import Center, PatchSize, TrainSettings, check_size, in_words
from topogan.errors import InputError
from topogan.files import content_hash, read_json
from topogan.model.layout import METADATA, OPENED, TEXTURES_GENERATOR, refused
from topogan.presets import recorded_settings
from topogan.structures import Region, StructureTable
from topogan.verdict import RealTopologies
from topogan_contract import schemas
from topogan_contract.figures import Figures, read_figures
from topogan_contract.privacy import sentence_of_figures

# More say little, and the file stays below what readers take.
MOST_TOPOLOGIES = 2000
_Count = Annotated[int, Field(ge=0, le=10**9)]
# As many as a volume of 128 voxels has room for.
_BettiNumber = Annotated[int, Field(ge=0, le=128**3)]
# "held_out" in packages of sets with two parts.
_TEST = AliasChoices("test", "held_out")
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Int16 = Annotated[float, Field(ge=-(2**15), le=2**15 - 1)]


class _Checked(BaseModel):
    # Later minor versions may say more than this one knows; what is known has to be right.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


Histograms = dict[str, dict[str, _Count]]


class BettiSummary(_Checked):
    """How often each (b0, b1), written "b0,b1", occurs in the real masks of each region; in volumes "b0,b1,b2"."""

    train: Histograms
    validation: Histograms = {}
    test: Histograms = Field(validation_alias=_TEST)
    modal: tuple[tuple[_BettiNumber, ...], ...]
    """What the regions most frequently have, all together."""


class Topologies(_Checked):
    """How many training slices of a tenth of the level have which topology in all regions."""

    tenth: Annotated[int, Field(ge=0, le=9)]
    betti: Annotated[str, Field(max_length=1000, pattern=r"^\d{1,7}(,\d{1,7}){1,2}( \d{1,7}(,\d{1,7}){1,2})*$")]
    """(b0, b1) of region after region: "1,0 1,1"; in volumes (b0, b1, b2): "1,0,0 1,1,0"."""
    count: _Count

    @property
    def numbers(self) -> tuple[tuple[int, ...], ...]:
        """The Betti numbers of each region."""
        return tuple(tuple(int(number) for number in pair.split(",")) for pair in self.betti.split())


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

    table: StructureTable
    axes: Literal[2, 3] = 2
    """2 for slices, 3 for volumes."""
    size: PatchSize
    pixel_size_mm: Annotated[float, Field(gt=0.0, le=100.0)]
    intensity: Literal["HU", "arbitrary", "none"]
    window: tuple[_Int16, _Int16] | None
    center: Literal[Center.SLICE, Center.VOLUME] = Center.SLICE
    """What patches of slices lay around."""
    betti: BettiSummary
    levels: Annotated[tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...], Field(max_length=101)] = ()
    """0 %, 1 %, … 100 % of the training slices lie below these levels."""
    topologies: Annotated[tuple[Topologies, ...], Field(max_length=MOST_TOPOLOGIES)] = ()
    """What training slices show, the rarest left out where there are too many."""
    training_set: TrainedOn
    figures: Figures | None = None
    """How good its samples are, beside real against real; None where that was not measured."""
    settings: TrainSettings
    training: dict[str, Any]
    files: dict[str, _Hash]
    """SHA-256 of each weights and reference file, by its name in the package."""
    content_hash: _Hash
    """Of all of ``files`` together: two models with the same one give the same samples."""

    @field_validator("figures", mode="before")
    @classmethod
    def _read_figures(cls, value: Any) -> Any:
        return value if isinstance(value, Figures) else read_figures(value)

    @model_validator(mode="after")
    def _fits_together(self) -> Metadata:
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError("the window must rise")
        regions = len(self.regions)
        seen = [one.numbers for one in self.topologies]
        if {regions} != {len(self.betti.modal), *map(len, seen)}:
            raise ValueError("betti.modal or topologies and table name differently many structures and unions")
        if self.figures is not None and len(self.figures.regions) != regions:
            raise ValueError("figures and table name differently many structures and unions")
        check_size(self.size, self.axes)
        if {self.axes} != {len(one) for joint in (self.betti.modal, *seen) for one in joint}:
            raise ValueError(f"betti.modal and topologies should have {self.axes} numbers for each structure")
        if list(self.levels) != sorted(self.levels) or (self.told_level and not self.levels):
            raise ValueError("the levels must rise")
        if not self.files.keys() <= set(OPENED[1:]):
            raise ValueError("it names files that are no part of a package")
        if self.content_hash != content_hash(self.files):
            raise ValueError("content_hash does not belong to files")
        return self

    @property
    def structure(self) -> str:
        """The names of all structures in a line."""
        return self.table.title

    @property
    def regions(self) -> tuple[Region, ...]:
        """The structures, then the unions."""
        return self.table.regions

    @property
    def noun(self) -> str:
        """What a sample is called: "slice" or "volume"."""
        return "slice" if self.axes == 2 else "volume"

    @property
    def privacy(self) -> str:
        """How close raw samples come to patients, in a sentence; empty where that was not measured."""
        if self.figures is None:
            return ""
        paints, independent = TEXTURES_GENERATOR in self.files, self.training_set.independent
        return sentence_of_figures(self.figures, self.noun, paints, independent)

    @property
    def told_level(self) -> bool:
        """Whether the networks are told the slice level."""
        return self.settings.tells_level(len(self.table), self.axes)

    @cached_property
    def real(self) -> RealTopologies:
        """Which topologies training slices show, by level."""
        return RealTopologies((one.tenth, one.numbers, one.count) for one in self.topologies)


def read_metadata(folder: Path, package: Path) -> Metadata:
    """Read and check the metadata of the unpacked package ``folder``; errors name ``package``.

    Raises:
        InputError: it is damaged, of a later schema, or holds a value that is not allowed.
    """
    try:
        content = read_json(folder / METADATA, schemas.MODEL, schemas.FIRST_MODEL)
        if content["schema"] == schemas.FIRST_MODEL:
            content = _of_one_structure(content)
        settings = recorded_settings(content.get("settings"))
        return Metadata.model_validate({**content, "settings": settings})
    except ValidationError as error:
        raise refused(package, f"{METADATA} is wrong: {_first_complaint(error)}") from error
    except InputError as error:
        raise refused(package, str(error).replace(str(folder / METADATA), METADATA).rstrip(".")) from error
    except ValueError as error:  # Python's json does not read integers of thousands of digits
        raise refused(package, f"{METADATA} is damaged") from error


def _of_one_structure(content: dict[str, Any]) -> dict[str, Any]:
    """Bring metadata of the first schema, which knew one structure, to this one."""
    name, betti = content.get("structure"), content.get("betti")
    table = {"structures": [{"name": name}]}
    if not isinstance(betti, dict) or not isinstance(name, str):
        return {**content, "table": table}
    counts = {part: {name: found} for part, found in betti.items() if part != "modal"}
    train = betti.get("train")
    seen = [{"tenth": 0, "betti": one, "count": n} for one, n in train.items()] if isinstance(train, dict) else []
    return {**content, "table": table, "betti": {**counts, "modal": [betti.get("modal")]}, "topologies": seen}


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
