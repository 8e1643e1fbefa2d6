"""Several structures: turns, levels, exact resume, fine-tuning from other structures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from topogan import cli
from topogan.config import Center, MaskSettings, Part, TextureSettings, TopologySettings, TrainSettings
from topogan.device import exact_numerics
from topogan.errors import InputError
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topogan.model import Model, load_model, save_model
from topogan.networks import TEXTURE_NETWORKS, channels_behind, texture_noise_channels
from topogan.networks.labels import labels_to_network, margins
from topogan.runs import request_stop
from topogan.training import resume, topological_gradient, train
from topogan.training.fine_tuning import start_from
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.stages import blank_networks
from topogan.training.topological_gradient import TopologicalGradient
from topogan.training_set import TrainingSet

CPU = torch.device("cpu")
SMALL = MaskSettings(width=4, latent=8, steps=16, batch=8)
STRONG = TopologySettings(warm_up=0.0, fixed_weight=0.5, ramp_steps=1, every=2, size_ratio=0.0)


@pytest.fixture(scope="module")
def hearts(heart_training_set: Path) -> TrainingSet:
    return TrainingSet.open(heart_training_set)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with exact_numerics(1, CPU):
        yield


def settings(**changes: Any) -> TrainSettings:
    return TrainSettings(**{"part": Part.MASKS, "masks": SMALL, "topology": STRONG, "threads": 1, **changes})


def gradient(hearts: TrainingSet, levels: bool = True, **changes: Any) -> TopologicalGradient:
    of, training = STRONG.model_copy(update=changes), SMALL
    regions = topological_gradient.chosen_regions(hearts, of)
    told = hearts.levels[hearts.train] if levels else None
    labels = hearts.masks[hearts.train]
    return TopologicalGradient(of, labels, regions, told, training, np.random.default_rng(0))


def right_logits(hearts: TrainingSet, rows: np.ndarray) -> torch.Tensor:
    return 2 * labels_to_network(hearts.masks[hearts.train[rows]], 2)


def test_the_generator_is_told_the_level_and_draws_for_it(hearts: TrainingSet) -> None:
    trainer = MaskTrainer(hearts, settings(masks=SMALL.model_copy(update={"width": 8, "steps": 220})), CPU)
    while trainer.step < trainer.total:
        trainer.train_step()
    average = trainer.exact.networks["average"]
    z = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))

    def cavity(level: float) -> float:
        with torch.no_grad():
            found = average(torch.cat([z, torch.full((64, 1), 2 * level - 1)], 1))
        return float((margins(found, hearts.regions)[:, 1] >= 0).float().mean())

    assert cavity(0.6) > 3 * cavity(0.05), "hearts have no cavity below 0.3"


def test_regions_take_turns(hearts: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, seen = np.arange(8), []
    force, logits = gradient(hearts), right_logits(hearts, rows)
    forward = TopologyLoss.forward

    def spy(self: TopologyLoss, margin: torch.Tensor, *more: Any) -> torch.Tensor:
        seen.append(margin)
        return forward(self, margin, *more)

    monkeypatch.setattr(TopologyLoss, "forward", spy)
    for step in (0, 2, 4, 6):
        force.add(step, logits, torch.zeros_like(logits), rows)
    for margin, region in zip(seen, [0, 1, 2, 0], strict=True):
        assert torch.equal(margin[:, 0], margins(logits, hearts.regions)[:, region])


def test_a_piece_too_many_is_pulled_away(hearts: TrainingSet) -> None:
    rows = np.arange(8)
    logits = right_logits(hearts, rows)
    logits[3, 1, 20:22, 2:4] = 9.0
    found, values = gradient(hearts, regions=("cavity",)).add(0, logits, torch.zeros_like(logits), rows)
    assert float(values["lambda"]) == 0.5
    assert (found[3, 1, 20:22, 2:4] > 0).any(), "a step against the gradient makes it less"


def test_a_setting_names_the_regions(hearts: TrainingSet) -> None:
    assert [one.name for one in topological_gradient.chosen_regions(hearts, STRONG)] == [
        "wall",
        "cavity",
        "wall + cavity",
    ]
    some = STRONG.model_copy(update={"regions": ("wall + cavity", "wall", "wall")})
    assert [one.name for one in topological_gradient.chosen_regions(hearts, some)] == ["wall + cavity", "wall"]


def test_an_unknown_region_is_refused_before_anything_is_written(heart_training_set: Path, tmp_path: Path) -> None:
    said = r"topology\.regions cannot be 'atrium': choose wall or cavity or wall \+ cavity"
    with pytest.raises(InputError, match=said):
        train(heart_training_set, tmp_path / "run", settings(topology=TopologySettings(regions=("atrium",))))
    command = ["train", str(heart_training_set), str(tmp_path / "run"), "--topology-regions", "atrium"]
    assert cli.run(command) == 2
    assert not list(tmp_path.iterdir())


def test_samples_are_matched_with_real_masks_of_near_levels() -> None:
    """Two equal samples with a faint hole, a disc and a ring to match them with: that of the ring's level is opened."""
    of = TopologySettings()
    rows, columns = np.indices((24, 24)) - 11.5
    disc, ring = np.hypot(rows, columns) < 9, (np.hypot(rows, columns) < 9) & (np.hypot(rows, columns) > 3)
    targets = TopologyTargets.from_masks(np.stack([disc, ring]), of)
    sample = torch.from_numpy(np.where(disc, 2.0, -2.0)).float()
    sample[11, 11] = -0.5
    for of_ring in (0, 1):
        leaf = sample.repeat(2, 1, 1, 1).requires_grad_()
        apart = np.array([[100.0, 0.0], [0.0, 100.0]]) if of_ring == 0 else np.array([[0.0, 100.0], [100.0, 0.0]])
        (gradient,) = torch.autograd.grad(TopologyLoss(of)(leaf, targets, apart), leaf)
        pulled = gradient.flatten(1)[:, 11 * 24 + 11]
        assert pulled[of_ring] > 0 > pulled[1 - of_ring]


