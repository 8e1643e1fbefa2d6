"""The adversarial objectives. Scores are the discriminator's logits: higher is more real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor
from torch.nn import functional

Discriminator = Callable[[Tensor], Tensor]

# R1 changes slowly: every 16th step with 16 times the weight costs a sixteenth (Karras et al., CVPR 2020).
LAZY_STEPS = 16


class Penalty(Enum):
    """Where the gradient of the discriminator is held small, or near one."""

    R1 = "on real images"
    INTERPOLATION = "between real and synthetic images"


@dataclass(frozen=True)
class Objective:
    """What the two networks minimise."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """Loss from the scores of real and of synthetic images (any equal shapes)."""
    generator: Callable[[Tensor], Tensor]
    """Loss from the scores of synthetic images."""
    penalty: Penalty
    """The gradient penalty that goes with it."""


def _cross_entropy(real: Tensor, fake: Tensor) -> Tensor:
    """-log D(x) - log(1 - D(G(z))) with D = sigmoid(score)."""
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


OBJECTIVES: dict[str, Objective] = {
    # log(1 - D(G(z))): Goodfellow et al., NeurIPS 2014, and the TopoGAN paper
    "log": Objective(_cross_entropy, lambda fake: -functional.softplus(fake).mean(), Penalty.R1),
    # -log D(G(z))
    "nonsaturating": Objective(_cross_entropy, lambda fake: functional.softplus(-fake).mean(), Penalty.R1),
    # Gulrajani et al., NeurIPS 2017
    "wgan-gp": Objective(
        lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean(), Penalty.INTERPOLATION
    ),
}
"""What ``masks.objective`` can name."""


def r1_penalty(discriminator: Discriminator, real: Tensor) -> Tensor:
    """Mean squared gradient norm on real images (R1 of Mescheder et al., ICML 2018, without γ/2)."""
    return _gradients(discriminator, real).square().sum(1).mean()


def interpolation_penalty(discriminator: Discriminator, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean (‖gradient‖ - 1)² between real and synthetic images (Gulrajani et al., NeurIPS 2017, without λ).

    Args:
        discriminator: images [B, C, H, W] (or volumes) -> scores.
        real, fake: images [B, C, H, W] (or volumes).
        share: how much of each mixture is real, uniform in [0, 1), [B].
    """
    mixture = torch.lerp(fake, real, share.reshape(-1, *(1,) * (real.ndim - 1)))
    norms: Tensor = _gradients(discriminator, mixture).norm(dim=1)
    return (norms - 1.0).square().mean()


def _gradients(discriminator: Discriminator, images: Tensor) -> Tensor:
    images = images.detach().requires_grad_()
    gradients: Tensor = torch.autograd.grad(discriminator(images).sum(), images, create_graph=True)[0].flatten(1)
    return gradients
