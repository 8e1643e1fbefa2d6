"""What is to be said of structures that volumes lack, and of those that overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from topogan.dataset.inputs import Case
from topogan.dataset.plan import CasePlan
from topogan.dataset.structure import absent_labels
from topogan.errors import InputError
from topogan.structures import StructureTable
from topogan.volumes import Drawn, PngSlices

_MOST_NAMED = 4


def what_is_seen(cases: Sequence[Case], plans: Sequence[CasePlan]) -> list[str]:
    """One message on structures that some volumes lack, one on overlaps; each where there is something to say.

    Raises:
        InputError: no volume shows one of the structures.
    """
    names = cases[0].table.without_context.names
    lacking = {number: sum(number not in plan.seen for plan in plans) for number in range(1, len(names) + 1)}
    for number, count in lacking.items():
        if count == len(cases):
            raise _nowhere(cases, number)
    rows = [f"{count} do not show {names[number - 1]}" for number, count in lacking.items() if count]
    said = [f"Of the {len(cases)} volumes, {', '.join(rows)}."] if rows else []
    overlaps: Counter[tuple[int, int]] = Counter()
    for case in cases:
        if isinstance(case.segmentation, Drawn):
            overlaps += case.segmentation.overlaps
    if overlaps:
        said.append(_overlapping(overlaps, cases[0].table.names))
    return said


def check_structures(table: StructureTable, training: Sequence[frozenset[int]]) -> None:
    """Refuse structures that nothing could be learned of.

    Args:
        table: the structures.
        training: the label ids in each training slice.

    Raises:
        InputError: one is in no training slice.
    """
    for label, structure in enumerate(table.structures, start=1):
        if not any(label in ids for ids in training):
            if structure.context:
                raise InputError(
                    f"The context {structure.name} is in none of the {len(training)} training slices: leave it out."
                )
            raise InputError(
                f"The structure {structure.name} is in none of the {len(training)} training slices: choose smaller "
                "pixels or another seed, add volumes that show it, or leave it out."
            )


def _overlapping(overlaps: Counter[tuple[int, int]], names: Sequence[str]) -> str:
    pairs = [
        (f"{count:,} {'voxel lies' if count == 1 else 'voxels lie'} in both", names[winner - 1], names[loser - 1])
        for (winner, loser), count in overlaps.most_common()
    ]
    shown = ", ".join(f"{count} {winner} and {loser}" for count, winner, loser in pairs[:_MOST_NAMED])
    if len(pairs) == 1:
        return f"{shown}; {pairs[0][1]} has them, which was named first."
    more = f", and {len(pairs) - _MOST_NAMED} more pairs overlap" if len(pairs) > _MOST_NAMED else ""
    return f"{shown}{more}; of each pair the one that was named first has them."


def _nowhere(cases: Sequence[Case], number: int) -> InputError:
    """What is said of a structure that no volume shows, by what the first volume holds."""
    case = cases[0]
    structure = case.table.structures[number - 1]
    if isinstance(case.segmentation, PngSlices) and structure.png_colors:
        colors = " or ".join(structure.png_colors)
        why = f"no pixel of {case.segmentation.path} has its color {colors}; correct the color, or leave it out."
    elif isinstance(case.segmentation, Drawn):
        why = str(case.segmentation.absent.get(number, f"{case.segmentation.path} draws no voxel of it."))
    else:
        why = str(absent_labels(next(case.segmentation.volumes()).array, structure.labels, case.segmentation.path))
    return InputError(f"No volume shows the structure {structure.name}: {why}")
