"""The small parts of the training: objectives, averages, random streams, devices, previews, the user's folder."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from topogan.config import Device
from topogan.device import choose_device, exact_numerics
from topogan.errors import InputError
from topogan.randomness import BatchSampler, seeded, stream, torch_stream
from topogan.runs.failures import fault_words, without_paths
from topogan.runs.known_runs import remember_dataset, remembered_dataset
from topogan.runs.previews import contact_sheet
from topogan.runs.recorder import StepClock
from topogan.training.ema import EMA
from topogan.training.objectives import OBJECTIVES, interpolation_penalty, r1_penalty
from topogan_contract.machine import user_folder


def test_objectives_are_those_of_their_papers() -> None:
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])
    probability_real, probability_fake = torch.sigmoid(real), torch.sigmoid(fake)
    goodfellow = -(probability_real.log().mean() + (1 - probability_fake).log().mean())
    losses = {
        "log": (goodfellow, (1 - probability_fake).log().mean()),
        "nonsaturating": (goodfellow, -probability_fake.log().mean()),
        "wgan-gp": (fake.mean() - real.mean(), -fake.mean()),
    }
    assert losses.keys() == OBJECTIVES.keys()
    for name, (of_discriminator, of_generator) in losses.items():
        torch.testing.assert_close(OBJECTIVES[name].discriminator(real, fake), of_discriminator)
        torch.testing.assert_close(OBJECTIVES[name].generator(fake), of_generator)


def test_penalties_of_a_linear_discriminator_are_known() -> None:
    weight = torch.randn(6, generator=torch.Generator().manual_seed(0))

    def discriminator(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ weight

    images = torch.randn(5, 1, 2, 3)
    torch.testing.assert_close(r1_penalty(discriminator, images), weight.square().sum())
    found = interpolation_penalty(discriminator, images, -images, torch.rand(5))
    torch.testing.assert_close(found, (weight.norm() - 1).square())


def test_the_penalty_between_mixes_each_sample_with_its_own_share() -> None:
    seen = []

    def discriminator(images: torch.Tensor) -> torch.Tensor:
        seen.append(images)
        return images.flatten(1).sum(1)

    real, fake = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    interpolation_penalty(discriminator, real, fake, torch.tensor([0.0, 0.25, 1.0]))
    assert seen[0][:, 0, 0, 0].tolist() == [0.0, 0.25, 1.0]


def test_the_average_follows_slowly_and_the_first_steps_fast() -> None:
    network = nn.BatchNorm1d(1)
    average = EMA(network, decay=0.9)
    with torch.no_grad():
        network.weight.fill_(2.0)
    average.update(network, step=0)
    assert math.isclose(float(average.network.weight), 0.1 * 1.0 + 0.9 * 2.0, rel_tol=1e-6)
    average.update(network, step=10_000)
    assert math.isclose(float(average.network.weight), 0.9 * 1.9 + 0.1 * 2.0, rel_tol=1e-6)
    assert not average.network.training


def test_the_average_of_a_models_weights_forgets_them_evenly_until_the_end() -> None:
    network = nn.Linear(1, 1)
    with torch.no_grad():
        network.weight.fill_(1.0)
    average = EMA(network, decay=0.998, continued=100)
    with torch.no_grad():
        network.weight.fill_(2.0)
    average.update(network, step=0)
    assert math.isclose(float(average.network.weight), 0.97 * 1.0 + 0.03 * 2.0, rel_tol=1e-6)
    for step in range(1, 100):
        average.update(network, step)
    assert math.isclose(float(average.network.weight), 2.0 - 0.97**100, rel_tol=1e-4)
    long = EMA(network, decay=0.9, continued=100)
    with torch.no_grad():
        network.weight.fill_(3.0)
    long.update(network, step=0)
    assert math.isclose(float(long.network.weight), 2.1, rel_tol=1e-6), "no longer a memory than the settings say"


def test_streams_differ_by_seed_and_purpose_and_leave_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    draws = [torch.randn(3, generator=torch_stream(seed, purpose)) for seed, purpose in [(0, "a"), (0, "b"), (1, "a")]]
    assert len({tuple(draw.tolist()) for draw in draws}) == 3
    assert torch.equal(torch.randn(3, generator=torch_stream(0, "a")), draws[0])
    networks = [seeded(lambda: nn.Linear(2, 2), seed, "weights") for seed in (0, 0, 1)]
    assert torch.equal(networks[0].weight, networks[1].weight)
    assert not torch.equal(networks[0].weight, networks[2].weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_sampler_gives_every_item_once_a_round_and_can_go_on() -> None:
    sampler = BatchSampler(11, 3, stream(0, "test"))
    first_round = np.concatenate([sampler.next() for _ in range(3)])
    assert len(set(first_round.tolist())) == 9
    sampler.next()
    state = sampler.state_dict()
    expected = [sampler.next() for _ in range(9)]
    other = BatchSampler(11, 3, stream(5, "another"))
    other.load_state_dict(state)
    np.testing.assert_array_equal([other.next() for _ in range(9)], expected)


def test_devices() -> None:
    assert choose_device(Device.CPU).type == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="cuda"):
            choose_device(Device.CUDA)
        assert choose_device(Device.AUTO).type in ("cpu", "mps")


def test_numerics_are_put_back() -> None:
    before = torch.get_num_threads()
    with exact_numerics(before + 1, torch.device("cpu")):
        assert torch.get_num_threads() == before + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == before
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_contact_sheet_shows_every_image_in_its_place() -> None:
    images = np.stack([np.full((4, 4), value, np.float32) for value in (0.0, 0.25, 1.0)])
    sheet = contact_sheet(images, columns=2)
    assert sheet.shape == (2 * 6 + 2, 2 * 6 + 2)
    assert (sheet[2:6, 2:6] == 0.0).all()
    assert (sheet[2:6, 8:12] == 0.25).all()
    assert (sheet[8:12, 2:6] == 1.0).all()
    assert (sheet[8:12, 8:12] == 0.5).all()


def test_a_contact_sheet_of_large_images_is_halved_until_it_fits() -> None:
    images = np.zeros((64, 512, 512), np.float32)
    images[0, :128, :256] = 1.0
    sheet = contact_sheet(images, columns=8)
    assert sheet.shape == (8 * 130 + 2, 8 * 130 + 2), "every fourth pixel, or the mean of 16"
    assert sheet[2 : 2 + 128, 2 : 2 + 128].mean() == pytest.approx(images[0].mean())
    colors = contact_sheet(np.zeros((8, 512, 512, 3), np.float32), columns=8)
    assert colors.shape == (132, 8 * 130 + 2, 3)


def test_time_left_comes_after_twenty_steps() -> None:
    clock = StepClock()
    estimates = [clock.tick(100) for _ in range(60)]
    assert estimates[:19] == [None] * 19
    assert all(estimate is not None and estimate >= 0 for estimate in estimates[19:])


@pytest.mark.parametrize(
    ("platform", "variable", "ending"),
    [
        ("linux", "XDG_CONFIG_HOME", ("topogan",)),
        ("win32", "APPDATA", ("TopoGAN",)),
        ("darwin", "HOME", ("Library", "Application Support", "TopoGAN")),
    ],
)
def test_the_user_folder_is_where_each_system_has_it(
    platform: str, variable: str, ending: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert user_folder() == tmp_path.joinpath(*ending)


def test_the_place_of_a_dataset_is_remembered(tmp_path: Path) -> None:
    assert remembered_dataset("abc") is None
    assert remember_dataset("abc", tmp_path / "set")
    assert remembered_dataset("abc") == tmp_path / "set"
    assert remembered_dataset("abd") is None


def test_a_settings_folder_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert not remember_dataset("abc", tmp_path)


def test_paths_become_words() -> None:
    private = {Path("/data/smith"): "the training set", Path("/data/smith/run"): "the run folder"}
    text = "/data/smith/run/x and /data/smith/masks.npy, but"
    assert without_paths(text, private) == "the run folder/x and the training set/masks.npy, but"


def test_short_paths_do_not_eat_letters() -> None:
    private = {Path("m"): "the run folder", Path("/d"): "the training set"}
    text = "m/log.txt is damaged: m-m and /d/masks.npy, a/d, 'm' and 3/d."
    said = "the run folder/log.txt is damaged: m-m and the training set/masks.npy, a/d, 'the run folder' and 3/d."
    assert without_paths(text, private) == said


@pytest.mark.parametrize(
    "path",
    [
        "/data/smithson/x",
        "~/Smith/x.nii",
        r"C:\Users\Smith\x.nii",
        "'/data/John Smith/x'",
        '"C:\\John Smith\\x"',
        "/data/John Smith/CT 3/x.nii.gz",
        "/data/John Smith.nrrd",
        r"C:\Users\John Smith\x.nii",
    ],
)
def test_unknown_paths_disappear(path: str) -> None:
    """Errors of libraries name files that nobody foresaw."""
    private = {Path("/data/smith"): "the training set"}
    said = without_paths(f"[Errno 5] Input/output error: {path}: 3/4 done", private)
    assert said == "[Errno 5] Input/output error: a path: 3/4 done"
    assert without_paths(f"{path} is no file of the run: 3/4", private) == "a path is no file of the run: 3/4"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(2, "No such file or directory", "Mueller_Hans/ct.nii.gz"), "No such file or directory"),
        (OSError("cannot read 'Mueller/ct.nii'"), "cannot read …"),
        (KeyError("Mueller_Hans"), ""),
        (ValueError("patient 'Mueller^Hans' has no row. And more"), "patient … has no row; And more"),
        (ValueError(f"can't read {b'Mueller'!r} or {chr(34)}O'Neill, Hans{chr(34)}: 3"), "can't read … or …: 3"),
        (ValueError("patient 'O'Neill' of `Mueller' and “Hans”"), "patient … of … and …"),
        (ValueError("patient 'Mueller\nHans\\"), "patient …"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "mat1 and mat2 shapes cannot be multiplied"),
    ],
)
def test_a_fault_names_no_patient(error: Exception, said: str) -> None:
    kind = type(error).__name__
    assert fault_words(error) == (f"{kind}: {said}" if said else kind)
