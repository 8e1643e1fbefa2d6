"""Read a training set: the folder that :func:`topogan.dataset.prepare` writes."""

from __future__ import annotations

import csv
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from topogan.config import PRINTABLE, in_words
from topogan.errors import InputError
from topogan.files import read_json

if TYPE_CHECKING:
    from topogan.homology import Diagram

SCHEMA = "topogan.training-set/1"
# Fewer masks say nothing of a distribution, and a batch could not be drawn from them.
MINIMUM_TRAIN_SLICES = 16
TRAIN, HELD_OUT = "train", "held_out"
# A patch of 256 pixels has no room for more pieces or holes.
_MOST_CLASSES = 256 * 256


_Count = Annotated[int, Field(ge=0, le=10**9)]
_Int16 = Annotated[float, Field(ge=-(2**15), le=2**15 - 1)]


class _Checked(BaseModel):
    # Later minor versions may say more than this one knows; what is known has to be right.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Counts(_Checked):
    total: _Count
    train: _Count
    held_out: _Count


class _Betti(_Checked):
    modal: tuple[_Count, _Count]


class _Description(_Checked):
    """What is read of ``dataset.json``."""

    structure: Annotated[str, Field(min_length=1, max_length=60, pattern=PRINTABLE)]
    size: Literal[64, 128, 256]
    pixel_size_mm: Annotated[float, Field(gt=0.0, le=100.0)]
    intensity: Literal["HU", "arbitrary", "none"]
    window: tuple[_Int16, _Int16] | None
    independent: bool
    counts: _Counts
    betti: _Betti
    content_hash: Annotated[str, Field(max_length=200)]

    @model_validator(mode="after")
    def _fits_together(self) -> _Description:
        if (self.window is None) != (self.intensity == "none"):
            raise ValueError("it names images and no window, or a window and no images")
        if self.window is not None and not self.window[0] < self.window[1]:
            raise ValueError("its window does not rise")
        return self


