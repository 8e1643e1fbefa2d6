"""What the patches of slices lie around: what each slice shows, or what all slices of its phase show together.

Around its own slice a patch follows a curved structure and is filled by it. But where another structure begins, all
that was there already jumps aside: below the heart the descending aorta lies in the middle of its patch, a slice higher
the apex does. Networks of several structures, told levels in between, then draw the aorta twice (measured in
Resources/Docs/structures.md). Around all slices alike nothing jumps; tilt is learned then, motion is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from topogan.config import Center, PrepareSettings
from topogan.dataset.inputs import Case
from topogan.dataset.plan import CasePlan, PatchPlan, between_points, fits_stated_size, widest_slice

# Structures of the phantom's heart are 1.00 to 1.02 times as wide in all slices together as in their widest one; where
# an aorta is cut along its arch, 1.4 times, and its slices would fill little of a patch.
_WIDER = 1.1


def with_centers(
    cases: Sequence[Case], plans: Sequence[CasePlan], settings: PrepareSettings
) -> tuple[list[CasePlan], Center]:
    """Move patches to where they belong, in all cases alike.

    Args:
        cases: what is cut.
        plans: the slices of each case, each around its own structures; or its volumes or tiles, which stay.
        settings: the center that was asked for; with ``auto`` several structures lie around all slices of a phase, if
            patches need not be more than a tenth wider for that, and not wider than a stated pixel size lets them be.

    Returns:
        The plans, and the center that was taken: that of a slice or of a volume.
    """
    if settings.volumes:
        return list(plans), Center.VOLUME
    if settings.tiling or settings.center is Center.SLICE:
        return list(plans), Center.SLICE
    alike = [around_volume(plan, case.frame.pitch) for case, plan in zip(cases, plans, strict=True)]
    if settings.center is Center.VOLUME or _are_hardly_wider(cases, plans, alike, settings):
        return alike, Center.VOLUME
    return list(plans), Center.SLICE


def _are_hardly_wider(
    cases: Sequence[Case], plans: Sequence[CasePlan], alike: Sequence[CasePlan], settings: PrepareSettings
) -> bool:
    several = max(case.table.counted for case in cases) > 1
    hardly = several and widest_slice(alike) <= _WIDER * widest_slice(plans)
    return hardly and fits_stated_size(cases, alike, settings)


def around_volume(plan: CasePlan, pitch: float) -> CasePlan:
    """Lay all patches of a phase around the bounding box of the structures in all of its slices.

    Args:
        plan: patches that lie around their own slices.
        pitch: of the grid in which the structures were found, in mm: centers stay between two of its points.
    """
    phases = itertools.groupby(plan.patches, key=lambda patch: patch.phase)
    return replace(plan, patches=[patch for _, patches in phases for patch in _alike(list(patches), pitch)])


def _alike(patches: Sequence[PatchPlan], pitch: float) -> Iterable[PatchPlan]:
    first, counts = np.array([patch.box(pitch) for patch in patches]).transpose(1, 0, 2)
    low, high = first.min(axis=0), (first + counts).max(axis=0) - 1
    u, v = (between_points(*ends) * pitch for ends in zip(low.tolist(), high.tolist(), strict=True))
    across, down = ((high - low + 1) * pitch).tolist()
    return (replace(patch, center=(u, v, patch.center[2]), sides=(across, down)) for patch in patches)
