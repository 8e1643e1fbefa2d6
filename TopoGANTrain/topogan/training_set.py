"""Read a training set: the folder that :func:`topogan.dataset.prepare` writes."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import stat
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from topogan.array_file import ArrayFile
from topogan.config import Center, PatchSize, check_size, in_words
from topogan.errors import InputError, lookup
from topogan.files import content_hash, read_json
from topogan.structures import Region, StructureTable

if TYPE_CHECKING:
    from topogan.homology import Diagram
    from topogan.warping import Outside

SCHEMA = "topogan.training-set/3"
# Of one structure alone.
_SECOND_SCHEMA = "topogan.training-set/2"
# With two parts: what is called test now was "held_out", and nothing was set aside for validation.
_OLD_SCHEMA, _OLD_TEST = "topogan.training-set/1", "held_out"
# Fewer masks say nothing of a distribution, and a batch could not be drawn from them.
MINIMUM_TRAIN_SLICES = 16
TRAIN, VALIDATION, TEST = PARTS = "train", "validation", "test"
TABLE_FILES = {2: "slices.csv", 3: "volumes.csv"}
"""The table with a line for each sample, of slices and of volumes."""
# A volume of 128 voxels has no room for more connected components or tunnels, nor has a patch of 512 pixels.
_MOST_CLASSES = 128**3
# As many slices as there may be diagrams, and 64 letters for each: beyond every set.
_MOST_SLICES, _MOST_TABLE_BYTES, _MOST_COLUMNS = 1 << 20, 64 << 20, 200


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
    modal: tuple[tuple[_Count, ...], ...]


class _Prepared(_Checked):
    tiling: bool = False
    center: Center = Center.SLICE


class _Description(_Checked):
    """What is read of ``dataset.json``."""

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
    def _fits_together(self) -> _Description:
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


@dataclass(frozen=True)
class TrainingSet:
    """N slices (patches) or volumes with their masks; ``masks`` and ``images`` stay on disk and are read where they are
    indexed.

    That is by ordinary reads; if a file is changed meanwhile, the next one raises WorkError.

    Attributes:
        folder: where it lies.
        table: the segmented structures and the unions of them.
        axes: 2 for slices [H, W], 3 for volumes [D, H, W]: slice (with rising w, see
            :class:`topogan.dataset.frame.Frame`), row, column.
        size: width and height of a patch in pixels; of a volume also its depth.
        pixel_size: mm per pixel (voxel), the same along all axes.
        intensity: ``"HU"``, ``"arbitrary"`` or ``"none"`` (no images).
        window: lowest and highest intensity that textures show; None without images.
        independent: False where the parts come from the same patient.
        modal_betti: what the training masks most frequently have: (b0, b1) of each region; (b0, b1, b2) in volumes.
        content_hash: SHA-256 that tells this set from others; :mod:`topogan.dataset.store` says over what.
        masks: uint8 label ids [N, H, W] or [N, D, H, W] in a file; see :meth:`region_masks`.
        images: int16 of the same shape in a file, or None.
        train: row numbers of what networks learn from, int64, rising.
        validation: the same of what curves, previews and choices look at; empty where nothing is left for it.
        test: the same of what reports alone look at.
        patients: pseudonym of the patient of each row.
        levels: place of each slice along its structures, 0 to 1: float64 [N]; 0 of volumes.
        betti: (b0, b1) of each region of each mask: int64 [N, R, 2]; (b0, b1, b2), [N, R, 3] in volumes.
        image_pixel_size: mm of a pixel of the images (of the segmentations without any) themselves; 0: unknown.
        tiled: whether slices are tiles, in which structures go on beyond the edges.
        center: what patches of slices lie around, each its own slice or all slices of the phase alike.

    Example:
        >>> real = TrainingSet.open(Path("training_set"))
        >>> real.masks[real.train].mean()
    """

    folder: Path
    table: StructureTable
    axes: int
    size: int
    pixel_size: float
    intensity: str
    window: tuple[float, float] | None
    independent: bool
    modal_betti: tuple[tuple[int, ...], ...]
    content_hash: str
    masks: ArrayFile
    images: ArrayFile | None
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    patients: list[str]
    levels: np.ndarray
    betti: np.ndarray
    image_pixel_size: float
    tiled: bool
    center: Center = Center.SLICE

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
        content = read_json(folder / "dataset.json", SCHEMA, _SECOND_SCHEMA, _OLD_SCHEMA)
        try:
            described = _Description.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "dataset.json"
            raise _damaged(folder, f"{name}: {in_words(first)}") from error
        table = _read_table(folder / TABLE_FILES[described.axes])
        columns = betti_columns(described.table, described.axes) if content["schema"] == SCHEMA else (("b0", "b1"),)
        found = cls._of(folder, described, _parse_rows(folder, table, described.counts.total, columns))
        if found._hash_of_files(table, of_whole_files=content["schema"] == _OLD_SCHEMA) != found.content_hash:
            raise _damaged(folder, f"masks.npy, images.npy or {TABLE_FILES[found.axes]} were changed since it was made")
        return found

    @classmethod
    def _of(cls, folder: Path, described: _Description, rows: list[_Row]) -> TrainingSet:
        shape = (len(rows), *(described.size,) * described.axes)
        splits = np.array([row.split for row in rows])
        train, validation, test = (np.flatnonzero(splits == part) for part in PARTS)
        counts = described.counts
        found = len(rows), len(train), len(validation), len(test)
        if found != (counts.total, counts.train, counts.validation, counts.test):
            raise _damaged(folder, f"{TABLE_FILES[described.axes]} and dataset.json count differently")
        topologies = Counter(rows[row].betti for row in train.tolist())
        if topologies[described.betti.modal] < max(topologies.values(), default=0):
            raise _damaged(folder, f"betti.modal: {described.betti.modal} is not the most frequent in its table")
        return cls(
            folder=folder,
            table=described.table,
            axes=described.axes,
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
            betti=np.array([row.betti for row in rows], dtype=np.int64).reshape(len(rows), -1, described.axes),
            image_pixel_size=described.image_pixel_size_mm,
            tiled=described.settings.tiling,
            center=described.settings.center,
        )

    def _hash_of_files(self, table: bytes, of_whole_files: bool) -> str:
        """What ``content_hash`` should be (see :mod:`topogan.dataset.store`); ``table`` is that of the rows."""
        arrays = [array for array in (self.masks, self.images) if array is not None]
        if of_whole_files:
            digest = hashlib.sha256()
            for array in arrays:
                array.hash_into(digest, header=True)
            return digest.hexdigest()
        hashes = {TABLE_FILES[self.axes]: hashlib.sha256(table).hexdigest()}
        for array in arrays:
            digest = hashlib.sha256()
            array.hash_into(digest)
            hashes[array.path.name] = digest.hexdigest()
        return content_hash(hashes)

    @property
    def regions(self) -> tuple[Region, ...]:
        """The structures, then the unions: what has Betti numbers, in their order."""
        return self.table.regions

    def region_masks(self, rows: np.ndarray | slice, region: str | None = None) -> np.ndarray:
        """Where a structure or union is in some masks: bool [n, H, W] or [n, D, H, W].

        Args:
            rows: row numbers [n].
            region: a name of :attr:`regions`; None: the first structure.

        Raises:
            InputError: there is no such structure or union.
        """
        regions = {found.name: found for found in self.regions}
        return lookup(regions, region or self.regions[0].name, "structure").of(self.masks[rows])

    @property
    def without_context(self) -> TrainingSet:
        """The same as it is measured: what is context is background, and not in the table."""
        if self.table.counted == len(self.table):
            return self
        return replace(self, table=self.table.without_context, masks=self.masks.up_to(self.table.counted))

    @property
    def validation_or_train(self) -> np.ndarray:
        """Rows that curves, previews and choices look at: :attr:`validation`, or :attr:`train` where that is empty."""
        return self.validation if len(self.validation) else self.train

    @property
    def outside(self) -> Outside:
        """What is beyond the edges of masks that are moved: tiles and context go on, around structures is nothing."""
        return "border" if self.tiled or self.table.counted < len(self.table) else "zeros"

    @property
    def missing_parts(self) -> str:
        """A sentence on the part for which nothing was left; empty where all three are there."""
        return missing_parts(len(self.validation), self.independent, self.axes)

    @property
    def noun(self) -> str:
        """What a sample is called: "slice" or "volume"."""
        return "slice" if self.axes == 2 else "volume"

    def diagrams(self, region: int = 0) -> list[Diagram]:
        """Load the diagram of every mask: distance filtration, in pixels, without a border of background.

        Args:
            region: which of :attr:`regions`, by number.

        Raises:
            InputError: the file is missing or holds diagrams of other masks.
        """
        from topogan.homology import load_diagrams

        path = self.folder / "diagrams.npz"
        if not path.is_file():
            raise _damaged(self.folder, "diagrams.npz is missing")
        diagrams = load_diagrams(path)
        regions = len(self.regions)
        if len(diagrams) != len(self.masks) * regions:
            raise _damaged(self.folder, f"{len(diagrams)} diagrams for {len(self.masks)} masks")
        # Classes of the distance filtration that live at 0 are those of the mask.
        for number, (diagram, betti) in enumerate(
            zip(diagrams, self.betti.reshape(-1, self.axes).tolist(), strict=True)
        ):
            if list(diagram.betti_numbers(0.0, range(self.axes))) != betti or (diagram.birth < 0).any():
                raise _damaged(self.folder, f"the diagram of mask {number // regions} is that of another one")
        return diagrams[region::regions]


def betti_columns(table: StructureTable, axes: int) -> tuple[tuple[str, ...], ...]:
    """The columns of the table of samples with b0 and b1 (in volumes b2) of each region."""
    return tuple(tuple(f"b{number} {region.name}" for number in range(axes)) for region in table.regions)


def missing_parts(validation: int, independent: bool, axes: int = 2) -> str:
    """What is said of a training set with so many validation slices (volumes), of other patients or not."""
    noun = "slice" if axes == 2 else "volume"
    left = "patient" if independent else "slice" if axes == 2 else "phase"
    return "" if validation else f"No {left} is left for validation: curves are measured on training {noun}s."


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"The training set {folder} is damaged ({what}): prepare it again.")


class _Row(NamedTuple):
    """What is read of a line of the table of samples."""

    patient: str
    level: float
    split: str
    betti: tuple[tuple[int, ...], ...]


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


def _parse_rows(folder: Path, table: bytes, expected: int, betti_columns: tuple[tuple[str, ...], ...]) -> list[_Row]:
    rows: list[_Row] = []
    name = TABLE_FILES[len(betti_columns[0])]
    try:
        lines = csv.reader(io.StringIO(table.decode("utf-8"), newline=""))
        columns = next(lines, [])
        if len(columns) > _MOST_COLUMNS:
            raise _damaged(folder, f"{name} has {len(columns)} columns")
        for line in lines:
            if len(rows) == expected:
                raise _damaged(folder, f"{name} and dataset.json count differently")
            rows.append(_row(dict(zip(columns, line, strict=True)), betti_columns))
    except InputError:
        raise
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(folder, f"{name} cannot be read") from error
    except (KeyError, ValueError, OverflowError) as error:
        raise _damaged(folder, f"a line of {name} lacks something or holds no numbers") from error
    return rows


def _row(line: dict[str, str], betti_columns: tuple[tuple[str, ...], ...]) -> _Row:
    part = TEST if line["split"] == _OLD_TEST else line["split"]
    betti = tuple(tuple(int(line[column]) for column in columns) for columns in betti_columns)
    row = _Row(line["patient"], float(line["level"]), part, betti)
    if not math.isfinite(row.level) or not 0 <= min(map(min, betti)) <= max(map(max, betti)) <= _MOST_CLASSES:
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
