"""Which slices are learned, which are looked at meanwhile, and which are kept for the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topogan.errors import InputError
from topogan.training_set import MINIMUM_TRAIN_SLICES, TEST, TRAIN, VALIDATION

GAP = "gap"
# One patient: one to train on, one to test on, and one dropped on either side.
LEAST_PHASES = 4
MOST_POSES = 100
# One patient: blocks all along the structure, so that each part holds every level of it.
_MOST_BLOCKS = 2
_SLICES_PER_BLOCK = 40
# Neighboring slices are nearly equal: this share of the structure's length (at least one slice) is dropped between
# blocks of different parts.
_GAP_SHARE = 0.03


def split_slices(
    patients: Sequence[str], levels: Sequence[float], validation: float, test: float, seed: int
) -> tuple[list[str], bool]:
    """Split by patient; with one patient, by blocks of slice level with gaps between them.

    Args:
        patients: pseudonym of each slice's patient.
        levels: place of each slice along its structure, 0 to 1.
        validation: share of patients (or of the levels) for validation; 0 or two patients leave nothing for it.
        test: the same for the test, which gets one patient at least.
        seed: of the random choice.

    Returns:
        ``"train"``, ``"validation"``, ``"test"`` or ``"gap"`` (to be dropped) for each slice, and whether the parts
        come from different patients.
    """
    names = sorted(set(patients))
    random = np.random.default_rng(seed)
    if len(names) == 1:
        return _by_blocks(np.asarray(levels, dtype=float), validation, test, random), False
    # Each part has a patient where there are three.
    least = int(validation > 0 and len(names) > 2)
    tested = min(max(1, round(test * len(names))), len(names) - 1 - least)
    validated = min(max(1, round(validation * len(names))), len(names) - 1 - tested) if least else 0
    parts = [TEST] * tested + [VALIDATION] * validated + [TRAIN] * (len(names) - tested - validated)
    part_of = dict(zip(random.permutation(names).tolist(), parts, strict=True))
    return [part_of[patient] for patient in patients], True


def split_in_turn(levels: Sequence[float]) -> list[str]:
    """Split the slices of one patient for a set that nothing learns from: training and test in turn, by their level.

    Both parts then hold the patient's whole length, and are as alike as neighboring slices are.

    Args:
        levels: place of each slice along its structure, 0 to 1.
    """
    places = np.argsort(np.argsort(levels, kind="stable"), kind="stable")
    return [(TRAIN, TEST)[place % 2] for place in places.tolist()]


def split_phases(phases: Sequence[int], validation: float, test: float, seed: int) -> list[str]:
    """Split the volumes of one patient by phase, with a phase dropped between parts: neighbors are nearly equal.

    Phases are taken to follow each other round, as in a heartbeat.

    Args:
        phases: number of each volume's phase.
        validation: share of the phases for validation; 0 leaves nothing for it.
        test: the same for the test.
        seed: of the random choice.

    Returns:
        As :func:`split_slices`; nothing to train on where there are too few phases.
    """
    known = np.unique(phases)
    parts = [TEST] * max(1, round(test * len(known))) + [GAP]
    if validation:
        parts += [VALIDATION] * max(1, round(validation * len(known))) + [GAP]
    parts = [*parts, *[TRAIN] * (len(known) - len(parts) - 1), GAP][: len(known)]
    order = np.roll(known, int(np.random.default_rng(seed).integers(len(known)))).tolist()
    part_of = dict(zip(order, parts, strict=True))
    return [part_of[phase] for phase in phases]


def _by_blocks(levels: np.ndarray, validation: float, test: float, random: np.random.Generator) -> list[str]:
    slices = len(np.unique(levels.round(6)))
    blocks = min(max(1, slices // _SLICES_PER_BLOCK), _MOST_BLOCKS)
    # One more than a slice's distance, so that at least one slice falls into each gap.
    gap = blocks * max(_GAP_SHARE, 1.001 / max(1, slices - 1))
    place = (levels * blocks + random.random()) % 1.0
    parts, lengths = [TEST, GAP], [test, gap]
    if validation:
        parts, lengths = [*parts, VALIDATION, GAP], [*lengths, validation, gap]
    ends = np.cumsum([*lengths, max(0.0, 1.0 - sum(lengths) - gap)])
    return [[*parts, TRAIN, GAP][number] for number in np.searchsorted(ends, place, side="right")]


def check_enough(split: Sequence[str], found: int, train_slices: int, poses: int | None = None) -> None:
    """Refuse a training set that is too small.

    Args:
        split: part of each slice or volume.
        found: how many slices (volumes) of the structure there were before the split.
        train_slices: how many of them the training needs.
        poses: of volumes, how many are cut from each phase; None for slices.

    Raises:
        InputError: fewer than ``train_slices`` training slices, or no test slice.
    """
    train, test = split.count(TRAIN), split.count(TEST)
    if train >= train_slices and test:
        return
    batch = ", or choose a smaller batch" if train >= MINIMUM_TRAIN_SLICES and test else ""
    few = f"{train} to train on and {test} to test on, where at least {train_slices} and 1 are needed"
    if poses is not None:
        if not found:
            raise InputError(
                "No volume shows a voxel of the structure at this pixel size: choose a smaller one, or a larger size."
            )
        enough = poses * -(-train_slices // max(1, train))
        more = f", or cut more poses of each (--poses {enough})" if train and test and enough <= MOST_POSES else ""
        raise InputError(
            f"The segmentations give {found} usable volume{'' if found == 1 else 's'} of the structure, which leaves "
            f"{few}: add patients or phases{more}{batch}."
        )
    raise InputError(
        f"The volumes hold {found} usable slice{'' if found == 1 else 's'} of the structure, which leaves {few}: "
        f"add volumes, or lower the smallest slice or the slice spacing{batch}."
    )
