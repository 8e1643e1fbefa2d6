"""Packing the whole state of a trainer into tensors and JSON, and back without losing a bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

Tensors = dict[str, Tensor]

# Checkpoints of the first version call the discriminator critic; all do, so that its runs can be resumed.
_STORED = {"discriminator": "critic", "discriminator_optimizer": "critic_optimizer"}


class Stateful(Protocol):
    """Something with a small state that is JSON."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@dataclass
class ExactState:
    """The parts of a trainer that change while it trains, by name."""

    networks: dict[str, nn.Module]
    optimizers: dict[str, torch.optim.Optimizer]
    generators: dict[str, torch.Generator]
    small: dict[str, Stateful] = field(default_factory=dict)

    def pack(self) -> tuple[Tensors, dict[str, Any]]:
        """Return all tensors, named ``part/name``, and the rest as JSON."""
        tensors = pack_networks(self.networks)
        for name, optimizer in self.optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                stored = f"{_STORED.get(name, name)}/{index}"
                tensors |= {f"{stored}/{slot}": torch.as_tensor(value) for slot, value in slots.items()}
        tensors |= {f"{name}/random": generator.get_state() for name, generator in self.generators.items()}
        return tensors, {name: part.state_dict() for name, part in self.small.items()}

    def restore(self, tensors: Tensors, values: dict[str, Any]) -> None:
        """Take back what :meth:`pack` returned, on whatever device the parts are now."""
        restore_networks(self.networks, tensors)
        for name, optimizer in self.optimizers.items():
            _restore_optimizer(optimizer, below(tensors, _STORED.get(name, name)))
        for name, generator in self.generators.items():
            generator.set_state(tensors[f"{name}/random"])
        for name, part in self.small.items():
            part.load_state_dict(values[name])


def pack_networks(networks: dict[str, nn.Module]) -> Tensors:
    """Return weights and buffers as ``network/name``."""
    return {
        f"{_STORED.get(name, name)}/{key}": tensor
        for name, network in networks.items()
        for key, tensor in network.state_dict().items()
    }


def restore_networks(networks: dict[str, nn.Module], tensors: Tensors) -> None:
    """Take back what :func:`pack_networks` returned; every name must be there and no other below the networks."""
    for name, network in networks.items():
        network.load_state_dict(below(tensors, _STORED.get(name, name)))


def below(tensors: Tensors, prefix: str) -> Tensors:
    """Return the tensors named ``prefix/...`` without the prefix."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Tensors) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, slot = name.split("/")
        state.setdefault(int(index), {})[slot] = _laid_out_like(parameters[int(index)], tensor)
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _laid_out_like(parameter: Tensor, tensor: Tensor) -> Tensor:
    """Copy a tensor of the parameter's shape into its memory layout: the same kernels run as before."""
    if tensor.shape != parameter.shape:
        return tensor
    return torch.empty_like(parameter, requires_grad=False).copy_(tensor)