@pytest.mark.parametrize("condition", ["level", "none"])
def test_a_restored_trainer_goes_on_to_the_bit(hearts: TrainingSet, condition: str) -> None:
    topology = TopologySettings(warm_up=0.1, every=2, ramp_steps=2)
    wanted = settings(topology=topology, condition=condition, masks=SMALL.model_copy(update={"steps": 60}))
    trainer = MaskTrainer(hearts, wanted, CPU)
    for _ in range(31):
        trainer.train_step()
    tensors, values = trainer.exact.pack()
    tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    expected = [trainer.train_step() for _ in range(4)]
    assert any(float(one.get("lambda", 0)) > 0 for one in expected)
    other = MaskTrainer(hearts, wanted, CPU)
    other.exact.restore(tensors, values)
    other.step = 31
    for one in expected:
        assert {name: float(value) for name, value in one.items()} == {
            name: float(value) for name, value in other.train_step().items()
        }


def test_a_run_of_both_parts_is_resumed_to_its_end(heart_training_set: Path, tmp_path: Path) -> None:
    both = settings(
        part=Part.BOTH, textures=TextureSettings(width=4, steps=4, batch=4), checkpoint_every=4, preview_every=8
    )
    whole = train(heart_training_set, tmp_path / "whole", both)

    def stop(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["stage"] == "textures" and event["step"] == 2:
            request_stop(tmp_path / "parts")

    resume(train(heart_training_set, tmp_path / "parts", both, on_event=stop))
    models = [load_model(run / "model") for run in (whole, tmp_path / "parts")]
    assert models[0].metadata.content_hash == models[1].metadata.content_hash
    samples = models[0].sample(3)
    assert samples.labels.shape == samples.textures.shape == (3, 64, 64)
    assert samples.betti.shape == (3, 3, 2) and len(samples.diagrams) == 9 and samples.levels.shape == (3,)


class TestFineTuning:
    @pytest.fixture
    def three(self, hearts: TrainingSet) -> TrainingSet:
        """The same slices with a third structure before the two."""
        from dataclasses import replace

        from topogan.structures import Structure, StructureTable

        table = StructureTable(structures=(Structure(name="aorta"), *hearts.table.structures))
        return replace(hearts, table=table)

    @pytest.fixture(params=list(TEXTURE_NETWORKS))
    def model(self, request: pytest.FixtureRequest, heart_model: Model) -> Model:
        from dataclasses import replace

        textures = TextureSettings(width=4, network=request.param)
        old = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=textures)
        masks, textures = (blank_networks(stage, old, 64, 2, 2) for stage in ("masks", "textures"))
        return replace(
            heart_model,
            metadata=heart_model.metadata.model_copy(update={"settings": old}),
            masks=masks["generator"],
            mask_discriminator=masks["discriminator"],
            textures=textures["generator"],
            texture_discriminator=textures["discriminator"],
        )

    @pytest.fixture
    def one(self, ring_training_set: Path, tmp_path: Path) -> Path:
        """A model of one structure."""
        old = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=TextureSettings(width=4))
        masks, textures = (blank_networks(stage, old, 64, 1, 2) for stage in ("masks", "textures"))
        rings = TrainingSet.open(ring_training_set)
        return save_model(
            tmp_path / "one", settings=old, training_set=rings, masks=masks, textures=textures, training={}
        )

    @staticmethod
    def wanted(model: Model) -> TrainSettings:
        return model.settings.model_copy(update={"part": Part.BOTH})

    def test_other_structures_are_refused(self, model: Model, three: TrainingSet) -> None:
        said = r"The model knows wall, cavity with the slice level and this training is of aorta, wall, cavity with"
        with pytest.raises(InputError, match=said + r" the slice level: add --adapt-structures"):
            start_from(model, self.wanted(model), three)
        with pytest.raises(InputError, match="without the slice level: add --adapt-structures"):
            start_from(model, self.wanted(model).model_copy(update={"condition": "none"}), three)

    def test_what_is_shared_is_kept(self, model: Model, three: TrainingSet) -> None:
        start = start_from(model, self.wanted(model), three, adapt_structures=True)
        assert start.messages == [
            f"The model's {part} know wall, cavity already; what they have for other structures begins untrained."
            for part in ("masks", "textures")
        ]
        assert not start.continued, "new structures are random, and are learned as such"
        masks, textures = start.networks["masks"], start.networks["textures"]
        z = torch.randn(2, 5)
        torch.testing.assert_close(masks["generator"].eval()(z)[:, 1:], model.masks.eval()(z), rtol=1e-4, atol=1e-8)
        seen = torch.randn(2, 3, 64, 64)  # two labels and the level
        for now, before, more in (
            (masks["discriminator"], model.mask_discriminator, ()),
            (textures["discriminator"], model.texture_discriminator, (torch.randn(2, 1, 64, 64),)),
        ):
            without = torch.cat([torch.zeros(2, 1, 64, 64), seen, *more], 1)
            torch.testing.assert_close(now.eval()(without), before.eval()(torch.cat([seen, *more], 1)))
        noise = torch.randn(2, texture_noise_channels(model.settings.textures), 64, 64)
        without = torch.cat([torch.zeros(2, 1, 64, 64), seen], 1)
        painted = model.textures.eval()(seen, noise)
        torch.testing.assert_close(textures["generator"].eval()(without, noise), painted, rtol=1e-4, atol=1e-5)

    def test_the_level_may_come_and_go(self, model: Model, hearts: TrainingSet) -> None:
        untold = self.wanted(model).model_copy(update={"condition": "none"})
        start = start_from(model, untold, hearts, adapt_structures=True)
        z = torch.randn(2, 4)
        with_middle = torch.cat([z, torch.zeros(2, 1)], 1)
        untold_logits = start.networks["masks"]["generator"].eval()(z)
        torch.testing.assert_close(untold_logits, model.masks.eval()(with_middle), rtol=1e-4, atol=1e-8)

    def test_one_structure_under_another_name_goes_on(
        self, ring_training_set: Path, one: Path, hearts: TrainingSet
    ) -> None:
        from dataclasses import replace

        model, rings = load_model(one), TrainingSet.open(ring_training_set)
        table = rings.table.model_validate({"structures": [{"name": "myocardium"}]})
        start = start_from(model, self.wanted(model), replace(rings, table=table))
        assert start.networks["masks"]["generator"] is model.masks and not start.messages
        with pytest.raises(InputError, match="knows ring without the slice level"):
            start_from(model, self.wanted(model), hearts)

    def test_another_center_is_said(self, ring_training_set: Path, one: Path) -> None:
        from dataclasses import replace

        model, rings = load_model(one), TrainingSet.open(ring_training_set)
        start = start_from(model, self.wanted(model), replace(rings, center=Center.VOLUME))
        assert start.messages == [
            "The model learned patches around what each slice shows and those of the training set lie around what all "
            "slices of a phase show: prepare it with --center slice to go on as it learned."
        ]

    def test_an_adapted_model_trains(self, heart_training_set: Path, one: Path, tmp_path: Path) -> None:
        old = load_model(one).settings
        short = old.model_copy(
            update={"part": Part.MASKS, "masks": old.masks.model_copy(update={"steps": 2, "batch": 4})}
        )
        run = train(heart_training_set, tmp_path / "run", short, model=one, adapt_structures=True)
        assert load_model(run / "model").masks(torch.zeros(1, 5)).shape == (1, 2, 64, 64)


