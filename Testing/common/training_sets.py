"""Training sets written by hand, as :mod:`topogan.training_set` reads them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

WINDOW = (-200.0, 600.0)


def counted(betti: Iterable[Iterable[int]]) -> dict[str, int]:
    """How often which Betti numbers occur."""
    return dict(Counter(",".join(map(str, one)) for one in betti))


def write_training_set(
    folder: Path,
    masks: np.ndarray,
    images: np.ndarray | None,
    train: int,
    validation: int = 0,
    diagrams: bool = True,
    table: dict[str, Any] | None = None,
    levels: np.ndarray | None = None,
    **described: Any,
) -> Path:
    """Write the first ``train`` masks for training, the next for validation, the others for the test; a patient each.

    Args:
        folder: is made.
        masks: [N, H, W], structure where 1 or True; label ids with a table. Or volumes [N, D, H, W], with a table.
        images: in HU, of the shape of the masks, or None.
        train: number of masks.
        validation: number of masks.
        diagrams: whether the persistence diagrams are written, too.
        table: of the structures, as in ``dataset.json``; None: one structure, in the second schema.
        levels: of the slices, 0 to 1; rising by default.
        described: entries of ``dataset.json`` that replace the usual ones.
    """
    from topogan.homology import (
        betti_numbers_of_batch,
        cubical_persistence_of_batch,
        distance_filtration,
        save_diagrams,
    )
    from topogan.structures import StructureTable
    from topogan.training_set import TABLE_FILES, betti_columns

    folder.mkdir(parents=True)
    masks = np.asarray(masks, np.uint8)
    np.save(folder / "masks.npy", masks)
    if images is not None:
        np.save(folder / "images.npy", images.astype(np.int16))
    known = StructureTable.model_validate(table or {"structures": [{"name": "ring"}]})
    of_regions = [region.of(masks) for region in known.regions] if table else [masks]
    if diagrams:
        filtrations = np.stack([distance_filtration(mask) for found in zip(*of_regions, strict=True) for mask in found])
        save_diagrams(folder / "diagrams.npz", cubical_persistence_of_batch(filtrations))
    axes = masks.ndim - 1
    betti = np.concatenate([betti_numbers_of_batch(found) for found in of_regions], axis=1)
    columns = [name for pair in betti_columns(known, axes) for name in pair] if table else ["b0", "b1"]
    levels = np.arange(len(masks)) / len(masks) if levels is None else levels
    rows = {
        "train": range(train),
        "validation": range(train, train + validation),
        "test": range(train + validation, len(masks)),
    }
    with (folder / TABLE_FILES[axes]).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "patient", "phase", "level", "split", "area_mm2", *columns])
        for number, (part, mine) in enumerate(rows.items(), start=1):
            for row in mine:
                area = int((masks[row] > 0).sum()) if table else int(masks[row].sum())
                writer.writerow([row, f"patient_{number:03d}", 0, levels[row], part, area, *betti[row]])
    description = {
        "schema": "topogan.training-set/2",
        "structure": "ring",
        "labels": [1],
        "intensity": "none" if images is None else "HU",
        "pixel_size_mm": 1.0,
        "axes": axes,
        "size": masks.shape[1],
        "window": None if images is None else WINDOW,
        "plane": "axial",
        "independent": True,
        "counts": {"total": len(masks), **{part: len(mine) for part, mine in rows.items()}, "patients": 3},
        "betti": {
            **{part: counted(betti[mine, :2]) for part, mine in rows.items()},
            "modal": max(Counter(map(tuple, betti[:train, :2].tolist())).items(), key=itemgetter(1))[0],
        },
        "settings": {},
        "volumes": [],
    }
    if table:
        modal = Counter(map(tuple, betti[:train].tolist())).most_common(1)[0][0]
        numbers = [modal[start : start + axes] for start in range(0, len(modal), axes)]
        description |= {"schema": "topogan.training-set/3", "table": table, "betti": {"modal": numbers}}
    (folder / "dataset.json").write_text(json.dumps({**description, **described}), encoding="utf-8")
    sign(folder)
    return folder


def sign(folder: Path) -> str:
    """Make the content hash of a set right (again); return it."""
    from topogan.files import content_hash
    from topogan.training_set import TABLE_FILES

    description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    table = TABLE_FILES[description.get("axes", 2)]
    hashes = {table: hashlib.sha256((folder / table).read_bytes()).hexdigest()}
    for name in ("masks.npy",) if description["window"] is None else ("masks.npy", "images.npy"):
        hashes[name] = hashlib.sha256(np.load(folder / name).tobytes()).hexdigest()
    description["content_hash"] = content_hash(hashes)
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return str(description["content_hash"])
