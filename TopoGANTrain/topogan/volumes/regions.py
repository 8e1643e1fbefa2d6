"""Named regions of a DICOM file (contours of a structure set, segments of a segmentation) as structures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.volumes.dicom import DicomSeries
from topogan.volumes.geometry import Geometry
from topogan.volumes.sources import VolumeSource

_MOST_REGIONS_NAMED = 12


class Absent(InputError):
    """A file does not show a structure; others may."""


@dataclass(frozen=True)
class RegionChoice:
    """Which region is wanted as a structure.

    Attributes:
        name: as in the file (upper and lower case are alike); empty where the user gave none.
        numbers: of the regions that together make the structure, for files without a region of that name.
        any_frame: accept a CT with another frame of reference.
    """

    name: str = ""
    numbers: tuple[int, ...] = (1,)
    any_frame: bool = False


@dataclass(frozen=True)
class Drawn:
    """What both kinds of files have in common as sources of one phase; structures are numbered from 1.

    Attributes:
        absent: why the structures of these numbers are not in the file.
        overlaps: voxels that two structures claim, by their numbers; known once the volume was read.
    """

    path: Path
    geometry: Geometry
    absent: Mapping[int, Absent]
    overlaps: Counter[tuple[int, int]] = field(default_factory=Counter, compare=False, kw_only=True)
    phases: int = field(default=1, kw_only=True)

    def _lay(self, labels: NDArray[np.uint8], number: int, where: NDArray[np.bool_]) -> None:
        """Put a structure into labels of the same shape, where none is yet, and count those voxels where one is."""
        claimed = np.bincount(labels[where], minlength=number)
        self.overlaps.update({(other, number): int(claimed[other]) for other in range(1, number) if claimed[other]})
        labels[where & (labels == 0)] = number


def choose(path: Path, names: Mapping[int, str], choice: RegionChoice, kind: str) -> tuple[int, ...]:
    """The numbers of the regions that make a structure.

    Args:
        path: the file, for messages.
        names: all its regions, by number.
        choice: the structure.
        kind: what regions are called in such a file.

    Raises:
        Absent: it holds no such region.
        InputError: it holds several, or none at all.
    """
    if not names:
        raise InputError(f"{path} holds no {kind}s: it is empty or damaged; leave it out.")
    described = [called(number, names[number]) for number in sorted(names)[:_MOST_REGIONS_NAMED]]
    known = ", ".join(described) + (" ..." if len(names) > _MOST_REGIONS_NAMED else "")
    wanted = choice.name.strip().casefold()
    named = [number for number, name in names.items() if wanted and name.strip().casefold() == wanted]
    if len(named) > 1:
        raise InputError(f"{path} holds several {kind}s called {choice.name!r} ({known}): rename all but one.")
    if named:
        return (named[0],)
    # A misspelt name must not silently become region 1, which is often the whole body.
    by_name = bool(wanted) and choice.numbers in ((), (1,))
    if by_name or not set(choice.numbers) <= names.keys():
        asked = f"called {choice.name!r}" if by_name else f"number {' and '.join(map(str, choice.numbers))}"
        raise Absent(
            f"{path} holds no {kind} {asked} but {known}: give one's name as --structure or its number as --label."
        )
    return choice.numbers


def called(number: int, name: str) -> str:
    """A region in messages."""
    return f"{number} {name.strip()[:40]!r}"


def check_frame(path: Path, theirs: str, image: VolumeSource, choice: RegionChoice) -> None:
    """Coordinates mean something only in the frame of reference that they were drawn in."""
    ours = image.frame_of_reference if isinstance(image, DicomSeries) else ""
    if theirs and ours and theirs != ours and not choice.any_frame:
        raise InputError(
            f"{path} was drawn in another frame of reference than that of {image.path}: "
            "give its own CT, or choose 'resample', if both show the same patient in the same position."
        )
