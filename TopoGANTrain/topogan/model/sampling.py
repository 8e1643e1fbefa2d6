"""Drawing samples from a model: masks, accepted by their topology, and textures painted on them.

Every sample comes from a seed of its own, made of the user's seed, the number of the sample, and the number of the
try: sample 7 is the same whether 8 or 8,000 are drawn, and can be drawn again alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from topogan.errors import WorkError
from topogan.model.asking import SamplingRequest, check_fits, in_words
from topogan.model.drawing import (
    DrawnMasks,
    Generators,
    Levels,
    Samples,
    Seeds,
    chunk_size,
    completed,
    joined,
    levels_of,
    masks_of,
)
from topogan.verdict import plural

# Masks that are drawn together while a few are missing, and never more than are handed on together.
_CANDIDATES = 64

Tick = Callable[[int, int], None]
IsCopy = Callable[[NDArray[np.uint8]], NDArray[np.bool_]]
"""Label ids [n, H, W] or [n, D, H, W] -> whether each is a possible copy of a training sample, bool [n]."""


def sample_seed(seed: int, number: int, attempt: int = 0) -> int:
    """The seed of try ``attempt`` for sample ``number``; below 2^53, so that every table and JSON reader keeps it."""
    state = np.random.SeedSequence(entropy=seed, spawn_key=(number, attempt)).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(11))


def sample_chunks(
    model: Generators, request: SamplingRequest, tick: Tick, is_copy: IsCopy | None = None
) -> Iterator[Samples]:
    """Yield the samples of a request in their order, at most ``CHUNK`` at once, so that memory stays bounded.

    Args:
        model: what draws.
        request: what to draw.
        tick: called often with the number of accepted masks and of tries so far; may raise to stop.
        is_copy: tells possible copies of training samples, which are left out as other topologies are, and drawn again.

    Raises:
        InputError: the model makes no masks, has other structures, makes volumes where slices were asked for or the
            other way round, or is told no slice level.
        WorkError: too few tries had the asked topology and were no copies, or the networks gave NaN.
    """
    check_fits(request, model.metadata)
    tries, copies, size = 0, 0, chunk_size(model)
    for start in range(0, request.count, size):
        numbers = range(start, min(start + size, request.count))
        search = _Search(model, request, numbers, tries, tick, is_copy, copies)
        seeds, masks = search.run()
        left_out = None if is_copy is None else search.copies - copies
        yield completed(model, seeds, masks, search.tries - tries, request.levels, left_out)
        tries, copies = search.tries, search.copies


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
    masks = masks_of(model, seeds, clean=0, levels=None)
    return masks.labels, masks.betti, levels_of(model.metadata, seeds, None)


def redraw(model: Generators, seeds: Seeds, clean: int, levels: tuple[float, float] | None = None) -> Samples:
    """The samples of these seeds again, in their order."""
    size = chunk_size(model)
    chunks = (seeds[start : start + size] for start in range(0, len(seeds), size))
    return joined([completed(model, part, masks_of(model, part, clean, levels), len(part), levels) for part in chunks])


class _Search:
    """Draws masks for some sample numbers until each has one with the asked topology that is no copy."""

    def __init__(
        self,
        model: Generators,
        request: SamplingRequest,
        numbers: range,
        tries_before: int,
        tick: Tick,
        is_copy: IsCopy | None,
        copies_before: int,
    ) -> None:
        self._model, self._request, self._numbers, self._tick = model, request, numbers, tick
        self._next_attempt = dict.fromkeys(numbers, 0)
        self._found: dict[int, tuple[int, DrawnMasks]] = {}
        self._is_copy = is_copy
        self.tries, self.copies = tries_before, copies_before

    def run(self) -> tuple[Seeds, DrawnMasks]:
        budget = self._request.count * self._request.attempts
        while len(self._found) < len(self._numbers):
            if self.tries >= budget:
                raise self._too_few()
            self._try(self._candidates(budget - self.tries))
            self._tick(self._numbers.start + len(self._found), self.tries)
        ordered = [self._found[number] for number in self._numbers]
        masks = [mask for _, mask in ordered]
        arrays = (np.concatenate([getattr(mask, field.name) for mask in masks]) for field in fields(DrawnMasks))
        return np.array([seed for seed, _ in ordered], dtype=np.int64), DrawnMasks(*arrays)

    def _candidates(self, left: int) -> list[tuple[int, int]]:
        """The next (number, attempt) pairs: several attempts for each number when only few are missing."""
        missing = [number for number in self._numbers if number not in self._found]
        most = min(_CANDIDATES, chunk_size(self._model))
        width = 1 if self._request.betti is None else max(1, most // len(missing))
        pairs = [(number, self._next_attempt[number] + step) for number in missing for step in range(width)][:left]
        for number, attempt in pairs:
            self._next_attempt[number] = attempt + 1
        return pairs

    def _try(self, candidates: list[tuple[int, int]]) -> None:
        seeds = np.array([sample_seed(self._request.seed, *pair) for pair in candidates], dtype=np.int64)
        drawn = masks_of(self._model, seeds, self._request.clean, self._request.levels)
        fitting = np.array([self._accepts(*pair) for pair in zip(drawn.betti, seeds.tolist(), strict=True)])
        copied = np.zeros(len(seeds), dtype=bool)
        if self._is_copy is not None and fitting.any():
            copied[fitting] = self._is_copy(drawn.labels[fitting])
        for index, (number, _) in enumerate(candidates):
            if number in self._found:
                continue  # drawn along with an earlier attempt that was accepted: it does not count as a try
            self.tries += 1
            self.copies += int(copied[index])
            if fitting[index] and not copied[index]:
                one = DrawnMasks(*(getattr(drawn, field.name)[index : index + 1] for field in fields(DrawnMasks)))
                self._found[number] = (int(seeds[index]), one)

    def _accepts(self, betti: NDArray[np.int64], seed: int) -> bool:
        asked, metadata = self._request.betti, self._model.metadata
        if asked is None:
            return True
        found = tuple(tuple(one) for one in betti.tolist())
        levels = levels_of(metadata, np.array([seed]), self._request.levels)
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
        start, asked = f"Only {accepted} of {self.tries} tries", f"where {self._request.count} samples were asked"
        topology = in_words(self._request.betti, self._model.metadata) if self._request.betti else ""
        if self.copies > self.tries - accepted - self.copies:
            had = f"had {topology} and were" if topology else "were"
            return WorkError(
                f"{start} {had} no possible copies of training masks {asked} ({self.copies} were): allow more "
                "attempts, or train a model that copies less."
            )
        return WorkError(
            f"{start} had {topology} {asked}: allow more attempts, clean small pieces and {holes}, or ask for another "
            "topology."
        )
