"""A synthesis folder as the engine writes it, made of rings and noise, and a fresh headless Slicer for each test."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from topogan_contract.stacks import Segment, stack_header
from topogan_contract.synthesis import real_column, region_columns
from TopoGANLib.headless.application import HeadlessSlicer, start_headless
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import Synthesis, read_synthesis_folder

SIZE = 64
PIXEL_SIZE = 1.5
CENTER = SIZE // 2
_TERMINOLOGY = (
    "Segmentation category and type - DICOM master list~SCT^123037004^Anatomical Structure~SCT^87878005^Left ventricle"
    "~^^~Anatomic codes - DICOM master list~^^~^^"
)


def rings(count: int) -> np.ndarray:
    """uint8 [count, SIZE, SIZE]: rings that differ in radius and are not symmetric, so that a flip shows."""
    row, column = np.mgrid[:SIZE, :SIZE]
    radius = np.hypot(row - CENTER, column - CENTER)
    inner = 8 + np.arange(count)[:, None, None] % 5
    masks = (radius >= inner) & (radius < inner + 6)
    masks[:, CENTER - 2 : CENTER + 3, CENTER + 10 : CENTER + 24] = True  # a tail to the right
    masks[:, CENTER + 12 : CENTER + 20, CENTER - 2 : CENTER + 3] = True  # and one downwards
    return masks.astype(np.uint8)


def write_stack(path: Path, stack: np.ndarray, spacing: tuple[float, ...] = (PIXEL_SIZE,) * 3) -> None:
    image = sitk.GetImageFromArray(stack)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path), useCompression=True)


def write_synthesis(folder: Path, count: int = 6, textures: bool = True, **report: Any) -> Path:
    """Write a synthesis folder: one piece and one hole a sample, the hole dying in the middle of the ring."""
    folder.mkdir(parents=True)
    masks = rings(count)
    write_stack(folder / "masks.nrrd", masks)
    if textures:
        noise = np.random.default_rng(0).normal(0, 30, masks.shape)
        write_stack(folder / "textures.nrrd", (np.where(masks, 100, 20) + noise).astype(np.int16))
    write_ring_diagrams(folder / "diagrams.npz", count)
    with (folder / "samples.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "seed", "b0", "b1", "verdict", "area_mm2"])
        for sample, mask in enumerate(masks):
            writer.writerow([sample, 2**40 + sample, 1, 1, "valid", f"{mask.sum() * PIXEL_SIZE**2:.6g}"])
    content = {
        "schema": "topogan.synthesis/1",
        "structure": "myocardium",
        "intensity": "HU" if textures else "none",
        "window": [-200, 400] if textures else None,
        "requested_betti": [1, 1],
        "accepted_percent": 87.5,
        "betti_histogram": {"1,1": count},
        "model": {"content_hash": "0" * 64, "independent": True},
    }
    (folder / "report.json").write_text(json.dumps({**content, **report}))
    return folder


def write_structures(folder: Path, count: int = 6) -> Path:
    """Write a synthesis folder of three regions: a cavity, the myocardium around it and both, whose third is open."""
    folder.mkdir(parents=True)
    ring = rings(count) == 1
    row, column = np.mgrid[:SIZE, :SIZE]
    inside = np.broadcast_to(np.hypot(row - CENTER, column - CENTER) < 14, ring.shape) & ~ring
    labels = np.where(ring, 2, inside).astype(np.uint8)
    segments = (Segment("cavity", 1, "#56b4e9", _TERMINOLOGY), Segment("myocardium", 2, "#e69f00"))
    header = stack_header("|u1", labels.shape[::-1], PIXEL_SIZE, "Independent samples.", segments)
    (folder / "masks.nrrd").write_bytes(header + gzip.compress(labels.tobytes()))
    noise = np.random.default_rng(0).normal(0, 30, labels.shape)
    write_stack(folder / "textures.nrrd", (np.array([20, 350, 100])[labels] + noise).astype(np.int16))
    # A piece of the cavity, a piece and a hole of the myocardium, a piece of both.
    lengths = [1, 2, 1] * count
    np.savez_compressed(
        folder / "diagrams.npz",
        counts=lengths,
        dimension=np.tile([0, 0, 1, 0], count),
        birth=np.tile([0.0, 1.0, 1.0, 2.0], count),
        death=np.tile([np.inf, np.inf, 9.0, np.inf], count),
        birth_index=np.full((4 * count, 2), CENTER),
        death_index=np.tile([[-1, -1], [-1, -1], [CENTER, CENTER], [-1, -1]], (count, 1)),
    )
    names = ("cavity", "myocardium", "cavity + myocardium")
    with (folder / "samples.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [column for name in names for column in region_columns(name)] + [real_column(name) for name in names]
        writer.writerow(["sample", "seed", "level", *columns])
        for sample in range(count):
            ring, real = ([1, 0, "no hole"], 0) if sample == 2 else ([1, 1, "valid"], 91.2)
            rest = [1, 0, "valid (as in 9 % of real slices)", 97.5, real, 9.1]
            writer.writerow([sample, sample, "0.500000", 1, 0, "valid", *ring, *rest])
    content = {
        "schema": "topogan.synthesis/2",
        "structure": "cavity, myocardium",
        "summary": "In 83 % of 6 samples every structure has a topology that real slices of its level show.",
        "count": count,
        "size": SIZE,
        "pixel_size_mm": PIXEL_SIZE,
        "table": {
            "structures": [{"name": one.name, "color": one.color, "terminology": one.terminology} for one in segments],
            "unions": [["cavity", "myocardium"]],
        },
        "settings": {"clean": 0},
        "requested_betti": None,
        "accepted_percent": 100.0,
        "model": {"content_hash": "a" * 64, "training_set": "b" * 64},
        "intensity": "HU",
        "window": [-200, 400],
        "regions": [{"name": name, "valid_percent": 100.0} for name in names],
    }
    (folder / "report.json").write_text(json.dumps(content))
    return folder


def write_ring_diagrams(path: Path, count: int) -> None:
    """One piece that never dies and one hole that the middle of the ring kills, in pixels, for each sample."""
    inner = 8.0 + np.arange(count) % 5
    death = np.stack([np.full(count, np.inf), inner], axis=1)
    death_index = np.tile([[-1, -1], [CENTER, CENTER]], (count, 1))
    np.savez_compressed(
        path,
        counts=np.full(count, 2),
        dimension=np.tile([0, 1], count),
        birth=np.zeros(2 * count),
        death=death.ravel(),
        birth_index=np.tile([[CENTER, CENTER + 12], [CENTER, CENTER - 12]], (count, 1)),
        death_index=death_index,
    )


@pytest.fixture
def synthesis_folder(tmp_path: Path) -> Path:
    return write_synthesis(tmp_path / "synthesis")


@pytest.fixture
def synthesis(synthesis_folder: Path) -> Synthesis:
    return read_synthesis_folder(synthesis_folder)


@pytest.fixture
def headless() -> HeadlessSlicer:
    return start_headless()


@pytest.fixture
def nodes(headless: HeadlessSlicer, synthesis: Synthesis) -> SynthesisNodes:
    return build_scene(headless.scene, synthesis)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write another synthesis folder: ``make_folder("name", count=3, textures=False)``."""
    return lambda name, **how: write_synthesis(tmp_path / name, **how)


@pytest.fixture
def structures_folder(tmp_path: Path) -> Path:
    return write_structures(tmp_path / "structures")


@pytest.fixture
def several(headless: HeadlessSlicer, structures_folder: Path) -> SynthesisNodes:
    """A scene of two structures and their union."""
    return build_scene(headless.scene, read_synthesis_folder(structures_folder))
