"""Checkpoints are whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch

from topogan.errors import WorkError
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint


def checkpoint(step: int) -> Checkpoint:
    tensors = {"a/weight": torch.full((2, 3), float(step)), "random": torch.arange(5, dtype=torch.uint8)}
    return Checkpoint(step, tensors, {"big": 2**127 + step, "text": "ü"})


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(3))
    found = latest_checkpoint(tmp_path)
    assert found is not None
    assert (found.step, found.values) == (3, {"big": 2**127 + 3, "text": "ü"})
    for name, tensor in checkpoint(3).tensors.items():
        assert torch.equal(found.tensors[name], tensor)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    assert latest_checkpoint(tmp_path) is None
    for step in (5, 100, 9, 101):
        save_checkpoint(tmp_path, checkpoint(step))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000100.safetensors",
        "step-00000101.safetensors",
    ]


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(1))
    newest = save_checkpoint(tmp_path, checkpoint(2))
    whole = newest.read_bytes()
    for damaged in (b"", whole[:100], whole[:-1]):
        newest.write_bytes(damaged)
        found = latest_checkpoint(tmp_path)
        assert found is not None
        assert found.step == 1
    (tmp_path / "step-00000001.safetensors").write_bytes(b"nothing")
    with pytest.raises(WorkError, match="damaged"):
        latest_checkpoint(tmp_path)


def test_a_full_disk_leaves_the_earlier_ones_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2):
        save_checkpoint(tmp_path, checkpoint(step))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises((OSError, WorkError), match=r"No space left|is full"):
        save_checkpoint(tmp_path, checkpoint(3))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
