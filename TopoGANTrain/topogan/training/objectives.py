"""The adversarial objectives. Scores are the critic's logits: higher is more real."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from topogan.config import Objective

Critic = Callable[[Tensor], Tensor]


def critic_loss(objective: Objective, real: Tensor, fake: Tensor) -> Tensor:
    """What the critic minimises, from its scores of real and synthetic images (any equal shapes)."""
    if objective is Objective.WGAN_GP:
        return fake.mean() - real.mean()
    return functional.softplus(-real).mean() + functional.softplus(fake).mean()


def generator_loss(objective: Objective, fake: Tensor) -> Tensor:
    """What the generator minimises.

    ``log`` is log(1 - D(G(z))) with D = sigmoid(score), as in Goodfellow et al. (NeurIPS 2014) and in the TopoGAN
    paper; ``nonsaturating`` is -log D(G(z)); ``wgan-gp`` is -score (Gulrajani et al., NeurIPS 2017).
    """
    if objective is Objective.LOG:
        return -functional.softplus(fake).mean()
    if objective is Objective.NONSATURATING:
        return functional.softplus(-fake).mean()
    return -fake.mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Mean squared gradient norm of the critic on real images (R1 of Mescheder et al., ICML 2018, without γ/2)."""
    return _gradients(critic, real).square().sum(1).mean()


def interpolation_penalty(critic: Critic, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Mean (‖gradient‖ - 1)² between real and synthetic images (Gulrajani et al., NeurIPS 2017, without λ).

    Args:
        critic: images [B, C, H, W] -> scores.
        real, fake: images [B, C, H, W].
        share: how much of each mixture is real, uniform in [0, 1), [B].
    """
    mixture = torch.lerp(fake, real, share[:, None, None, None])
    return (_gradients(critic, mixture).norm(dim=1) - 1.0).square().mean()


def _gradients(critic: Critic, images: Tensor) -> Tensor:
    images = images.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return gradients.flatten(1)
