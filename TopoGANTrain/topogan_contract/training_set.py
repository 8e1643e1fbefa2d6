"""The folder of a training set, as far as others than the engine must know it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from topogan_contract.schemas import read_json

DESCRIPTION_FILE = "dataset.json"
KIND = "topogan.training-set/"
"""Schemas of the description begin with it, whatever their version."""

MARKS = re.compile(r"used(-[0-9a-f]{32})?\.json")
"""Each says that a run outside these results learns from the set, which nobody who looks through them could know."""

FILES = re.compile(
    r"dataset\.json|(slices|volumes)\.csv|(masks|images)\.npy|diagrams\.npz|preview\.png|check\.json|" + MARKS.pattern
)
"""Nothing else in it is the training set's."""


def find_description(folder: Path) -> dict[str, Any] | None:
    """What a training set says of itself; None for a folder that is none."""
    with suppress(OSError, ValueError):
        described = read_json(folder / DESCRIPTION_FILE)
        if isinstance(described, dict) and str(described.get("schema")).startswith(KIND):
            return described
    return None


def identity(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a run records of its training set, from the set's description: the same voxels may have another meaning.

    The content hash is over voxels and the table of samples; two sets of the same data may differ in their window, or
    in what their structures are called.
    """
    table = described.get("table")
    if not isinstance(table, dict):  # of one structure
        table = {"structures": [{"name": described.get("structure")}]}
    structures = table.get("structures")
    named = [one.get("name") for one in structures if isinstance(one, dict)] if isinstance(structures, list) else []
    alike = ("content_hash", "size", "pixel_size_mm", "intensity", "window")
    return {name: described.get(name) for name in alike} | {"structures": named, "unions": table.get("unions") or []}


def difference(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """In what a training set is not the one that a run has recorded, in words; empty where it is that one.

    Args:
        recorded: ``training_set`` of the run's configuration; older versions recorded less, and no window.
        found: the set's :func:`identity`.
    """
    names = ["content_hash", *(name for name in found if name in recorded)]
    return next((name.replace("_", " ") for name in names if recorded.get(name) != found[name]), "")
