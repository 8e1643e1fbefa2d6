"""One step down a loss, shared by the trainings."""

from __future__ import annotations

import torch
from torch import Tensor, nn

Values = dict[str, Tensor | float]


def make_optimizers(
    generator: nn.Module, discriminator: nn.Module, rate: float, betas: tuple[float, float]
) -> dict[str, torch.optim.Optimizer]:
    """Make Adam for both networks, by the names under which checkpoints know them."""
    return {
        "generator_optimizer": torch.optim.Adam(generator.parameters(), rate, betas),
        "discriminator_optimizer": torch.optim.Adam(discriminator.parameters(), rate, betas),
    }


def descend(
    optimizer: torch.optim.Optimizer, network: nn.Module, loss: Tensor, gradient: Tensor | None = None
) -> Tensor:
    """Move ``network`` alone down ``loss`` (any shape, with its ``gradient`` where it is no scalar).

    Returns:
        The Euclidean norm of the network's gradient.
    """
    parameters = list(network.parameters())
    optimizer.zero_grad()
    torch.autograd.backward(loss, gradient, inputs=parameters)
    optimizer.step()
    norms = [torch.linalg.vector_norm(parameter.grad) for parameter in parameters if parameter.grad is not None]
    norm: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return norm


def as_floats(values: Values) -> dict[str, float]:
    """Plain numbers of a step's values."""
    return {name: float(value) for name, value in values.items()}
