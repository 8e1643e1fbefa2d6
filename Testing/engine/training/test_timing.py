"""Timings: what is measured, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from topogan import timings
from topogan.cli import run
from topogan.config import MaskSettings, Part, TextureSettings, TopologySettings, TrainSettings
from topogan.timings import SizedStructures, size_table
from topogan.training import timing
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.timing import StageTiming, drawn_training_set, time_training
from topogan.training_set import TrainingSet

NARROW = TrainSettings(
    masks=MaskSettings(width=4, batch=4, steps=100), textures=TextureSettings(width=4, batch=2, steps=50), threads=1
)
CPU = torch.device("cpu")


def timed(masks: float, memory: int = 1 << 20) -> list[StageTiming]:
    return [StageTiming("masks", 100, masks, memory), StageTiming("textures", 50, 0.0, memory)]


def test_a_few_steps_of_each_stage() -> None:
    found = time_training(NARROW, 64, CPU, structures=2)
    assert [(stage.name, stage.steps) for stage in found] == [("masks", 100), ("textures", 50)]
    assert all(stage.step_seconds > 0 and stage.memory_bytes > 1 << 20 for stage in found)
    (alone,) = time_training(NARROW.model_copy(update={"part": Part.MASKS}), 64, CPU)
    assert alone.name == "masks"


def test_every_kind_of_step_is_timed_and_counted_in_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual step takes 1 s, one with the penalty 17 s, one with the topological loss 9 s."""
    topology = TopologySettings(warm_up=0.5, every=4)
    seconds = {1: 1.0, 16: 17.0, 54: 9.0, 58: 9.0}
    monkeypatch.setattr(timing, "_step", lambda trainer, number: seconds[number])
    trainer: Any = MaskTrainer(drawn_training_set(64, 1, 4), NARROW, CPU)
    settings = NARROW.model_copy(update={"topology": topology})
    assert timing._mean_step(trainer, settings) == pytest.approx(1 + 16 / 16 + 8 * 0.5 / 4)


def test_drawn_label_maps_are_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    from topogan.homology import betti_numbers_of_batch

    drawn = drawn_training_set(128, 6, 3)
    for region in drawn.regions:
        assert (betti_numbers_of_batch(drawn.region_masks(np.arange(3), region.name)) == (1, 1)).all()


def test_large_batches_are_timed_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    stages = timing.planned_stages

    def look(settings: TrainSettings, *others: Any) -> Any:
        seen.append(settings.masks.batch)
        return stages(settings, *others)

    monkeypatch.setattr(timing, "planned_stages", look)
    settings = NARROW.model_copy(update={"part": Part.MASKS, "masks": MaskSettings(width=4, batch=16, steps=100)})
    monkeypatch.setattr(timing, "_TIMED_PIXELS", 2 * 64**2)
    (small,) = time_training(settings, 64, CPU)
    monkeypatch.setattr(timing, "_TIMED_PIXELS", 16 * 64**2)
    (large,) = time_training(settings, 64, CPU)
    assert seen == [2, 16]
    assert small.memory_bytes == pytest.approx(large.memory_bytes, rel=0.01)


def test_structures_are_those_of_the_training_set(ring_training_set: Path) -> None:
    real = TrainingSet.open(ring_training_set)
    found = SizedStructures.of(real)
    widest = max(int(np.ptp(np.argwhere(mask), axis=0).max()) + 1 for mask in real.masks[:])
    assert found == SizedStructures(1, widest * real.pixel_size, 0.0)


def test_words_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings, "time_training", lambda settings, size, *_: timed((size / 64) ** 2 * 4.0))
    rows = size_table(TrainSettings(device="cpu"), SizedStructures(1, 120.0, 0.35))
    assert [row["words"] for row in rows] == [
        "64 pixels: 2.5 mm, 7 times coarser than the images (0.35 mm); 256 pixels would show 0.63 mm: "
        "on this computer about 7 min.",
        "128 pixels: 1.2 mm, 4 times coarser than the images (0.35 mm); 256 pixels would show 0.63 mm: "
        "on this computer about 27 min.",
        "256 pixels: 0.63 mm, 1.8 times coarser than the images (0.35 mm): on this computer about 1 h 47 min.",
        "512 pixels: 0.35 mm, as the images: needs a GPU; on this computer about 7 h 07 min.",
    ]
    assert rows[3]["devices"]["cpu"]["step_seconds"] == {"masks": 256.0, "textures": 0.0}


def test_words_with_a_gpu_and_one_that_is_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(settings: TrainSettings, size: int, device: torch.device, *_: int) -> list[StageTiming]:
        if device.type == "cuda" and size == 512:
            raise torch.OutOfMemoryError
        return timed(1.2 if device.type == "cuda" else 36.0)

    monkeypatch.setattr(timings, "time_training", measure)
    monkeypatch.setattr(timings, "choose_device", lambda device: torch.device("cuda" if device != "cpu" else "cpu"))
    rows = size_table(TrainSettings(), SizedStructures())
    assert rows[2]["words"] == "256 pixels: about 2 min on the GPU, without it 1 h 00 min."
    assert rows[3]["words"] == (
        "512 pixels: too much for this GPU's memory with such batches; without it about 1 h 00 min."
    )


def test_sizes_whose_turn_is_late_are_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings, "_SECONDS", 0.0)
    monkeypatch.setattr(timings, "time_training", lambda *_: timed(1.0))
    rows = size_table(TrainSettings(device="cpu"), SizedStructures())
    found = [(row["devices"]["cpu"]["measured"], row["devices"]["cpu"]["seconds"]) for row in rows]
    assert found == [(True, 100.0), (False, 400.0), (False, 1600.0), (False, 6400.0)]
    assert rows[3]["devices"]["cpu"]["memory_bytes"] == 64 << 20


def test_sizes_of_volumes_have_their_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timings, "_SECONDS", 0.0)
    monkeypatch.setattr(timings, "time_training", lambda *given: timed(float(given[-1])))
    rows = size_table(TrainSettings(device="cpu"), SizedStructures(1, 80.0, 1.6, axes=3))
    assert [row["size"] for row in rows] == [32, 48, 64, 96, 128]
    assert rows[0]["words"].startswith("32 voxels: 2.8 mm, 1.7 times coarser than the images (1.6 mm)")
    # Eight times the voxels where the turn is late; 48 has no half.
    assert [row["devices"]["cpu"]["seconds"] for row in rows] == [300.0, 300.0, 2400.0, 2400.0, 19200.0]


def test_trainings_on_volumes_are_timed() -> None:
    (stage,) = time_training(NARROW.model_copy(update={"part": Part.MASKS}), 32, CPU, axes=3)
    assert stage.step_seconds > 0


def test_doctor_prints_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(timings, "time_training", lambda *_: timed(1.0))
    monkeypatch.setattr("topogan.doctor.nvidia_gpu", lambda: "")
    assert run(["doctor", "--timings", "--structure-count", "6", "--preset", "quick", "--json"]) == 0
    assert [row["size"] for row in json.loads(capsys.readouterr().out)["timings"]] == [64, 128, 256, 512]
    assert run(["doctor", "--timings"]) == 0
    assert "256 pixels: on this computer about" in capsys.readouterr().out
    assert run(["doctor"]) == 0
    assert "256 pixels" not in capsys.readouterr().out
