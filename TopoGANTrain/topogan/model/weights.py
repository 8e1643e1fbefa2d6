"""Weights on disk: safetensors, compared with the network before a single number is read."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from topogan.errors import InputError, WorkError

# A file begins with the length of its table of contents; those of our networks take 10 kB.
_LENGTH = struct.Struct("<Q")
_MAX_TABLE_BYTES = 1 << 20
_TYPE_NAMES = {torch.float32: "F32", torch.int64: "I64"}


def write_weights(path: Path, network: nn.Module) -> None:
    """Write the parameters and buffers of ``network``.

    Raises:
        WorkError: one of them is not finite, or the disk is full.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise WorkError("The training diverged (weights are no longer numbers): use a smaller learning rate.")
    try:
        # Not by safetensors' own save_file, whose files nobody in the user's group could read.
        path.write_bytes(save(tensors, metadata={"format": "pt"}))
    except (SafetensorError, OSError) as error:
        raise WorkError(f"{path.name} could not be written: free some space on the disk and try again.") from error


def read_weights(path: Path, build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network and fill it from a file; nothing is allocated before names, shapes and types agree.

    Args:
        path: safetensors file.
        build: makes the untrained network; called twice, once without memory for its weights.

    Returns:
        The network on the CPU, in evaluation mode.

    Raises:
        InputError: the file is damaged, is no safetensors file, belongs to another network, or holds NaN or infinity.
    """
    with torch.device("meta"):
        expected = build().state_dict()
    _check_table_length(path)
    try:
        with safe_open(str(path), framework="pt", device="cpu") as file:
            _compare(file, expected, path.name)
            return _filled(file, build, path.name)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path.name} is damaged or no safetensors file") from error


def _check_table_length(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
    if len(start) < _LENGTH.size or _LENGTH.unpack(start)[0] > _MAX_TABLE_BYTES:
        raise InputError(f"{path.name} is damaged or no safetensors file")


def _compare(file: Any, expected: dict[str, torch.Tensor], name: str) -> None:
    found = set(file.keys())
    if found != set(expected):
        odd = min(found ^ set(expected))
        raise InputError(f"{name} holds another network than its settings say (tensor {odd!r})")
    for key, tensor in expected.items():
        entry = file.get_slice(key)
        if entry.get_shape() != list(tensor.shape) or entry.get_dtype() != _TYPE_NAMES[tensor.dtype]:
            raise InputError(
                f"in {name} the tensor {key!r} is {entry.get_dtype()} {entry.get_shape()} "
                f"instead of {_TYPE_NAMES[tensor.dtype]} {list(tensor.shape)}"
            )


def _filled(file: Any, build: Callable[[], nn.Module], name: str) -> nn.Module:
    # Initializing draws random numbers; whoever loads a model in the middle of a seeded job must not notice.
    with torch.random.fork_rng(devices=[]):
        network = build()
    with torch.no_grad():
        for key, target in network.state_dict().items():
            tensor = file.get_tensor(key)
            if not bool(torch.isfinite(tensor).all()):
                raise InputError(f"in {name} the tensor {key!r} holds NaN or infinity")
            target.copy_(tensor)
    return network.eval()
