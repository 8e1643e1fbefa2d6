"""Read a training set: the folder that :func:`topogan.dataset.prepare` writes."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from topogan.errors import InputError
from topogan.files import read_json

if TYPE_CHECKING:
    from topogan.topology import Diagram

SCHEMA = "topogan.training-set/1"
# Fewer masks say nothing of a distribution, and a batch could not be drawn from them.
MINIMUM_TRAIN_SLICES = 16
TRAIN, HELD_OUT = "train", "held_out"


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
        rows = _read_rows(folder / "slices.csv")
        try:
            return cls._of(folder, content, rows)
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(folder, f"{error!r} in its description") from error

    @classmethod
    def _of(cls, folder: Path, content: dict[str, Any], rows: list[dict[str, str]]) -> TrainingSet:
        size = int(content["size"])
        shape = (len(rows), size, size)
        with_images = content["intensity"] != "none"
        splits = np.array([row["split"] for row in rows])
        train, held_out = np.flatnonzero(splits == TRAIN), np.flatnonzero(splits == HELD_OUT)
        counts = content["counts"]
        if (len(rows), len(train), len(held_out)) != (counts["total"], counts["train"], counts["held_out"]):
            raise _damaged(folder, "slices.csv and dataset.json count differently")
        low, high = content["betti"]["modal"]
        return cls(
            folder=folder,
            structure=str(content["structure"]),
            size=size,
            pixel_size=float(content["pixel_size_mm"]),
            intensity=str(content["intensity"]),
            window=tuple(float(value) for value in content["window"]) if with_images else None,
            independent=bool(content["independent"]),
            modal_betti=(int(low), int(high)),
            content_hash=str(content["content_hash"]),
            masks=_array(folder, "masks.npy", shape, np.uint8),
            images=_array(folder, "images.npy", shape, np.int16) if with_images else None,
            train=train,
            held_out=held_out,
            patients=[row["patient"] for row in rows],
            levels=np.array([float(row["level"]) for row in rows]),
            betti=np.array([(int(row["b0"]), int(row["b1"])) for row in rows], dtype=np.int64).reshape(-1, 2),
        )

    def diagrams(self) -> list[Diagram]:
        """Load the diagram of every mask: distance filtration, in pixels, without frame.

        Raises:
            InputError: the file is missing or holds another number of diagrams.
        """
        from topogan.topology import load_diagrams

        path = self.folder / "diagrams.npz"
        if not path.is_file():
            raise _damaged(self.folder, "diagrams.npz is missing")
        diagrams = load_diagrams(path)
        if len(diagrams) != len(self.masks):
            raise _damaged(self.folder, f"{len(diagrams)} diagrams for {len(self.masks)} masks")
        return diagrams


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(f"The training set {folder} is damaged ({what}): prepare it again.")


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path.parent, f"{path.name} cannot be read") from error


def _array(folder: Path, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    try:
        array = np.load(folder / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(folder, f"{name} cannot be read") from error
    if array.shape != shape or array.dtype != dtype:
        raise _damaged(folder, f"{name} holds {array.dtype} {array.shape} where {np.dtype(dtype)} {shape} is expected")
    return array
