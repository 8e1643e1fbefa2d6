"""A synthesis folder of volumes as the engine writes it: a cavity in a cup of myocardium, some of them broken."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np

from topogan_contract.stacks import Segment, stack_header
from topogan_contract.synthesis import mask_file, region_columns, size_column, texture_file

SIZE = 32
VOXEL = 3.0
NAMES = ("lv_cavity", "myocardium")
SEGMENTS = (Segment("lv_cavity", 1, "#56b4e9"), Segment("myocardium", 2, "#e69f00"))
# Of the myocardium: b0, b1, b2 and what is said of it, sample by sample in turn.
TOPOLOGIES = (
    (1, 0, 0, "valid"),
    (1, 1, 0, "1 tunnel instead of none"),
    (2, 0, 0, "2 pieces instead of 1"),
    (1, 0, 1, "1 cavity instead of none"),
)


def cups(count: int) -> np.ndarray:
    """uint8 [count, SIZE, SIZE, SIZE]: each fourth as it should be, pierced, with a second piece, and closed above.

    Not symmetric: the opening is above (to the head) and the cup lies off the middle to the patient's left.
    """
    z, y, x = np.mgrid[:SIZE, :SIZE, :SIZE]
    labels = np.zeros((count, SIZE, SIZE, SIZE), np.uint8)
    for sample, mask in enumerate(labels):
        outer = 9 + sample % 3
        radius = np.sqrt((z - 14) ** 2 + (y - 15) ** 2 + (x - 18) ** 2)
        kind = sample % len(TOPOLOGIES)
        wall = (radius < outer) & (radius >= outer - 4)
        if kind != 3:
            wall &= z < 20
        if kind == 1:
            wall &= ~((abs(y - 15) < 2) & (abs(z - 12) < 2) & (x < 18))
        if kind == 2:
            wall |= (z > 26) & (z < 30) & (abs(y - 8) < 2) & (abs(x - 6) < 2)
        mask[(radius < outer - 4) & ((z < 20) | (kind == 3))] = 1
        mask[wall] = 2
    return labels


def write_volumes(folder: Path, count: int = 5, textures: bool = True, structures: tuple[str, ...] = NAMES) -> Path:
    """Write a synthesis folder of ``count`` volumes of some of the structures."""
    (folder / "volumes").mkdir(parents=True)
    labels = cups(count)
    kept = [segment for segment in SEGMENTS if segment.name in structures]
    segments = [segment._replace(label=number) for number, segment in enumerate(kept, 1)]
    numbers = np.zeros(len(SEGMENTS) + 1, np.uint8)
    for old, new in zip(kept, segments, strict=True):
        numbers[old.label] = new.label
    noise = np.random.default_rng(0)
    for sample, volume in enumerate(labels):
        mask = stack_header("|u1", (SIZE,) * 3, VOXEL, "A synthetic sample.", segments)
        (folder / mask_file(sample)).write_bytes(mask + gzip.compress(numbers[volume].tobytes(), mtime=0))
        if textures:
            painted = (np.array([20, 350, 100])[volume] + noise.normal(0, 20, volume.shape)).astype("<i2")
            texture = stack_header("<i2", (SIZE,) * 3, VOXEL, "A synthetic sample.")
            (folder / texture_file(sample)).write_bytes(texture + gzip.compress(painted.tobytes(), mtime=0))
    _write_diagrams(folder / "diagrams.npz", count, structures)
    _write_samples(folder / "samples.csv", labels, structures)
    _write_report(folder / "report.json", count, textures, structures)
    return folder


def _write_diagrams(path: Path, count: int, structures: tuple[str, ...]) -> None:
    counts, rows = [], []
    for sample in range(count):
        pieces, tunnels, cavities, _ = TOPOLOGIES[sample % len(TOPOLOGIES)]
        for name in structures:
            mine = [(0, 0.0, np.inf)]
            if name == "myocardium":
                mine += [(0, 0.0, 6.0 + sample)] * (pieces - 1)
                # A cup that grows closes: a cavity that the mask does not have.
                mine += [(1, 0.0, 2.0)] * tunnels + [(2, 0.0 if cavities else 3.0, 5.0 + sample % 3)]
            counts.append(len(mine))
            rows += mine
    dimension, birth, death = (np.array(column) for column in zip(*rows, strict=True))
    nowhere = np.isinf(death)
    np.savez_compressed(
        path,
        counts=counts,
        dimension=dimension,
        birth=birth,
        death=death,
        birth_index=np.tile([12, 15, 26], (len(rows), 1)),
        death_index=np.where(nowhere[:, None], -1, [14, 15, 18]),
    )


def _write_samples(path: Path, labels: np.ndarray, structures: tuple[str, ...]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [column for name in structures for column in (*region_columns(name, 3), size_column(name, 3))]
        writer.writerow(["sample", "seed", "level", *columns])
        for sample, volume in enumerate(labels):
            row: list[object] = [sample, 2**40 + sample, ""]
            for name in structures:
                betti = TOPOLOGIES[sample % len(TOPOLOGIES)] if name == "myocardium" else TOPOLOGIES[0]
                voxels = int((volume == NAMES.index(name) + 1).sum())
                row += [*betti, f"{voxels * VOXEL**3 / 1000:.6g}"]
            writer.writerow(row)


def _write_report(path: Path, count: int, textures: bool, structures: tuple[str, ...]) -> None:
    content = {
        "schema": "topogan.synthesis/2",
        "axes": 3,
        "count": count,
        "size": SIZE,
        "pixel_size_mm": VOXEL,
        "structure": ", ".join(structures),
        "table": {
            "structures": [{"name": name, "color": "#56b4e9", "terminology": ""} for name in structures],
            "unions": [],
        },
        "summary": "In 40 % of 5 samples every structure has a topology that real volumes show.",
        "intensity": "HU" if textures else "none",
        "window": [-200, 600] if textures else None,
        "regions": [{"name": name, "valid_percent": 40.0} for name in structures],
    }
    path.write_text(json.dumps(content))
