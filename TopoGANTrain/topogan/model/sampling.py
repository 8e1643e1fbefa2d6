"""Drawing samples from a model: masks, accepted by their topology, and textures painted on them.

Every sample comes from a seed of its own, made of the user's seed, the number of the sample, and the number of the
try: sample 7 is the same whether 8 or 8,000 are drawn, and can be drawn again alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Literal, Protocol

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
from topogan.verdict import plural, topology_in_words

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
_WORDS = ("any", "modal", "real")
# Masks that are drawn together while a few are missing, and never more than are handed on together.
_CANDIDATES = 64
_LATENT_STREAM, _NOISE_STREAM, _LEVEL_STREAM = 0, 1, 2

Seeds = NDArray[np.int64]
Levels = NDArray[np.float64]
Betti = tuple[int, ...]
Wanted = Betti | Literal["real"] | None
"""Of a region: (b0, b1), of volumes (b0, b1, b2); what real samples of its level show; or anything."""
Asked = tuple[Wanted, ...] | Literal["real"] | None
"""Of each region; or what real samples show together; or anything."""


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

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class SamplingRequest:
    """What is asked of a model."""

    count: int
    seed: int = 0
    betti: Asked = None
    """What every label map must have."""
    clean: int = 0
    """Components of fewer pixels are removed and holes (of volumes cavities) filled, before topology is looked at."""
    attempts: int = 20
    """Give up after this many times ``count`` tries."""
    levels: tuple[float, float] | None = None
    """Draw slice levels between these alone."""

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("seed", 0), ("clean", 0), ("attempts", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} cannot be {getattr(self, name)}: it must be at least {least}.")
        if isinstance(self.betti, tuple) and not all(one in (None, "real") or _are_counts(one) for one in self.betti):
            raise InputError(f"betti cannot be {self.betti}: name pieces and holes of each structure, such as (1, 1).")
        if self.levels is not None and not 0.0 <= self.levels[0] <= self.levels[1] <= 1.0:
            raise InputError(f"levels cannot be {self.levels}: name two from 0 to 1, the lower one first.")


def asked_betti(text: str, metadata: Metadata) -> Asked:
    """What the setting ``betti`` asks of a model.

    Args:
        text: "any", "modal", "real", "1,1" (of the first structure), or one of these for each of some structures,
            "myocardium=1,1;lv_cavity=real"; of volumes "1,0,0".
        metadata: of the model.

    Raises:
        InputError: the model has no such structure or union, one is named twice, or with another number of numbers than
            the model's samples have axes.
    """
    if text == "any":
        return None
    if text == "real":
        return "real"
    if text == "modal":
        return metadata.betti.modal
    names = [region.name for region in metadata.regions]
    asked: dict[str, Wanted] = {}
    for part in text.split(";"):
        name, _, numbers = part.strip().rpartition("=")
        name = name or names[0]
        if name not in names or name in asked:
            what = "asks twice of" if name in asked else "asks of"
            raise InputError(f"The setting betti {what} {name!r}: each of {', '.join(names)} can be named once.")
        asked[name] = _wanted(numbers, metadata.betti.modal[names.index(name)])
        if numbers not in _WORDS and numbers.count(",") + 1 != metadata.axes:
            raise _other_axes(numbers, metadata)
    found = tuple(asked.get(name) for name in names)
    if found == ("real",):
        return "real"
    # Where anything will do, fewer masks are drawn at once.
    return found if any(found) else None


def _wanted(text: str, modal: Betti) -> Wanted:
    if text == "real":
        return "real"
    words = {"any": None, "modal": modal}
    return words[text] if text in words else tuple(int(number) for number in text.split(","))


def numbers_asked(asked: Asked, regions: int) -> tuple[Betti | None, ...]:
    """The Betti numbers that were asked for of each region; None where real ones decide."""
    wanted = asked if isinstance(asked, tuple) else (None,) * regions
    return tuple(one if isinstance(one, tuple) else None for one in wanted)


def _are_counts(betti: Any) -> bool:
    return isinstance(betti, tuple) and len(betti) in (2, 3) and min(betti) >= 0


def _other_axes(numbers: object, metadata: Metadata) -> InputError:
    words = "pieces and holes, such as 1,1" if metadata.axes == 2 else "pieces, tunnels and cavities, such as 1,0,0"
    return InputError(f"The setting betti cannot ask for {numbers}: this model makes {metadata.noun}s: name {words}.")


@dataclass(frozen=True)
class _Masks:
    labels: NDArray[np.uint8]
    betti: NDArray[np.int64]
    raw_betti: NDArray[np.int64]


Tick = Callable[[int, int], None]


def sample_seed(seed: int, number: int, attempt: int = 0) -> int:
    """The seed of try ``attempt`` for sample ``number``; below 2^53, so that every table and JSON reader keeps it."""
    state = np.random.SeedSequence(entropy=seed, spawn_key=(number, attempt)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(11))


def sample_chunks(model: Generators, request: SamplingRequest, tick: Tick) -> Iterator[Samples]:
    """Yield the samples of a request in their order, at most ``CHUNK`` at once, so that memory stays bounded.

    Args:
        model: what draws.
        request: what to draw.
        tick: called often with the number of accepted masks and of tries so far; may raise to stop.

    Raises:
        InputError: the model makes no masks, has other structures, makes volumes where slices were asked for or the
            other way round, or is told no slice level.
        WorkError: too few tries had the asked topology, or the networks gave NaN.
    """
    _check_fits(request, model.metadata)
    tries, size = 0, _chunk(model)
    for start in range(0, request.count, size):
        numbers = range(start, min(start + size, request.count))
        search = _Search(model, request, numbers, tries, tick)
        seeds, masks = search.run()
        yield _completed(model, seeds, masks, search.tries - tries, request.levels)
        tries = search.tries


def _check_fits(request: SamplingRequest, metadata: Metadata) -> None:
    regions = [region.name for region in metadata.regions]
    if isinstance(request.betti, tuple) and len(request.betti) != len(regions):
        raise InputError(
            f"betti asks of {len(request.betti)} structures and unions: this model has {', '.join(regions)}."
        )
    for one in request.betti if isinstance(request.betti, tuple) else ():
        if isinstance(one, tuple) and len(one) != metadata.axes:
            raise _other_axes(one, metadata)
    if request.levels is not None and not metadata.told_level:
        raise InputError("This model is not told slice levels: ask for all of them.")


def draw_masks(
    model: Generators, count: int, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64], Levels | None]:
    """The masks alone of the first ``count`` samples of a seed, as they come, whatever their topology.

    Returns:
        Label ids uint8 [n, H, W] (of volumes [n, D, H, W]), Betti numbers int [n, R, axes] and levels float [n], 0 to 1
        (None where the model is told none).

    Raises:
        InputError: the model makes no masks.
        WorkError: the networks give NaN.
    """
    seeds = np.array([sample_seed(seed, number) for number in range(count)], dtype=np.int64)
    masks = _draw_masks(model, seeds, clean=0, levels=None)
    return masks.labels, masks.betti, _levels(model.metadata, seeds, None)


def redraw(model: Generators, seeds: Seeds, clean: int, levels: tuple[float, float] | None = None) -> Samples:
    """The samples of these seeds again, in their order."""
    size = _chunk(model)
    chunks = (seeds[start : start + size] for start in range(0, len(seeds), size))
    return joined(
        [_completed(model, part, _draw_masks(model, part, clean, levels), len(part), levels) for part in chunks]
    )


def _chunk(model: Generators) -> int:
    return min(CHUNK, _CHUNK_PIXELS // _pixels(model.metadata))


def _pixels(metadata: Metadata) -> int:
    """Of one sample."""
    return int(metadata.size**metadata.axes)


def joined(chunks: Sequence[Samples]) -> Samples:
    """Several chunks as one."""
    values = {}
    for field in fields(Samples):
        parts = [getattr(chunk, field.name) for chunk in chunks]
        if field.name == "tries":
            values[field.name] = sum(parts)
        elif field.name == "diagrams":
            values[field.name] = [diagram for part in parts for diagram in part]
        else:
            values[field.name] = None if parts[0] is None else np.concatenate(parts)
    return Samples(**values)


class _Search:
    """Draws masks for some sample numbers until each has one with the asked topology."""

    def __init__(
        self, model: Generators, request: SamplingRequest, numbers: range, tries_before: int, tick: Tick
    ) -> None:
        self._model, self._request, self._numbers, self._tick = model, request, numbers, tick
        self._next_attempt = dict.fromkeys(numbers, 0)
        self._found: dict[int, tuple[int, _Masks]] = {}
        self.tries = tries_before

    def run(self) -> tuple[Seeds, _Masks]:
        budget = self._request.count * self._request.attempts
        while len(self._found) < len(self._numbers):
            if self.tries >= budget:
                raise self._too_few()
            self._try(self._candidates(budget - self.tries))
            self._tick(self._numbers.start + len(self._found), self.tries)
        ordered = [self._found[number] for number in self._numbers]
        masks = [mask for _, mask in ordered]
        arrays = (np.concatenate([getattr(mask, field.name) for mask in masks]) for field in fields(_Masks))
        return np.array([seed for seed, _ in ordered], dtype=np.int64), _Masks(*arrays)

    def _candidates(self, left: int) -> list[tuple[int, int]]:
        """The next (number, attempt) pairs: several attempts for each number when only few are missing."""
        missing = [number for number in self._numbers if number not in self._found]
        most = min(_CANDIDATES, _chunk(self._model))
        width = 1 if self._request.betti is None else max(1, most // len(missing))
        pairs = [(number, self._next_attempt[number] + step) for number in missing for step in range(width)][:left]
        for number, attempt in pairs:
            self._next_attempt[number] = attempt + 1
        return pairs

    def _try(self, candidates: list[tuple[int, int]]) -> None:
        seeds = np.array([sample_seed(self._request.seed, *pair) for pair in candidates], dtype=np.int64)
        drawn = _draw_masks(self._model, seeds, self._request.clean, self._request.levels)
        for index, (number, _) in enumerate(candidates):
            if number in self._found:
                continue  # drawn along with an earlier attempt that was accepted: it does not count as a try
            self.tries += 1
            if self._accepts(drawn.betti[index], int(seeds[index])):
                one = _Masks(*(getattr(drawn, field.name)[index : index + 1] for field in fields(_Masks)))
                self._found[number] = (int(seeds[index]), one)

    def _accepts(self, betti: NDArray[np.int64], seed: int) -> bool:
        asked, metadata = self._request.betti, self._model.metadata
        if asked is None:
            return True
        found = tuple(tuple(one) for one in betti.tolist())
        levels = _levels(metadata, np.array([seed]), self._request.levels)
        level = None if levels is None else float(levels[0])
        if asked == "real":
            return found in metadata.real.joint(level)
        return all(
            one in metadata.real.of_region(region, level) if wanted == "real" else wanted in (None, one)
            for region, (one, wanted) in enumerate(zip(found, asked, strict=True))
        )

    def _too_few(self) -> WorkError:
        accepted = self._numbers.start + len(self._found)
        # Cleaning fills what encloses no outside: no tunnels.
        holes = plural(self._model.metadata.axes - 1, self._model.metadata.axes)
        return WorkError(
            f"Only {accepted} of {self.tries} tries had {_in_words(self._request.betti, self._model.metadata)} where "
            f"{self._request.count} samples were asked: allow more attempts, clean small pieces and {holes}, or ask "
            "for another topology."
        )


def _in_words(asked: Asked, metadata: Metadata) -> str:
    if not isinstance(asked, tuple):
        return "the topology of a real slice of their level" if metadata.axes == 2 else "the topology of a real volume"
    regions = metadata.regions
    if len(regions) == 1 and isinstance(asked[0], tuple):
        return topology_in_words(asked[0])
    pairs = [(one, region.name) for one, region in zip(asked, regions, strict=True) if one is not None]
    real = "what real ones show"
    return "; ".join(f"{real if one == 'real' else topology_in_words(one)} of {name}" for one, name in pairs)


def _draw_masks(model: Generators, seeds: Seeds, clean: int, levels: tuple[float, float] | None) -> _Masks:
    raw = _labels(model, seeds, _levels(model.metadata, seeds, levels))
    raw_betti = _betti(model, raw)
    if not clean:
        return _Masks(raw, raw_betti, raw_betti)
    labels = np.stack([clean_labels(one, clean) for one in raw])
    return _Masks(labels, _betti(model, labels), raw_betti)


def _betti(model: Generators, labels: NDArray[np.uint8]) -> NDArray[np.int64]:
    return betti_of(labels, model.metadata.regions)


def _levels(metadata: Metadata, seeds: Seeds, between: tuple[float, float] | None) -> Levels | None:
    """The slice level of each seed, distributed as in training; None where the networks are told none."""
    if not metadata.told_level:
        return None
    places = np.linspace(0.0, 1.0, len(metadata.levels))
    low, high = (0.0, 1.0) if between is None else np.interp(between, metadata.levels, places)
    draws = np.array([np.random.default_rng([int(seed), _LEVEL_STREAM]).random() for seed in seeds])
    return np.interp(low + draws * (high - low), places, metadata.levels)


def _completed(
    model: Generators, seeds: Seeds, drawn: _Masks, tries: int, between: tuple[float, float] | None
) -> Samples:
    regions, levels = model.metadata.regions, _levels(model.metadata, seeds, between)
    filtrations = np.stack([distance_filtration(region.of(one)) for one in drawn.labels for region in regions])
    diagrams = cubical_persistence_of_batch(filtrations, tuple(range(model.metadata.axes)))
    textures = _textures(model, drawn.labels, levels, seeds)
    return Samples(drawn.labels, textures, diagrams, drawn.betti, drawn.raw_betti, levels, seeds, tries)


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
