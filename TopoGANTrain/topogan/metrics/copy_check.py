"""Tells possible copies of a training set while samples are drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.metrics.alignment import aligned, best_turned_matches
from topogan.metrics.closeness import BEYOND_ROUNDING
from topogan.metrics.shape import Labels, Masks, ReadMasks, best_stored_matches

# Masks that are brought to one place and size at once, and held-out ones whose Dice are computed at once: for each part
# of these all training masks are read.
_ALIGNED_TOGETHER, _TOGETHER = 32, 512


class CopyCheck:
    """The bars of an audit (:mod:`topogan.metrics.memorization`) for samples that come one after another.

    A sample is a possible copy where its Dice with a training mask is larger than that of every held-out mask: as they
    lie, or both brought to one place and size, turned (slices) or mirrored. The training masks are brought there once,
    and held: 2 kB a slice, 32 kB a volume, for each structure.

    Example:
        >>> check = CopyCheck(real.masks.__getitem__, real.train, real.validation, structures=2)
        >>> fine = labels[~check(labels)]
    """

    def __init__(
        self,
        read: ReadMasks,
        training_rows: NDArray[np.int64],
        held_out_rows: NDArray[np.int64],
        structures: int = 1,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Measure the bars.

        Args:
            read: gives the label maps of some rows of the set.
            training_rows: int [K], K ≥ 1.
            held_out_rows: int [M], of patients that were not trained on.
            structures: number of labels.
            tick: called whenever a part of the set is read, now and when samples are judged; may raise to stop.

        Raises:
            InputError: nothing is held out.
        """
        if len(held_out_rows) == 0:
            raise InputError(
                "The training set holds out no patient, so nobody knows how alike different patients are and what a "
                "copy is: prepare it with a validation or test part."
            )

        def told(rows: NDArray[np.int64]) -> Masks | Labels:
            tick()
            return read(rows)

        self._read, self._rows, self._structures = told, training_rows, structures
        parts = _parts(training_rows, _ALIGNED_TOGETHER)
        self._aligned = np.concatenate([aligned(told(some), structures) for some in parts])
        dice = np.concatenate([self._dice(told(some)) for some in _parts(held_out_rows, _TOGETHER)], axis=1)
        self.bars = dice.max(axis=1)
        """float [2]: the largest Dice of held-out masks, as they lie, and brought to one place and size."""

    def __call__(self, labels: Labels) -> NDArray[np.bool_]:
        """Whether each of some label maps, uint8 [n, H, W] or [n, D, H, W], is a possible copy: bool [n]."""
        found: NDArray[np.bool_] = (self._dice(labels) > self.bars[:, None] + BEYOND_ROUNDING).any(axis=0)
        return found

    def _dice(self, labels: Masks | Labels) -> NDArray[np.float64]:
        """With the nearest training mask, as they lie and brought to one place and size: float [2, n]."""
        lying = best_stored_matches(labels, self._read, self._rows, self._structures)
        every = np.arange(len(self._aligned))
        changed = best_turned_matches(aligned(labels, self._structures), self._aligned.__getitem__, every)
        return np.stack([lying.dice, changed.dice])


def _parts(rows: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    return [rows[start : start + count] for start in range(0, len(rows), count)]
