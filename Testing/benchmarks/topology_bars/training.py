"""Bars 5 to 7 and 9: what the loss costs beside the networks.

The networks have the sizes of those of Wang et al., ECCV 2020 (DCGAN, WGAN-GP, 5 critic updates per generator update).
Their CPU time on one thread is halved before the comparison, as if two cores shared the work without loss; the loss
itself runs on one thread.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from topogan.config import MaskSettings, TopologySettings
from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topogan.networks import make_mask_discriminator, make_mask_generator
from topogan.structures import Region
from topogan.training.topological_gradient import TopologicalGradient
from topology_bars.bars import Bar, at_most
from topology_bars.clock import Work, interleaved
from topology_bars.inputs import blob_logits, half_and_half

_CRITIC_STEPS = 5
_LATENT = 128


def training_bars() -> list[Bar]:
    """Measure all of them."""
    return [*_large_64(), _large_128(), _small_64(), _backward_passes()]


def _large_64() -> list[Bar]:
    times = _costs(size=64, batch=128, width=64, rounds=3)
    step, cycle = times["generator"], times["generator"] + _CRITIC_STEPS * times["critic"]
    share = {name: 100 * times[name] / step for name in ("paper", "rank", "w2", "sizes", "paper noise", "rank noise")}
    others = ", ".join(f"{name} {share[name]:.2g} %" for name in share if name != "paper")
    milliseconds = f" ({1e3 * times['paper']:.0f} ms beside {1e3 * step:.0f} ms)"
    return [
        at_most("5", "`paper`, 64², batch 128, of a generator step", share["paper"], 6.0, milliseconds),
        at_most("5", "the same, of a cycle", 100 * times["paper"] / cycle, 0.6),
        Bar("–", "other losses, whenever they act, of a generator step (noise: untrained output)", others, None),
    ]


def _large_128() -> Bar:
    times = _costs(size=128, batch=32, width=32, rounds=3)
    return at_most("6", "`paper`, 128², batch 32, of a generator step", 100 * times["paper"] / times["generator"], 10.0)


def _small_64() -> Bar:
    times = _costs(size=64, batch=128, width=16, rounds=3)
    cycle = times["generator"] + _CRITIC_STEPS * times["critic"]
    return at_most("7", "`paper`, 64², batch 128, 0.41 M parameters, of a cycle", 100 * times["paper"] / cycle, 5.0)


def _costs(size: int, batch: int, width: int, rounds: int) -> dict[str, float]:
    """Seconds of one thread for each loss, and of two cores for a generator and a critic update."""
    works: dict[str, Work] = _network_steps(size, batch, width)
    grey = torch.from_numpy(blob_logits(batch, size))
    noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.1, grey.shape).astype(np.float32))
    masks = half_and_half(batch, size, seed=5)
    for name, settings in _losses().items():
        targets = TopologyTargets.from_masks(masks, settings)
        works[name] = _loss_step(grey, targets, settings)
        works[f"{name} noise"] = _loss_step(noise, targets, settings)
    works["sizes"] = _sizes_step(grey, masks)
    times = interleaved(works, rounds)
    return times | {name: times[name] / 2 for name in ("generator", "critic")}


def _losses() -> dict[str, TopologySettings]:
    return {
        "paper": TopologySettings(mode="paper"),
        "rank": TopologySettings(point_rule="rank"),
        "w2": TopologySettings(point_rule="w2"),
    }


def _loss_step(logits: Tensor, targets: TopologyTargets, settings: TopologySettings) -> Work:
    leaf, loss = logits.clone().requires_grad_(), TopologyLoss(settings)
    return lambda: torch.autograd.grad(loss(leaf, targets), leaf)


def _sizes_step(logits: Tensor, masks: np.ndarray) -> Work:
    leaf, dimensions, most = logits[:, 0].clone().requires_grad_(), (0, 1), TopologySettings().max_points
    targets = SizeTargets.from_masks(masks, dimensions, most)
    return lambda: torch.autograd.grad(size_loss(leaf, targets, dimensions, most), leaf)


def _network_steps(size: int, batch: int, width: int) -> dict[str, Work]:
    generator, critic = _generator(size, width), _critic(size, width)
    optimizers = [torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999)) for network in (generator, critic)]
    real = torch.from_numpy(half_and_half(batch, size))[:, None].float() * 2 - 1

    def generator_step() -> None:
        optimizers[0].zero_grad()
        (-critic(generator(torch.randn(batch, _LATENT, 1, 1))).mean()).backward()
        optimizers[0].step()

    def critic_step() -> None:
        optimizers[1].zero_grad()
        with torch.no_grad():
            fake = generator(torch.randn(batch, _LATENT, 1, 1))
        mixed = torch.lerp(real, fake, torch.rand(batch, 1, 1, 1)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        penalty = 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
        (critic(fake).mean() - critic(real).mean() + penalty).backward()
        optimizers[1].step()

    return {"generator": generator_step, "critic": critic_step}


def _generator(size: int, width: int) -> nn.Sequential:
    """4² at the widest, each layer twice the size and half the channels; ``width`` at the last but one."""
    doublings = size.bit_length() - 4
    channels = [_LATENT, *(width << level for level in range(doublings, -1, -1))]
    layers: list[nn.Module] = []
    for level, (wide, narrow) in enumerate(pairwise(channels)):
        stride, padding = (1, 0) if level == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(wide, narrow, 4, stride, padding, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh())


def _critic(size: int, width: int) -> nn.Sequential:
    channels = [1, *(width << level for level in range(size.bit_length() - 3))]
    layers: list[nn.Module] = []
    for narrow, wide in pairwise(channels):
        layers += [nn.Conv2d(narrow, wide, 4, 2, 1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 4))


def _backward_passes() -> Bar:
    settings = MaskSettings(batch=8)
    generator, critic = make_mask_generator(settings, 64), make_mask_discriminator(settings, 64)
    topology = TopologySettings(warm_up=0.0, fixed_weight=0.01, ramp_steps=1)
    labels, regions = half_and_half(16, 64).astype(np.uint8), [Region("structure", (1,))]
    force = TopologicalGradient(topology, labels, regions, None, settings, np.random.default_rng(0))
    passes = 0

    def count(_: Tensor) -> None:
        nonlocal passes
        passes += 1

    next(generator.parameters()).register_hook(count)
    logits = generator(torch.randn(settings.batch, settings.latent))
    leaf = logits.detach().requires_grad_()
    (adversarial,) = torch.autograd.grad(-critic(torch.tanh(leaf / 2)).mean(), leaf)
    logits.backward(force.add(0, leaf, adversarial)[0])
    return Bar("9", "backward passes through the generator per step: ≤ 1", str(passes), passes <= 1)
