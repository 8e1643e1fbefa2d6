"""Read a training set: the folder that :func:`topogan.dataset.prepare` writes."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import stat
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from topogan.array_file import ArrayFile
from topogan.config import PRINTABLE, in_words
from topogan.errors import InputError, lookup
from topogan.files import content_hash, read_json

if TYPE_CHECKING:
    from topogan.homology import Diagram

SCHEMA = "topogan.training-set/2"
# With two parts: what is called test now was "held_out", and nothing was set aside for validation.
_OLD_SCHEMA, _OLD_TEST = "topogan.training-set/1", "held_out"
# Fewer masks say nothing of a distribution, and a batch could not be drawn from them.
MINIMUM_TRAIN_SLICES = 16
TRAIN, VALIDATION, TEST = PARTS = "train", "validation", "test"
# A patch of 256 pixels has no room for more connected components or holes.
_MOST_CLASSES = 256 * 256
# As many slices as there may be diagrams, and 64 letters for each: beyond every set.
_MOST_SLICES, _MOST_TABLE_BYTES, _MOST_COLUMNS = 1 << 20, 64 << 20, 100


_Count = Annotated[int, Field(ge=0, le=_MOST_SLICES)]
_Int16 = Annotated[float, Field(ge=-(2**15), le=2**15 - 1)]


class _Checked(BaseModel):
    # Later minor versions may say more than this one knows; what is known has to be right.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class _Counts(_Checked):
    total: _Count
    train: _Count
    validation: _Count = 0
    test: Annotated[_Count, Field(validation_alias=AliasChoices("test", _OLD_TEST))]


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

    That is by ordinary reads; if a file is changed meanwhile, the next one raises WorkError.

    Attributes:
        folder: where it lies.
        structure: name of the segmented structure.
        size: width and height of a patch in pixels.
        pixel_size: mm per pixel.
        intensity: ``"HU"``, ``"arbitrary"`` or ``"none"`` (no images).
        window: lowest and highest intensity that textures show; None without images.
        independent: False where the parts come from the same patient.
        modal_betti: the most frequent (b0, b1) of the training masks.
        content_hash: SHA-256 that tells this set from others; :mod:`topogan.dataset.store` says over what.
        masks: uint8 label ids [N, H, W] in a file; see :meth:`structure_masks`.
        images: int16 [N, H, W] in a file, or None.
        train: row numbers of what networks learn from, int64, rising.
        validation: the same of what curves, previews and choices look at; empty where nothing is left for it.
        test: the same of what reports alone look at.
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
    masks: ArrayFile
    images: ArrayFile | None
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    patients: list[str]
    levels: np.ndarray
    betti: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> TrainingSet:
        """Open a training set and compare its files with its content hash (0.5 ms/MB where the CPU knows SHA-256).

        Raises:
            InputError: the folder is missing or not a training set, its files do not fit together, or were changed
                since it was made.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"There is no training set at {folder}: make one with 'topogan prepare'.")
        content = read_json(folder / "dataset.json", SCHEMA, _OLD_SCHEMA)
        try:
            described = _Description.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "dataset.json"
            raise _damaged(folder, f"{name}: {in_words(first)}") from error
        table = _read_table(folder / "slices.csv")
        found = cls._of(folder, described, _parse_rows(folder, table, described.counts.total))
        if found._hash_of_files(table, of_whole_files=content["schema"] == _OLD_SCHEMA) != found.content_hash:
            raise _damaged(folder, "masks.npy, images.npy or slices.csv were changed since it was made")
        return found

    @classmethod
    def _of(cls, folder: Path, described: _Description, rows: list[_Row]) -> TrainingSet:
        shape = (len(rows), described.size, described.size)
        splits = np.array([row.split for row in rows])
        train, validation, test = (np.flatnonzero(splits == part) for part in PARTS)
        counts = described.counts
        found = len(rows), len(train), len(validation), len(test)
        if found != (counts.total, counts.train, counts.validation, counts.test):
            raise _damaged(folder, "slices.csv and dataset.json count differently")
        topologies = Counter(rows[row].betti for row in train.tolist())
        if topologies[described.betti.modal] < max(topologies.values(), default=0):
            raise _damaged(folder, f"betti.modal: {described.betti.modal} is not the most frequent in slices.csv")
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
            validation=validation,
            test=test,
            patients=[row.patient for row in rows],
            levels=np.array([row.level for row in rows]),
            betti=np.array([row.betti for row in rows], dtype=np.int64).reshape(-1, 2),
        )

    def _hash_of_files(self, table: bytes, of_whole_files: bool) -> str:
        """What ``content_hash`` should be (see :mod:`topogan.dataset.store`); ``table`` is slices.csv."""
        arrays = [array for array in (self.masks, self.images) if array is not None]
        if of_whole_files:
            digest = hashlib.sha256()
            for array in arrays:
                array.hash_into(digest, header=True)
            return digest.hexdigest()
        hashes = {"slices.csv": hashlib.sha256(table).hexdigest()}
        for array in arrays:
            digest = hashlib.sha256()
            array.hash_into(digest)
            hashes[array.path.name] = digest.hexdigest()
        return content_hash(hashes)

    @property
    def structures(self) -> tuple[str, ...]:
        """Names of the segmented structures, in the order of their label ids, which begin at 1."""
        return (self.structure,)

    def structure_masks(self, rows: np.ndarray | slice, structure: str | None = None) -> np.ndarray:
        """Where a structure is in some masks: bool [n, H, W].

        Args:
            rows: row numbers [n].
            structure: one of :attr:`structures`; None: the first.

        Raises:
            InputError: there is no such structure.
        """
        labels = {name: label for label, name in enumerate(self.structures, start=1)}
        return np.asarray(self.masks[rows] == lookup(labels, structure or self.structures[0], "structure"))

    @property
    def validation_or_train(self) -> np.ndarray:
        """Rows that curves, previews and choices look at: :attr:`validation`, or :attr:`train` where that is empty."""
        return self.validation if len(self.validation) else self.train

    @property
    def missing_parts(self) -> str:
        """A sentence on the part for which nothing was left; empty where all three are there."""
        return missing_parts(len(self.validation), self.independent)

    def diagrams(self) -> list[Diagram]:
        """Load the diagram of every mask: distance filtration, in pixels, without a border of background.

        Raises:
            InputError: the file is missing or holds diagrams of other masks.
        """
        from topogan.homology import load_diagrams

        path = self.folder / "diagrams.npz"
        if not path.is_file():
            raise _damaged(self.folder, "diagrams.npz is missing")
        diagrams = load_diagrams(path)
        if len(diagrams) != len(self.masks):
            raise _damaged(self.folder, f"{len(diagrams)} diagrams for {len(self.masks)} masks")
        # Classes of the distance filtration that live at 0 are those of the mask.
        for row, (diagram, betti) in enumerate(zip(diagrams, self.betti.tolist(), strict=True)):
            if list(diagram.betti_numbers(0.0)) != betti or (diagram.birth < 0).any():
                raise _damaged(self.folder, f"the diagram of mask {row} is that of another one")
        return diagrams


