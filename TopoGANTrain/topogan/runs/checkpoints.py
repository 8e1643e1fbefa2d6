"""Checkpoints: one safetensors file each, tensors and JSON, no pickle.

One file is one replacement: there is no moment at which half a checkpoint could be read.
"""

from __future__ import annotations

import json
import os
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from topogan.errors import WorkError
from topogan.files import staged_file

SCHEMA = "topogan.checkpoint/1"
_KEPT = 2
_NAME = re.compile(r"step-(\d{8,12})\.safetensors")
_KEY = "topogan"
# A file begins with the length of its table of contents; ours take 100 kB.
_LENGTH = struct.Struct("<Q")
_MAX_TABLE_BYTES = 4 << 20
# Were the last ones damaged by a failing disk, an older one would be no better.
_MOST_TRIED = 10
_ANY_SIZE = 1 << 40


@dataclass(frozen=True)
class Checkpoint:
    """All that a run needs to go on: ``tensors`` by name, and ``values`` that are JSON."""

    step: int
    tensors: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write ``step-N.safetensors`` to the disk, then remove all but the last two.

    Raises:
        WorkError: the disk is full; the earlier checkpoints are untouched.
    """
    text = json.dumps({"schema": SCHEMA, "step": checkpoint.step, **checkpoint.values}, allow_nan=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
    path = folder / f"step-{checkpoint.step:08d}.safetensors"
    # Written by Python and not by safetensors itself, whose errors do not tell a full disk from others.
    with staged_file(path) as temporary, temporary.open("wb") as file:
        file.write(save(tensors, {_KEY: text}))
        file.flush()
        os.fsync(file.fileno())
    # Later ones are not ours: a run that goes on has removed none, but goes on from before them.
    for _, old in [found for found in _found(folder) if found[0] <= checkpoint.step][:-_KEPT]:
        old.unlink()
    return path


def latest_checkpoint(folder: Path, most_bytes: int = _ANY_SIZE) -> Checkpoint | None:
    """Read the newest checkpoint that is whole; None where there is none at all.

    Args:
        folder: of the checkpoints.
        most_bytes: what is larger is no checkpoint of this run.

    Raises:
        WorkError: there are checkpoints but none of them can be read.
    """
    found = _found(folder)
    for _, path in reversed(found[-_MOST_TRIED:]):
        try:
            return _read(path, most_bytes)
        except (SafetensorError, KeyError, ValueError):
            continue  # damaged by something other than us: the one before loses a few steps, not the run
    if found:
        raise WorkError(f"The checkpoints in {folder} are damaged: start the training again.")
    return None


def _read(path: Path, most_bytes: int) -> Checkpoint:
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
    if len(start) < _LENGTH.size or _LENGTH.unpack(start)[0] > _MAX_TABLE_BYTES or path.stat().st_size > most_bytes:
        raise ValueError("larger than a checkpoint")
    with safe_open(path, framework="pt") as file:
        values = json.loads(file.metadata()[_KEY])
        # Copies: a mapped file could not be removed on Windows.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    if values.pop("schema") != SCHEMA:
        raise ValueError("another schema")
    return Checkpoint(values.pop("step"), tensors, values)


def _found(folder: Path) -> list[tuple[int, Path]]:
    """Return the checkpoints as (step, path), oldest first."""
    files = (path for path in folder.iterdir() if path.is_file() and not path.is_symlink())
    matches = [(_NAME.fullmatch(path.name), path) for path in files]
    return sorted((int(match[1]), path) for match, path in matches if match)
