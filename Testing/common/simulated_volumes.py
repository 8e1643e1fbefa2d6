"""Balls, shells and tori: volumes of known topology, and folders made of them as the contracts say."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
from training_sets import write_training_set

from topogan_contract.stacks import stack_header
from topogan_contract.synthesis import mask_file, texture_file, volumes_of

SIZE, VOXEL = 32, 2.0
TABLE = {"structures": [{"name": "shell", "color": "#e69f00"}]}
PAIR = {
    "structures": [{"name": "wall", "color": "#e69f00"}, {"name": "cavity", "color": "#56b4e9"}],
    "unions": [["wall", "cavity"]],
}
KINDS = {"ball": (1, 0, 0), "shell": (1, 0, 1), "torus": (1, 1, 0), "pierced": (1, 1, 1), "two": (2, 0, 1)}
"""What can be drawn, and its Betti numbers."""


def drawn(kind: str, radius: float, place: np.ndarray) -> np.ndarray:
    """One volume, bool [32, 32, 32]; radius and place in voxels."""
    offset = np.indices((SIZE,) * 3) - place.reshape(3, 1, 1, 1)
    distance = np.linalg.norm(offset, axis=0)
    if kind == "torus":
        return np.hypot(np.hypot(offset[1], offset[2]) - 0.8 * radius, offset[0]) < 0.3 * radius
    mask = distance < radius
    if kind in ("shell", "pierced", "two"):
        mask &= distance > 0.55 * radius
    if kind == "pierced":  # a handle on the outside
        mask |= np.hypot(np.hypot(offset[0] - radius, offset[1]) - 3.0, offset[2]) < 1.2
    if kind == "two":
        mask[1:4, 1:4, 1:4] = True
    return mask


def many(kinds: list[str], seed: int) -> np.ndarray:
    """A volume of each kind that is named, bool [N, 32, 32, 32], with a size and a place of its own."""
    rng = np.random.default_rng(seed)
    return np.stack([drawn(kind, rng.uniform(8.5, 11), 15.5 + rng.uniform(-2, 2, 3)) for kind in kinds])


def painted(masks: np.ndarray, seed: int) -> np.ndarray:
    """CT of them: 300 HU inside, 40 HU outside, noise of 20 HU; int16."""
    return np.rint(np.where(masks, 300, 40) + np.random.default_rng(seed).normal(0, 20, masks.shape)).astype(np.int16)


def write_real(
    folder: Path, labels: np.ndarray, trained: int, table: dict | None = None, images: np.ndarray | None = None
) -> Path:
    """Write a training set of volumes: the first ``trained`` to train on, the others for the test."""
    return write_training_set(
        folder, labels, images, trained, diagrams=False, table=table or TABLE, pixel_size_mm=VOXEL
    )


def write_synthesis(
    folder: Path,
    labels: np.ndarray,
    training_set: str,
    table: dict | None = None,
    textures: np.ndarray | None = None,
    **changes: object,
) -> Path:
    """Write a synthesis of volumes as the contract says; ``changes`` replace entries of its report.json."""
    (folder / "volumes").mkdir(parents=True)
    for name, dtype, stack in ((mask_file, "|u1", labels), (texture_file, "<i2", textures)):
        for number, volume in enumerate([] if stack is None else stack):
            header = stack_header(dtype, volume.shape[::-1], VOXEL, "test")
            (folder / name(number)).write_bytes(header + gzip.compress(volume.astype(dtype).tobytes()))
    with (folder / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "seed", "level"])
        writer.writerows([[number, 1000 + number, ""] for number in range(len(labels))])
    table = table or TABLE
    regions = len(table["structures"]) + len(table.get("unions", []))
    report = {
        "schema": "topogan.synthesis/2",
        "axes": 3,
        "count": len(labels),
        "size": labels.shape[-1],
        "pixel_size_mm": VOXEL,
        "table": table,
        "requested_betti": None,
        "accepted_percent": 100.0,
        "settings": {"clean": 0},
        "regions": [{"betti_histogram_before_cleaning": {}}] * regions,
        "model": {"content_hash": "b" * 64, "training_set": training_set},
        **changes,
    }
    volumes_of(report)
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return folder
