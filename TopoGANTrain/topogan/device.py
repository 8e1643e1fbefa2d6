"""Where and how exactly the networks compute."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

from topogan.config import Device
from topogan.errors import InputError

# A run of a large computer goes on with as many threads on a small one.
_THREADS_ANYWHERE, _THREADS_OF_A_CORE = 256, 4


def choose_device(wanted: Device) -> torch.device:
    """Return the wanted device; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: a device was asked for by name and is not there.
    """
    there = {Device.CUDA: torch.cuda.is_available(), Device.MPS: torch.backends.mps.is_available(), Device.CPU: True}
    if wanted is Device.AUTO:
        wanted = next(device for device, present in there.items() if present)
    if not there[wanted]:
        raise InputError(
            f"The device {wanted.value} cannot be used by this PyTorch: choose auto or cpu, or see 'topogan doctor'."
        )
    return torch.device(wanted.value)


def thread_count(wanted: int) -> int:
    """Return the number of CPU threads to compute with; 0 asks for all cores that this process may use.

    Raises:
        InputError: so many would take the memory and gain nothing.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if wanted > max(_THREADS_ANYWHERE, _THREADS_OF_A_CORE * cores):
        raise InputError(f"{wanted} threads would share {cores} cores: ask for {cores} or fewer, or for 0 (all cores).")
    return wanted or cores


def mixed_precision(device: torch.device) -> AbstractContextManager[object]:
    """Compute the networks in bfloat16 where CUDA has it in hardware (Ampere and later); does nothing elsewhere.

    bfloat16 has the range of float32, so that no loss needs scaling; penalties and topology stay outside.
    """
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def exact_numerics(threads: int, device: torch.device) -> Iterator[None]:
    """Fix what the bits depend on for the time of a training: the threads and, on the CPU, deterministic kernels.

    On a GPU some backward passes have no deterministic kernel, so that nothing is promised there.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    deterministic: Any = torch.utils.deterministic
    fill = deterministic.fill_uninitialized_memory
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(device.type == "cpu" or before[1])
    deterministic.fill_uninitialized_memory = False  # a safety net for debugging that costs time
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
        deterministic.fill_uninitialized_memory = fill
