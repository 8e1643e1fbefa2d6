"""Runs from the outside: the folder, its manners, and what it refuses."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from topogan.config import AugmentationSettings, MaskSettings, Part, TextureSettings, TopologySettings, TrainSettings
from topogan.errors import InputError, WorkError
from topogan.files import read_json
from topogan.model import load_model, measuring
from topogan.runs import folder as run_folder
from topogan.runs import read_status, request_stop
from topogan.runs.known_runs import remember_dataset, remembered_dataset
from topogan.training import checks, resume, train, work
from topogan.training.loop import most_checkpoint_bytes
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.stages import blank_networks
from topogan.training_set import TrainingSet
from topogan_contract.training_set import difference, identity

TINY = TrainSettings(
    part=Part.MASKS,
    masks=MaskSettings(width=4, latent=8, steps=6, batch=8),
    topology=TopologySettings(mode="off"),
    textures=TextureSettings(width=4, steps=4, batch=4),
    threads=1,
    checkpoint_every=2,
    preview_every=3,
)
LONG = TINY.model_copy(update={"masks": TINY.masks.model_copy(update={"steps": 100_000})})


def settings(**changes: Any) -> TrainSettings:
    return TINY.model_copy(update=changes)


@pytest.fixture(scope="module")
def finished(ring_set: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict]]:
    """A run of both parts, and the events that its caller saw."""
    run, events = tmp_path_factory.mktemp("runs") / "run", []
    both = settings(part=Part.BOTH, topology=TopologySettings(warm_up=0.5, fixed_weight=0.01, every=1))
    assert train(ring_set, run, both, on_event=events.append) == run
    return run, events


def test_the_folder_holds_what_the_contract_says(finished: tuple[Path, list[dict]], ring_set: Path) -> None:
    run, _ = finished
    assert {path.name for path in run.iterdir()} == {
        "config.json", "run.lock", "status.json", "events.jsonl", "history.json", "previews", "checkpoints",
        "log.txt", "model",
    }  # fmt: skip
    status = read_status(run)
    assert (status.state, status.step, status.total) == ("finished", 10, 10)
    assert not (run / "run.lock").read_bytes(), "the process id goes with the lock"
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == [
        "step-00000008.safetensors",
        "step-00000010.safetensors",
    ]
    assert sorted(path.name for path in (run / "previews").iterdir()) == [
        "masks-00000003.png", "masks-00000006.png", "textures-00000003.png", "textures-00000004.png",
    ]  # fmt: skip
    config = read_json(run / "config.json", "topogan.run/1")
    assert TrainSettings.model_validate(config["settings"]).masks.steps == 6
    described = json.loads((ring_set / "dataset.json").read_text())
    assert not difference(config["training_set"], identity(described))
    assert difference(config["training_set"], identity({**described, "window": [0.0, 100.0]})) == "window"
    curves = read_json(run / "history.json", "topogan.history/1")["curves"]
    assert curves["masks/loss_generator"]["steps"] == [1, 2, 3, 4, 5, 6]
    assert curves["masks/lambda"]["steps"] == [4, 5, 6]
    assert curves["masks/quick_valid"]["steps"] == [3, 6]
    assert curves["textures/difference"]["steps"] == [1, 2, 3, 4]
    assert len(curves["masks/gradient_discriminator"]["values"]) == 6


def test_the_caller_sees_the_events_of_the_file(finished: tuple[Path, list[dict]]) -> None:
    run, events = finished
    written = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    assert written == [event for event in events if event["kind"] != "message"]
    assert [event["stage"] for event in written if event["kind"] == "stage"] == ["masks", "textures"]
    assert written[1]["kind"] == "step"
    assert (written[1]["step"], written[1]["total"]) == (1, 6)


def test_no_file_tells_where_the_data_came_from(finished: tuple[Path, list[dict]], ring_set: Path) -> None:
    run, _ = finished
    words = [str(ring_set), ring_set.parent.name, str(run.parent), str(Path.home())]
    for path in run.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [word for word in words if word.encode() in content], path


def test_the_package_holds_the_averaged_generator(finished: tuple[Path, list[dict]]) -> None:
    run, _ = finished
    model = load_model(run / "model")
    assert model.metadata.training["steps"] == {"masks": 6, "textures": 4}
    assert set(model.metadata.training["final"]) == {"masks", "textures"}
    samples = model.sample(2)
    assert samples.labels.shape == (2, 64, 64)
    assert samples.textures is not None


def test_a_finished_run_is_not_resumed(finished: tuple[Path, list[dict]]) -> None:
    with pytest.raises(InputError, match="is finished"):
        resume(finished[0])
    with pytest.raises(InputError, match="Nothing is running"):
        request_stop(finished[0])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"part": Part.TEXTURES}, "no images"),
        ({"part": Part.BOTH}, "no images"),
        ({"masks": TINY.masks.model_copy(update={"batch": 31})}, "masks.batch is 31 and the training set has 30"),
        ({"device": "cuda"}, "cuda"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    label_set: Path, tmp_path: Path, changes: dict, words: str
) -> None:
    if "device" in changes and torch.cuda.is_available():
        pytest.skip("this computer has CUDA")
    wanted = TrainSettings.model_validate({**TINY.model_dump(), **settings(**changes).model_dump(warnings=False)})
    with pytest.raises(InputError, match=words):
        train(label_set, tmp_path / "run", wanted)
    assert not (tmp_path / "run").exists()


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def full_memory(*_: object) -> None:
    raise MemoryError


def test_bad_places_are_refused(label_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="no training set"):
        train(tmp_path / "nowhere", tmp_path / "run", TINY)
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="is a file"):
        train(label_set, tmp_path / "file", TINY)
    with pytest.raises(InputError, match="cannot be written"):
        train(label_set, tmp_path / "file" / "run", TINY)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        train(label_set, tmp_path / "full", TINY)
    with pytest.raises(InputError, match="was not written by TopoGAN"):
        train(label_set, tmp_path / "full", TINY, overwrite=True)
    with monkeypatch.context() as patch:
        patch.setattr(run_folder, "write_json", full_disk)
        with pytest.raises(WorkError, match="is full"):
            train(label_set, tmp_path / "half", TINY)
    assert not (tmp_path / "half").exists(), "nothing half written"
    old = tmp_path / "old"
    inside = old / "set"
    shutil.copytree(label_set, inside)
    (old / "config.json").write_text('{"schema": "topogan.run/1"}')
    with pytest.raises(InputError, match=r"holds set/.*, which is no part of the run"):
        train(inside, old, TINY, overwrite=True)
    assert (inside / "masks.npy").exists()
    with pytest.raises(InputError, match="is missing"):
        resume(tmp_path / "nowhere")


def test_a_run_in_use_is_refused_stops_on_request_and_goes_on(label_set: Path, tmp_path: Path) -> None:
    run, seen = tmp_path / "run", threading.Event()
    listen = {"on_event": lambda _: seen.set()}
    worker = threading.Thread(target=train, args=(label_set, run, LONG), kwargs=listen, daemon=True)
    worker.start()
    seen.wait()
    while read_status(run).eta_seconds is None:
        time.sleep(0.05)
    assert read_status(run).state == "running"
    for refused in (
        lambda: train(label_set, run, TINY, overwrite=True),
        lambda: resume(run),
    ):
        with pytest.raises(InputError, match="A training is running in") as caught:
            refused()
        assert str(os.getpid()) in str(caught.value)
    request_stop(run)
    worker.join()
    status = read_status(run)
    assert status.state == "stopped"
    assert not (run / "stop").exists()
    assert (run / "checkpoints" / f"step-{status.step:08d}.safetensors").exists()
    assert not (run / "model").exists()


def test_a_new_run_replaces_an_old_one_when_asked(label_set: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(label_set, run, settings())
    first = json.loads((run / "config.json").read_text())["id"]
    train(label_set, run, settings(), overwrite=True)
    assert json.loads((run / "config.json").read_text())["id"] != first
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def stop_after(run: Path, step: int) -> Any:
    """A listener that asks for a stop at a step."""

    def listen(event: dict) -> None:
        if event.get("step") == step and event["kind"] == "step":
            request_stop(run)

    return listen


def test_resume_finds_its_data_or_says_what_is_wrong(
    label_set: Path, ring_set: Path, tmp_path: Path, own_user_folder: Path
) -> None:
    results, run = tmp_path / "results", tmp_path / "run"
    moved, place = results / "1" / "training-set", results / "2" / "training-set"
    shutil.copytree(label_set, moved)
    train(moved, run, TINY, on_event=stop_after(run, 3))
    assert read_status(run).step == 3
    shutil.copytree(moved, place)
    before = moved.rename(tmp_path / "before")
    (mark,) = place.glob("used-*.json")
    mark.unlink()  # which the training has left, for the run lies elsewhere
    with pytest.raises(InputError, match="is no longer in"):
        resume(run)
    with pytest.raises(InputError, match=r"is not the training set .* the same content hash"):
        resume(run, dataset=ring_set)
    renamed = shutil.copytree(label_set, tmp_path / "renamed") / "dataset.json"
    renamed.write_text(renamed.read_text().replace('"ring"', '"disc"'))
    with pytest.raises(InputError, match=r"is not the training set .* the same structures"):
        resume(run, dataset=renamed.parent)
    shutil.rmtree(own_user_folder)
    with pytest.raises(InputError, match="not known here"):
        resume(run)
    messages: list[dict] = []
    before.rename(moved)
    remember_dataset(mark.stem.removeprefix("used-"), moved)
    resume(run, dataset=place, on_event=messages.append)
    assert mark.exists() and not (moved / mark.name).exists(), "it learns elsewhere now"
    assert remembered_dataset(read_json(run / "config.json", "topogan.run/1")["id"]) == place
    assert read_status(run).state == "finished"
    assert messages[0] == {"kind": "message", "text": "The run goes on from step 3."}


def test_old_requests_to_stop_are_forgotten_and_new_ones_heard(label_set: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(label_set, run, TINY, on_event=stop_after(run, 2))
    (run / "stop").touch()
    os.utime(run / "stop", (1, 1))
    resume(run, on_event=stop_after(run, 4))
    assert read_status(run).step == 4, "the old request did not stop it at once"
    (run / "stop").touch()
    resume(run)
    assert (read_status(run).state, read_status(run).step) == ("stopped", 4), "a request made before the start counts"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to receive")
def test_a_signal_is_a_request_to_stop(label_set: Path, tmp_path: Path) -> None:
    def interrupt(event: dict) -> None:
        if event.get("step") == 2 and event["kind"] == "step":
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    train(label_set, tmp_path / "run", TINY, on_event=interrupt)
    assert (read_status(tmp_path / "run").state, read_status(tmp_path / "run").step) == ("stopped", 2)
    assert signal.getsignal(signal.SIGTERM) is before


def fail_at(monkeypatch: pytest.MonkeyPatch, step: int, action: Any) -> None:
    """Let the step after ``step`` do something else."""
    original = MaskTrainer.train_step

    def train_step(trainer: MaskTrainer) -> Any:
        if trainer.step == step:
            return action(trainer)
        return original(trainer)

    monkeypatch.setattr(MaskTrainer, "train_step", train_step)


def diverge(trainer: MaskTrainer) -> dict:
    trainer.step += 1
    return {"loss_discriminator": float("nan")}


def break_with_a_path(trainer: MaskTrainer) -> dict:
    raise KeyError(f"{trainer._set.folder}/smith.nii.gz")


def use_up_the_memory(trainer: MaskTrainer) -> dict:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (diverge, r"The training of masks diverged at step 5 \(loss_discriminator is nan\)"),
        (break_with_a_path, r"The training failed \(KeyError\).*checkpoint of step 4"),
        (use_up_the_memory, "There is not enough memory"),
    ],
)
def test_a_failure_is_one_sentence_and_the_checkpoint_stays(
    label_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: Any, words: str
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        fail_at(patch, 4, action)
        with pytest.raises(WorkError, match=words):
            train(label_set, run, TINY)
    status = read_status(run)
    assert status.state == "failed"
    assert status.error is not None and status.error.count(". ") == 0
    log = (run / "log.txt").read_text()
    assert "mask_trainer" in log or "loop.py" in log
    assert str(label_set) not in log + status.error
    resume(run)
    assert read_status(run).state == "finished"


def test_a_full_disk_is_said_and_can_be_resumed(
    label_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, real = tmp_path / "run", os.fsync

    def full(descriptor: int) -> None:
        if (run / "checkpoints" / "step-00000002.safetensors").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WorkError, match=r"The disk is full.*checkpoint of step 2 is whole"):
            train(label_set, run, TINY)
    assert read_status(run).state == "failed"
    resume(run)
    assert read_status(run).state == "finished"


def test_fine_tuning_starts_from_the_model(ring_set: Path, finished: tuple[Path, list[dict]], tmp_path: Path) -> None:
    """Nothing is learned at a learning rate of next to nothing, so the package must come out as it went in."""
    package, run = finished[0] / "model", tmp_path / "run"
    frozen = TINY.masks.model_copy(update={"learning_rate": 1e-30, "steps": 2, "average": 0.0})
    train(ring_set, run, settings(masks=frozen), model=package)
    before, after = load_model(package), load_model(run / "model")
    assert before.masks is not None and after.masks is not None and after.mask_discriminator is not None
    for name, tensor in before.masks.named_parameters():
        torch.testing.assert_close(after.masks.get_parameter(name), tensor, rtol=0, atol=1e-20)
    assert before.mask_discriminator is not None
    for name, tensor in before.mask_discriminator.named_parameters():
        torch.testing.assert_close(after.mask_discriminator.get_parameter(name), tensor, rtol=0, atol=1e-20)
    started = json.loads((run / "config.json").read_text())["started_from"]
    assert started == before.metadata.content_hash
    assert after.textures is not None, "the part that was not trained is taken over"


def test_fine_tuning_goes_on_as_if_it_had_not_stopped(
    ring_set: Path, finished: tuple[Path, list[dict]], tmp_path: Path
) -> None:
    package, whole, parted = finished[0] / "model", tmp_path / "whole", tmp_path / "parted"
    short = TINY.masks.model_copy(update={"steps": 4})
    acting = settings(masks=short, topology=TopologySettings(fixed_weight=0.01, every=2))
    train(ring_set, whole, acting, model=package)
    train(ring_set, parted, acting, model=package, on_event=stop_after(parted, 2))
    assert read_status(parted).state == "stopped"
    assert "masks" in json.loads((parted / "config.json").read_text())["continued"]
    resume(parted)
    curves = read_json(parted / "history.json", "topogan.history/1")["curves"]
    assert curves["masks/lambda"] == {"steps": [1, 3], "values": [0.01] * 2}, "from the first step"
    assert curves == read_json(whole / "history.json", "topogan.history/1")["curves"]
    found, expected = (load_model(run / "model").masks for run in (parted, whole))
    assert found is not None and expected is not None
    for name, tensor in expected.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


def test_textures_of_another_window_are_left_out(
    label_set: Path, finished: tuple[Path, list[dict]], tmp_path: Path
) -> None:
    events: list[dict] = []
    train(label_set, tmp_path / "run", settings(), model=finished[0] / "model", on_event=events.append)
    assert "textures do not fit this training set" in events[0]["text"]
    assert load_model(tmp_path / "run" / "model").textures is None


def test_textures_can_be_trained_onto_a_model_of_masks(ring_set: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "masks", tmp_path / "textures"
    said = {"topology": TopologySettings(mode="off", regions=("ring",))}
    said["augmentation"] = AugmentationSettings(discriminator="fixed")
    train(ring_set, first, settings(**said))
    renamed = shutil.copytree(ring_set, tmp_path / "renamed") / "dataset.json"
    renamed.write_text(renamed.read_text().replace('"ring"', '"disc"'))
    others = settings(part=Part.TEXTURES, masks=MaskSettings(), topology=TopologySettings())
    train(renamed.parent, second, others, model=first / "model", on_event=stop_after(second, 3))
    resume(second)
    model = load_model(second / "model")
    assert model.settings.masks == TINY.masks
    assert {name: getattr(model.settings, name) for name in said} == said
    assert model.textures is not None and model.masks is not None
    source = load_model(first / "model").masks
    assert source is not None
    for name, tensor in source.state_dict().items():
        assert torch.equal(model.masks.state_dict()[name], tensor)


@pytest.mark.parametrize(("part", "carried"), [("masks", "textures"), ("textures", "masks")])
def test_a_checkpoint_may_be_as_large_as_the_networks_that_it_carries(part: str, carried: str) -> None:
    """Else a run that was started from a model, and trains one part of it, could not be resumed."""
    wide = TrainSettings.model_validate({"part": part, carried: {"width": 128}})
    with torch.device("meta"):
        networks = blank_networks(carried, wide, 256, 1, 2).values()
    weights = sum(tensor.nbytes for network in networks for tensor in network.state_dict().values())
    assert most_checkpoint_bytes(wide, 256, 1, 2) > weights > 64 << 20


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 8}, "masks have width 4 and the settings say 8"),
        ({"backbone": "resnet"}, "masks have backbone dcgan and the settings say resnet"),
        ({"latent": 9}, "masks have latent 8 and the settings say 9"),
    ],
)
def test_fine_tuning_another_network_is_refused(
    label_set: Path, finished: tuple[Path, list[dict]], tmp_path: Path, changes: dict, words: str
) -> None:
    other = MaskSettings.model_validate({**TINY.masks.model_dump(), **changes})
    with pytest.raises(InputError, match=words):
        train(label_set, tmp_path / "run", settings(masks=other), model=finished[0] / "model")
    assert not (tmp_path / "run").exists()


def test_a_package_that_cannot_be_written_is_written_on_resume(
    label_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(work, "save_model", full_disk)
        with pytest.raises(WorkError, match="The disk is full"):
            train(label_set, run, TINY)
    assert read_status(run).state == "failed"
    monkeypatch.setattr(measuring, "measure", full_memory)
    resume(run)
    model = load_model(run / "model")
    assert model.masks is not None
    assert model.metadata.figures is None
    assert "How good the samples are was not measured." in (run / "log.txt").read_text()


def test_a_set_cut_off_under_a_run_is_one_sentence(ring_set: Path, tmp_path: Path) -> None:
    name = "masks.npy"
    folder = Path(shutil.copytree(ring_set, tmp_path / "set"))
    whole = (folder / name).read_bytes()

    def cut(event: dict) -> None:
        if event["kind"] == "step" and event["step"] == 1:
            os.truncate(folder / name, 200)

    with pytest.raises(WorkError, match=f"{name} of .* was changed or removed while it was in use"):
        train(folder, tmp_path / "run", TINY, on_event=cut)
    assert read_status(tmp_path / "run").state == "failed"
    with pytest.raises(InputError, match=f"{name} cannot be read"):
        resume(tmp_path / "run", folder)
    (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match="were changed since it was made"):
        resume(tmp_path / "run", folder)
    (folder / name).write_bytes(whole)
    resume(tmp_path / "run", folder)
    assert read_status(tmp_path / "run").state == "finished"


def test_a_start_does_not_read_every_mask_to_find_empty_ones(ring_set: Path) -> None:
    real = TrainingSet.open(ring_set)
    read: list[int] = []

    class Watched:
        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            read.extend(np.atleast_1d(rows))
            return real.masks[rows]

    watched = dataclasses.replace(real, masks=Watched())
    checks._check_masks(watched)
    assert 0 < len(read) < len(real.train) / 4
    empty = real.betti.copy()
    empty[real.train[5]] = 0
    with pytest.raises(InputError, match=f"Mask {real.train[5]} of .* holds no structure"):
        checks._check_masks(dataclasses.replace(watched, betti=empty))