def missing_parts(validation: int, independent: bool) -> str:
    """What is said of a training set with so many validation slices, of other patients or not."""
    left = "patient" if independent else "slice"
    return "" if validation else f"No {left} is left for validation: curves are measured on training slices."


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"The training set {folder} is damaged ({what}): prepare it again.")


class _Row(NamedTuple):
    """What is read of a line of ``slices.csv``."""

    patient: str
    level: float
    split: str
    betti: tuple[int, int]


def _read_table(path: Path) -> bytes:
    try:
        state = path.stat()
        if stat.S_ISREG(state.st_mode) and state.st_size <= _MOST_TABLE_BYTES:
            return path.read_bytes()
    except FileNotFoundError as error:
        raise _damaged(path.parent, f"{path.name} is missing") from error
    except OSError as error:
        raise _damaged(path.parent, f"{path.name} cannot be read") from error
    raise _damaged(path.parent, f"{path.name} is no file, or larger than that of any set")


def _parse_rows(folder: Path, table: bytes, expected: int) -> list[_Row]:
    rows: list[_Row] = []
    try:
        lines = csv.reader(io.StringIO(table.decode("utf-8"), newline=""))
        columns = next(lines, [])
        if len(columns) > _MOST_COLUMNS:
            raise _damaged(folder, f"slices.csv has {len(columns)} columns")
        for line in lines:
            if len(rows) == expected:
                raise _damaged(folder, "slices.csv and dataset.json count differently")
            rows.append(_row(dict(zip(columns, line, strict=True))))
    except InputError:
        raise
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(folder, "slices.csv cannot be read") from error
    except (KeyError, ValueError, OverflowError) as error:
        raise _damaged(folder, "a line of slices.csv lacks something or holds no numbers") from error
    return rows


def _row(line: dict[str, str]) -> _Row:
    part = TEST if line["split"] == _OLD_TEST else line["split"]
    row = _Row(line["patient"], float(line["level"]), part, (int(line["b0"]), int(line["b1"])))
    if not math.isfinite(row.level) or not 0 <= min(row.betti) <= max(row.betti) <= _MOST_CLASSES:
        raise ValueError(line)
    return row


def _array(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> ArrayFile:
    if not (folder / name).is_file():
        raise _damaged(folder, f"{name} is missing")
    try:
        array = ArrayFile(folder / name)
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"{name} cannot be read") from error
    if array.shape != shape or array.dtype != dtype:
        raise _damaged(folder, f"{name} holds {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} is expected")
    return array
