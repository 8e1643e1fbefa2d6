"""Interrupted and resumed is uninterrupted, bit for bit: weights, optimizers, events, curves and the model package."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from topogan.config import AugmentationSettings, MaskSettings, TextureSettings, TopologySettings, TrainSettings
from topogan.model import load_model
from topogan.runs import read_status, request_stop
from topogan.training import resume, train

# Warm-up, measuring of λ and R1's second turn (step 16) all happen on both sides of an interruption.
SETTINGS = TrainSettings(
    masks=MaskSettings(width=4, latent=8, steps=18, batch=8),
    topology=TopologySettings(warm_up=0.2, ramp_steps=4, fixed_weight=0.01, every=2),
    augmentation=AugmentationSettings(masks=1.0, discriminator="adaptive"),
    textures=TextureSettings(width=4, steps=8, batch=4),
    threads=1,
    checkpoint_every=5,
    preview_every=6,
)
# Each moment of killed_run.py, and the newest checkpoint that the killed process leaves.
MOMENTS = {
    "first steps": 0,
    "middle of a checkpoint": 0,
    "checkpoint without a name": 5,
    "middle of an event": 23,
    "package written": 26,
}


@pytest.fixture(scope="module")
def uninterrupted(ring_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(ring_set, tmp_path_factory.mktemp("whole") / "run", SETTINGS)


def assert_same_run(one: Path, other: Path) -> None:
    for name in ("events.jsonl", "history.json"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    last = "checkpoints/step-00000026.safetensors"
    tensors, others = load_file(one / last), load_file(other / last)
    assert tensors.keys() == others.keys()
    different = [name for name in tensors if tensors[name].numpy().tobytes() != others[name].numpy().tobytes()]
    assert not different
    assert load_model(one / "model").metadata.content_hash == load_model(other / "model").metadata.content_hash
    assert sorted(path.name for path in (one / "previews").iterdir()) == sorted(
        path.name for path in (other / "previews").iterdir()
    )
    for path in (one / "previews").iterdir():
        assert path.read_bytes() == (other / "previews" / path.name).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_five_times(ring_set: Path, uninterrupted: Path, tmp_path: Path) -> None:
    """One run that is killed, resumed, killed at a later moment, and so on."""
    run = tmp_path / "run"
    script = Path(__file__).with_name("killed_run.py")
    command = [sys.executable, str(script), str(ring_set), str(run), SETTINGS.model_dump_json()]
    # One thread from the start: a process that has started threads cannot be forked safely.
    ended = subprocess.run(
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert [json.loads(line) for line in ended.stdout.splitlines()] == [
        {"moment": moment, "signal": signal.SIGKILL, "state": "failed", "newest": f"step-{step:08d}.safetensors"}
        for moment, step in MOMENTS.items()
    ]
    resume(run, dataset=ring_set)
    assert read_status(run).state == "finished"
    assert_same_run(uninterrupted, run)
    assert not [path for path in run.rglob("*") if ".partial" in path.name], "nothing half written is left"


def test_stopped_and_resumed_twice(ring_set: Path, uninterrupted: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"

    def stop(event: dict) -> None:
        if event["kind"] == "step" and (event["stage"], event["step"]) in {("masks", 7), ("textures", 3)}:
            request_stop(run)

    train(ring_set, run, SETTINGS, on_event=stop)
    assert (read_status(run).state, read_status(run).step) == ("stopped", 7)
    resume(run, on_event=stop)
    assert (read_status(run).state, read_status(run).step) == ("stopped", 21)
    resume(run, on_event=stop)
    assert_same_run(uninterrupted, run)
