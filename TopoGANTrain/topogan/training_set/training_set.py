"""An open training set: its masks and images by row, and which part each row belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from topogan.array_file import ArrayFile
from topogan.config import Center
from topogan.errors import InputError, lookup
from topogan.files import content_hash
from topogan.structures import Region, StructureTable
from topogan.training_set.damage import damaged
from topogan.training_set.description import Description, read_description
from topogan.training_set.table import PARTS, TABLE_FILES, Row, parse_rows, read_table

if TYPE_CHECKING:
    from topogan.homology import Diagram
    from topogan.warping import Outside

# Fewer masks say nothing of a distribution, and a batch could not be drawn from them.
MINIMUM_TRAIN_SLICES = 16


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
        described = read_description(folder)
        table = read_table(folder / TABLE_FILES[described.axes])
        rows = parse_rows(folder, table, described.counts.total, described.betti_columns)
        found = cls._of(folder, described, rows)
        if found._hash_of_files(table, described.hashes_whole_files) != found.content_hash:
            raise damaged(folder, f"masks.npy, images.npy or {TABLE_FILES[found.axes]} were changed since it was made")
        return found

    @classmethod
    def _of(cls, folder: Path, described: Description, rows: list[Row]) -> TrainingSet:
        shape = (len(rows), *(described.size,) * described.axes)
        splits = np.array([row.split for row in rows])
        train, validation, test = (np.flatnonzero(splits == part) for part in PARTS)
        counts = described.counts
        found = len(rows), len(train), len(validation), len(test)
        if found != (counts.total, counts.train, counts.validation, counts.test):
            raise damaged(folder, f"{TABLE_FILES[described.axes]} and dataset.json count differently")
        topologies = Counter(rows[row].betti for row in train.tolist())
        if topologies[described.betti.modal] < max(topologies.values(), default=0):
            raise damaged(folder, f"betti.modal: {described.betti.modal} is not the most frequent in its table")
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
            center=Center.VOLUME if described.settings.center is Center.VOLUME else Center.SLICE,
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
            raise damaged(self.folder, "diagrams.npz is missing")
        diagrams = load_diagrams(path)
        regions = len(self.regions)
        if len(diagrams) != len(self.masks) * regions:
            raise damaged(self.folder, f"{len(diagrams)} diagrams for {len(self.masks)} masks")
        # Classes of the distance filtration that live at 0 are those of the mask.
        for number, (diagram, betti) in enumerate(
            zip(diagrams, self.betti.reshape(-1, self.axes).tolist(), strict=True)
        ):
            if list(diagram.betti_numbers(0.0, range(self.axes))) != betti or (diagram.birth < 0).any():
                raise damaged(self.folder, f"the diagram of mask {number // regions} is that of another one")
        return diagrams[region::regions]


def missing_parts(validation: int, independent: bool, axes: int = 2) -> str:
    """What is said of a training set with so many validation slices (volumes), of other patients or not."""
    noun = "slice" if axes == 2 else "volume"
    left = "patient" if independent else "slice" if axes == 2 else "phase"
    return "" if validation else f"No {left} is left for validation: curves are measured on training {noun}s."


def _array(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> ArrayFile:
    if not (folder / name).is_file():
        raise damaged(folder, f"{name} is missing")
    try:
        array = ArrayFile(folder / name)
    except (OSError, ValueError) as error:
        raise damaged(folder, f"{name} cannot be read") from error
    if array.shape != shape or array.dtype != dtype:
        raise damaged(folder, f"{name} holds {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} is expected")
    return array
