"""Drawing from the networks of a model: masks of seeds, and textures painted on them.

Every sample comes from a seed of its own, and does not depend on what is drawn along with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from topogan.errors import InputError, WorkError
from topogan.homology import (
    Diagram,
    betti_of,
    clean_labels,
    cubical_persistence_of_batch,
    distance_filtration,
)
from topogan.model.metadata import Metadata
from topogan.networks import intensities_from_network, texture_condition, texture_noise_channels
from topogan.networks.labels import labels_of, level_to_network

# Samples that are searched for, painted and handed on together: 256, or fewer with as many pixels as 256 have of 256²
# (64 volumes of 64³).
CHUNK, _CHUNK_PIXELS = 256, 1 << 24
# On a CPU a convolution of one image differs in its last bits from that of a batch (other kernels are chosen), so that
# a sample would depend on its neighbors. One by one a sample of 64 pixels takes 4.4 ms instead of 2.6 ms in batches of
# 16, one of 128 pixels the same 27 ms, one of 256 pixels 170 ms instead of 310 ms (one thread). GPUs promise no bits;
# as many pixels as 64 samples of 512² have, 8 volumes of 128³, are the most that one takes at once.
_GPU_BATCH, _GPU_PIXELS = 64, 1 << 24
# PyTorch's convolutions of one small volume alone are slow on a CPU (aten::slow_conv3d): 54 ms of 32³ (width 16, one
# thread), where two take 11 ms; 70 and 35 ms of 48³. From 64³ up two gain nothing.
_SLOW_ALONE = 48**3
_LATENT_STREAM, _NOISE_STREAM, _LEVEL_STREAM = 0, 1, 2

Seeds = NDArray[np.int64]
Levels = NDArray[np.float64]


class Generators(Protocol):
    """What is needed of a model to draw from it (see :class:`topogan.model.Model`)."""

    metadata: Metadata
    masks: nn.Module | None
    textures: nn.Module | None
    device: torch.device


@dataclass(frozen=True)
class Samples:
    """What was drawn from a model; n samples of H × W pixels, or volumes of D × H × W voxels."""

    labels: NDArray[np.uint8]
    """uint8 [n, H, W], of volumes [n, D, H, W]: the most probable structures' ids, after cleaning if that was asked."""
    textures: NDArray[np.int16] | None
    """int16 of the same shape in HU (or the training images' own unit); None where the model paints none."""
    diagrams: list[Diagram]
    """n·R, sample by sample, region by region: persistence of the distance filtration without border, in pixels; H0 and
    H1, of volumes H2, too."""
    betti: NDArray[np.int64]
    """int [n, R, 2]: (b0, b1) of each region, its components and holes; [n, R, 3] of volumes: (b0, b1, b2)."""
    raw_betti: NDArray[np.int64]
    """The same before cleaning."""
    levels: Levels | None
    """float [n]: which slice level was asked of the generator, 0 to 1; None where it is told none."""
    seeds: Seeds
    """int [n], below 2^53: :meth:`Model.draw` makes the same samples of them again."""
    tries: int
    """How many masks were drawn to get these."""
    copies: int | None = None
    """How many of those had the asked topology but were left out as possible copies of training samples; None where
    nobody looked."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class DrawnMasks:
    labels: NDArray[np.uint8]
    betti: NDArray[np.int64]
    raw_betti: NDArray[np.int64]


def chunk_size(model: Generators) -> int:
    return min(CHUNK, _CHUNK_PIXELS // _pixels(model.metadata))


def _pixels(metadata: Metadata) -> int:
    """Of one sample."""
    return int(metadata.size**metadata.axes)


def joined(chunks: Sequence[Samples]) -> Samples:
    """Several chunks as one."""
    values: dict[str, Any] = {}
    for field in fields(Samples):
        parts = [getattr(chunk, field.name) for chunk in chunks]
        if field.name in ("tries", "copies"):
            values[field.name] = None if parts[0] is None else sum(parts)
        elif field.name == "diagrams":
            values[field.name] = [diagram for part in parts for diagram in part]
        else:
            values[field.name] = None if parts[0] is None else np.concatenate(parts)
    return Samples(**values)


def masks_of(model: Generators, seeds: Seeds, clean: int, levels: tuple[float, float] | None) -> DrawnMasks:
    raw = _labels(model, seeds, levels_of(model.metadata, seeds, levels))
    raw_betti = _betti(model, raw)
    if not clean:
        return DrawnMasks(raw, raw_betti, raw_betti)
    labels = np.stack([clean_labels(one, clean) for one in raw])
    return DrawnMasks(labels, _betti(model, labels), raw_betti)


def _betti(model: Generators, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    return betti_of(labels, model.metadata.regions)


def levels_of(metadata: Metadata, seeds: Seeds, between: tuple[float, float] | None) -> Levels | None:
    """The slice level of each seed, distributed as in training; None where the networks are told none."""
    if not metadata.told_level:
        return None
    places = np.linspace(0.0, 1.0, len(metadata.levels))
    low, high = (0.0, 1.0) if between is None else np.interp(between, metadata.levels, places)
    draws = np.array([np.random.default_rng([int(seed), _LEVEL_STREAM]).random() for seed in seeds])
    return np.interp(low + draws * (high - low), places, metadata.levels)


def completed(
    model: Generators,
    seeds: Seeds,
    drawn: DrawnMasks,
    tries: int,
    between: tuple[float, float] | None,
    copies: int | None = None,
) -> Samples:
    regions, levels = model.metadata.regions, levels_of(model.metadata, seeds, between)
    filtrations = np.stack([distance_filtration(region.of(one)) for one in drawn.labels for region in regions])
    diagrams = cubical_persistence_of_batch(filtrations, tuple(range(model.metadata.axes)))
    textures = _textures(model, drawn.labels, levels, seeds)
    return Samples(drawn.labels, textures, diagrams, drawn.betti, drawn.raw_betti, levels, seeds, tries, copies)


def _labels(model: Generators, seeds: Seeds, levels: Levels | None) -> NDArray[np.uint8]:
    if model.masks is None:
        raise InputError("This model paints textures but makes no masks: choose a model that was trained on masks.")
    network: Any = model.masks  # its type in PyTorch knows no memory formats
    latent = model.metadata.settings.masks.latent
    volumes = model.metadata.axes == 3
    if volumes:
        # So a volume of 64³ takes 66 ms instead of 86 ms, one of 96³ 180 ms instead of 320 ms (width 16, one thread).
        network.to(memory_format=torch.channels_last_3d)
    twice = volumes and _pixels(model.metadata) <= _SLOW_ALONE

    def draw(rows: slice) -> NDArray[np.uint8]:
        z = _normal(seeds[rows], _LATENT_STREAM, (latent,))
        if levels is not None:
            z = torch.cat([z, level_to_network(levels[rows])], 1)
        if twice and len(z) == 1:
            z = z.repeat(2, 1)
        logits = network(z.to(model.device))[: len(seeds[rows])].float().cpu()
        _numbers_only(logits.numpy())
        return labels_of(logits)

    return _in_batches(draw, len(seeds), model)


def _textures(
    model: Generators, labels: NDArray[np.uint8], levels: Levels | None, seeds: Seeds
) -> NDArray[np.int16] | None:
    window = model.metadata.window
    if model.textures is None or window is None:
        return None
    network, axes = model.textures, labels.ndim - 1
    shape = texture_noise_channels(model.metadata.settings.textures, axes), *labels.shape[1:]

    def paint(rows: slice) -> NDArray[np.int16]:
        noise = _normal(seeds[rows], _NOISE_STREAM, shape).to(model.device)
        told = None if levels is None else levels[rows]
        condition = texture_condition(labels[rows], len(model.metadata.table), told)
        painted = network(condition.to(model.device), noise).float()
        _numbers_only(painted.cpu().numpy())
        return intensities_from_network(painted, window)

    return _in_batches(paint, len(labels), model)


def _in_batches(work: Callable[[slice], NDArray[Any]], count: int, model: Generators) -> NDArray[Any]:
    """Apply ``work`` to rows 0 to ``count``, some at once, and join the results."""
    work = torch.inference_mode()(work)
    if model.device.type != "cpu":
        step = min(_GPU_BATCH, _GPU_PIXELS // _pixels(model.metadata))
        return np.concatenate([work(slice(start, start + step)) for start in range(0, count, step)])
    # Each core works on samples of its own. Sharing the layers of one small network instead makes the cores wait for
    # each other some twenty times a sample: on a busy machine that took ten times as long.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(work, (slice(row, row + 1) for row in range(count)))))
    finally:
        torch.set_num_threads(threads)


def _normal(seeds: Seeds, stream: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Standard normal float32 [len(seeds), *shape], each row from its own seed, the same on every device."""
    rows = [np.random.default_rng([int(seed), stream]).standard_normal(shape, dtype=np.float32) for seed in seeds]
    return torch.from_numpy(np.stack(rows))


def _numbers_only(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if np.isnan(values).any():
        raise WorkError("The networks of this model give no numbers (NaN): its training diverged, train it again.")
    return values
