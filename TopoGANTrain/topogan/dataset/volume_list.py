"""The volumes of a training set from several places, with whom they belong to and the planes that they are cut in."""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from topogan.dataset.inputs import plane_of_each
from topogan.errors import InputError
from topogan.plane import Plane
from topogan.volumes import find_pairs


@dataclass(frozen=True)
class Volumes:
    """Volumes in the order in which they are read; the lists have an entry for each."""

    segmentations: list[Path]
    images: list[Path]
    """Empty for masks alone."""
    patients: list[Hashable]
    """Equal where two volumes are of the same patient."""
    planes: list[np.ndarray | None] = field(default_factory=list)
    """SliceToRAS matrices; None for axial."""

    def __post_init__(self) -> None:
        """See that each file stands among the segmentations once, and among the images, be it by another name.

        Raises:
            InputError: one does not.
        """
        # What is its own image is a scan, which is said where it is read.
        for paths in (self.segmentations, self.images):
            seen: set[str] = set()
            for path in paths:
                real = os.path.realpath(path)
                if real in seen:
                    raise InputError(
                        f"{path} is given twice: give each file once, or parts of it would be its own test."
                    )
                seen.add(real)

    @classmethod
    def of_files(
        cls, segmentations: Sequence[Path], images: Sequence[Path], patient: Hashable | None, plane: Plane
    ) -> Volumes:
        """Volumes of files and folders.

        Args:
            segmentations: files or folders.
            images: theirs, or none; see :func:`topogan.volumes.find_pairs`.
            patient: whose they all are; None: each of its own.
            plane: one for all, or one for each.

        Raises:
            InputError: a path is not there, something has no partner, a file stands among them twice, or there are
                fewer or more planes.
        """
        labels, scans = find_pairs(segmentations, images)
        # An object is equal to itself alone.
        owners: list[Hashable] = [object() if patient is None else patient for _ in labels]
        return cls(labels, scans, owners, plane_of_each(plane, len(labels)))

    @classmethod
    def joined(cls, parts: Sequence[Volumes]) -> Volumes:
        """All of them, one after the other.

        Raises:
            InputError: some have images and some have none, or a file stands among them twice.
        """
        with_images = next((part for part in parts if part.images), None)
        without = next((part for part in parts if not part.images), None)
        if with_images and without:
            raise InputError(
                f"{with_images.segmentations[0]} comes with an image and {without.segmentations[0]} without: give an "
                "image for each segmentation, or none at all."
            )
        return cls(
            [path for part in parts for path in part.segmentations],
            [path for part in parts for path in part.images],
            [patient for part in parts for patient in part.patients],
            [plane for part in parts for plane in part.planes],
        )