def test_every_network_can_be_adapted(hearts: TrainingSet) -> None:
    from topogan.networks import MASK_NETWORKS
    from topogan.training.adaptation import Seen, adapt

    had, wants = Seen(("wall", "cavity"), True), Seen(("cavity", "aorta", "valve", "root"), False)
    cases = [("masks", {"masks": MaskSettings(width=4, backbone=name)}) for name in MASK_NETWORKS]
    cases += [("textures", {"textures": TextureSettings(width=4, network=name)}) for name in TEXTURE_NETWORKS]
    for stage, named in cases:
        for network in ("generator", "discriminator"):

            def make(
                structures: int, level: bool, stage: str = stage, named: Any = named, network: str = network
            ) -> nn.Module:
                told = settings(**named, condition="level" if level else "none")
                return blank_networks(stage, told, 64, structures, 2)[network]

            old, blank = make(2, True), make(4, False)
            before = {name: tensor.clone() for name, tensor in blank.state_dict().items()}
            adapt(blank, old, make, had, wants, channels_behind)
            for name, tensor in blank.state_dict().items():
                if tensor.shape == old.state_dict()[name].shape:
                    assert torch.equal(tensor, old.state_dict()[name]), (stage, name)
                elif before[name].any():  # biases begin at 0
                    assert not torch.equal(tensor, before[name]) and tensor.isfinite().all()
