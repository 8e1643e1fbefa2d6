"""A run folder that goes, or takes no more, while an engine works on it."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from topogan.config import MaskSettings, Part, TopologySettings, TrainSettings
from topogan.errors import WorkError
from topogan.model import load_model
from topogan.runs import read_status
from topogan.training import resume, train

_MASKS = MaskSettings(width=4, latent=8, steps=6, batch=8)
TINY = TrainSettings(
    part=Part.MASKS,
    masks=_MASKS,
    topology=TopologySettings(mode="off"),
    threads=1,
    checkpoint_every=2,
    preview_every=100,
)


def test_a_folder_that_is_renamed(ring_set: Path, tmp_path: Path) -> None:
    """The engine ends within a step, and what it had goes on elsewhere as if nothing had been."""
    train(ring_set, tmp_path / "alone", TINY)
    run, moved = tmp_path / "run", tmp_path / "moved"

    def move(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["step"] == 3:
            os.replace(run, moved)

    with pytest.raises(WorkError, match="The run folder was removed or renamed while the training ran: bring it back"):
        train(ring_set, run, TINY, on_event=move)
    assert not run.exists(), "nothing is written where it was"
    assert read_status(moved).state == "failed"
    resume(moved)
    hashes = {load_model(folder / "model").metadata.content_hash for folder in (moved, tmp_path / "alone")}
    assert len(hashes) == 1


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_folder_that_cannot_be_written_any_more(
    ring_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    from topogan.runs import checkpoints

    run, real = tmp_path / "run", checkpoints.staged_file

    def forbidden(path: Path) -> Any:
        if path.name == "step-00000004.safetensors":
            raise OSError(number, os.strerror(number), str(path))
        return real(path)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "staged_file", forbidden)
        words = r"The run folder cannot be written any more \(.*\): allow it again.*checkpoint of step 2 is whole"
        with pytest.raises(WorkError, match=words) as caught:
            train(ring_set, run, TINY)
    assert str(tmp_path) not in str(caught.value)
    assert read_status(run).state == "failed"
    resume(run)
    assert read_status(run).state == "finished"
