"""Which slices are learned and which are kept aside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topogan.errors import InputError
from topogan.training_set import HELD_OUT, MINIMUM_TRAIN_SLICES, TRAIN

GAP = "gap"
# One patient: blocks all along the structure, so that both parts hold every level of it.
_MOST_BLOCKS = 4
_SLICES_PER_BLOCK = 20
# Neighboring slices are nearly equal: this share of the structure's length (at least one slice) is dropped between
# a held-out block and the training slices on each side.
_GAP_SHARE = 0.03


def split_slices(
    patients: Sequence[str], levels: Sequence[float], held_out: float, seed: int
) -> tuple[list[str], bool]:
    """Split by patient; with one patient, by blocks of slice level with gaps between them.

    Args:
        patients: pseudonym of each slice's patient.
        levels: place of each slice along its structure, 0 to 1.
        held_out: share of patients (or of the levels) to keep aside.
        seed: of the random choice.

    Returns:
        ``"train"``, ``"held_out"`` or ``"gap"`` (to be dropped) for each slice, and whether both parts come from
        different patients.
    """
    names = sorted(set(patients))
    random = np.random.default_rng(seed)
    if len(names) == 1:
        return _by_blocks(np.asarray(levels, dtype=float), held_out, random), False
    count = min(max(1, round(held_out * len(names))), len(names) - 1)
    kept_aside = set(random.permutation(names)[:count].tolist())
    return [HELD_OUT if patient in kept_aside else TRAIN for patient in patients], True


def _by_blocks(levels: np.ndarray, held_out: float, random: np.random.Generator) -> list[str]:
    slices = len(np.unique(levels.round(6)))
    blocks = min(max(1, slices // _SLICES_PER_BLOCK), _MOST_BLOCKS)
    # One more than a slice's distance, so that at least one slice falls into each gap.
    gap = blocks * max(_GAP_SHARE, 1.001 / max(1, slices - 1))
    place = (levels * blocks + random.random()) % 1.0
    in_block = place < held_out
    in_gap = (place < held_out + gap) | (place >= 1.0 - gap)
    return np.where(in_block, HELD_OUT, np.where(in_gap, GAP, TRAIN)).tolist()


def check_enough(split: Sequence[str], found: int) -> None:
    """Refuse a training set that is too small.

    Args:
        split: part of each slice.
        found: how many slices of the structure there were before the split.

    Raises:
        InputError: fewer than 16 training slices, or no held-out slice.
    """
    train, held_out = split.count(TRAIN), split.count(HELD_OUT)
    if train >= MINIMUM_TRAIN_SLICES and held_out:
        return
    raise InputError(
        f"The volumes hold {found} usable slice{'' if found == 1 else 's'} of the structure, which leaves {train} to "
        f"train on and {held_out} to hold out, where at least {MINIMUM_TRAIN_SLICES} and 1 are needed: "
        "add volumes, or lower the smallest slice or the slice spacing."
    )