@dataclass(frozen=True)
class TrainingSet:
    """N patches with their masks; ``masks`` and ``images`` stay on disk and are read where they are indexed.

    Attributes:
        folder: where it lies.
        structure: name of the segmented structure.
        size: width and height of a patch in pixels.
        pixel_size: mm per pixel.
        intensity: ``"HU"``, ``"arbitrary"`` or ``"none"`` (no images).
        window: lowest and highest intensity that textures show; None without images.
        independent: False where training and held-out slices come from the same patient.
        modal_betti: the most frequent (b0, b1) of the training masks.
        content_hash: SHA-256 over masks and images.
        masks: uint8 label ids [N, H, W]; 1 = structure.
        images: int16 [N, H, W], or None.
        train: row numbers of the training split, int64, rising.
        held_out: row numbers of the held-out split, int64, rising.
        patients: pseudonym of the patient of each row.
        levels: place of each slice along its structure, 0 to 1: float64 [N].
        betti: (b0, b1) of each mask: int64 [N, 2].

    Example:
        >>> real = TrainingSet.open(Path("training_set"))
        >>> real.masks[real.train].mean()
    """

    folder: Path
    structure: str
    size: int
    pixel_size: float
    intensity: str
    window: tuple[float, float] | None
    independent: bool
    modal_betti: tuple[int, int]
    content_hash: str
    masks: np.ndarray
    images: np.ndarray | None
    train: np.ndarray
    held_out: np.ndarray
    patients: list[str]
    levels: np.ndarray
    betti: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> TrainingSet:
        """Open a training set.

        Raises:
            InputError: the folder is missing or not a training set, or its files do not fit together.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"There is no training set at {folder}: make one with 'topogan prepare'.")
        content = read_json(folder / "dataset.json", SCHEMA)
        try:
            described = _Description.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "dataset.json"
            raise _damaged(folder, f"{name}: {in_words(first)}") from error
        return cls._of(folder, described, _read_rows(folder / "slices.csv"))

    @classmethod
    def _of(cls, folder: Path, described: _Description, rows: list[_Row]) -> TrainingSet:
        shape = (len(rows), described.size, described.size)
        splits = np.array([row.split for row in rows])
        train, held_out = np.flatnonzero(splits == TRAIN), np.flatnonzero(splits == HELD_OUT)
        counts = described.counts
        if (len(rows), len(train), len(held_out)) != (counts.total, counts.train, counts.held_out):
            raise _damaged(folder, "slices.csv and dataset.json count differently")
        return cls(
            folder=folder,
            structure=described.structure,
            size=described.size,
            pixel_size=described.pixel_size_mm,
            intensity=described.intensity,
            window=described.window,
            independent=described.independent,
            modal_betti=described.betti.modal,
            content_hash=described.content_hash,
            masks=_array(folder, "masks.npy", shape, np.uint8),
            images=_array(folder, "images.npy", shape, np.int16) if described.window is not None else None,
            train=train,
            held_out=held_out,
            patients=[row.patient for row in rows],
            levels=np.array([row.level for row in rows]),
            betti=np.array([row.betti for row in rows], dtype=np.int64).reshape(-1, 2),
        )

    @property
    def test(self) -> np.ndarray:
        """Row numbers of the test part, int64, rising: in sets of two parts the held-out rows."""
        return self.held_out

    @property
    def validation(self) -> np.ndarray:
        """Row numbers of the validation part, int64, rising: none in sets of two parts."""
        return np.zeros(0, dtype=np.int64)

    def structure_masks(self, rows: np.ndarray, structure: str | None = None) -> np.ndarray:
        """Where a structure is in some rows (int [n]), bool [n, H, W]; None: the first structure.

        Raises:
            InputError: there is no such structure.
        """
        if structure not in (None, self.structure):
            raise InputError(f"The training set has no structure {structure!r}: choose {self.structure}.")
        return self.masks[rows] == 1

    def diagrams(self) -> list[Diagram]:
        """Load the diagram of every mask: distance filtration, in pixels, without frame.

        Raises:
            InputError: the file is missing or holds another number of diagrams.
        """
        from topogan.homology import load_diagrams

        path = self.folder / "diagrams.npz"
        if not path.is_file():
            raise _damaged(self.folder, "diagrams.npz is missing")
        diagrams = load_diagrams(path)
        if len(diagrams) != len(self.masks):
            raise _damaged(self.folder, f"{len(diagrams)} diagrams for {len(self.masks)} masks")
        return diagrams


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"The training set {folder} is damaged ({what}): prepare it again.")


class _Row(NamedTuple):
    """What is read of a line of ``slices.csv``."""

    patient: str
    level: float
    split: str
    betti: tuple[int, int]


def _read_rows(path: Path) -> list[_Row]:
    if not path.is_file():
        raise _damaged(path.parent, f"{path.name} is missing")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return [_row(line) for line in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path.parent, f"{path.name} cannot be read") from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise _damaged(path.parent, f"a line of {path.name} lacks something or holds no numbers") from error


def _row(line: dict[str, str]) -> _Row:
    row = _Row(line["patient"], float(line["level"]), line["split"], (int(line["b0"]), int(line["b1"])))
    if not math.isfinite(row.level) or not 0 <= min(row.betti) <= max(row.betti) <= _MOST_CLASSES:
        raise ValueError(line)
    return row


def _array(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    if not (folder / name).is_file():
        raise _damaged(folder, f"{name} is missing")
    try:
        with warnings.catch_warnings():
            # A header that numpy has to mend, as those of Python 2, is not one that we wrote.
            warnings.simplefilter("error")
            array = np.load(folder / name, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises a dozen kinds of errors for what is no array
        raise _damaged(folder, f"{name} cannot be read") from error
    if not isinstance(array, np.ndarray):
        raise _damaged(folder, f"{name} is no array")
    if array.shape != shape or array.dtype != dtype:
        raise _damaged(folder, f"{name} holds {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} is expected")
    return array
