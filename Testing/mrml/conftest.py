"""A synthesis folder as the engine writes it, made of rings and noise, and a fresh headless Slicer for each test."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from TopoGANLib.headless.application import HeadlessSlicer, start_headless
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import Synthesis, read_synthesis_folder

SIZE = 64
PIXEL_SIZE = 1.5
CENTER = SIZE // 2


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
