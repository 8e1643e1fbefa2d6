"""The three sets that an evaluation compares: synthetic, training patients, test patients; how to compare them.

The sets of an evaluation hold label maps; those of one structure or union (:meth:`ThreeSets.of`) its masks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.evaluation.report import Metric, drawn_metric
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.terms import TERMS, Terms
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.sampling import draw
from topogan.structures import Region
from topogan.training_set import TrainingSet

# Beyond this, shares and means no longer move in the digits that are printed, but time and memory would. Of volumes no
# more than have the voxels of 2,000 slices of 256²: 500 of 64³.
LARGEST_SET, _MOST_VOXELS = 2000, 2000 * 256**2
DRAW_SEEDS = (0, 1, 2)
_PIXEL_SIZE_TOLERANCE = 0.01
_REMEDY = "name the training set that the model was trained on"

Compared = Callable[["SliceSet", "SliceSet"], float]


@dataclass(frozen=True)
class SliceSet:
    """Masks of one origin, slices or volumes, with their topology and, where there are any, their images."""

    masks: NDArray[Any]
    """bool [N, H, W] or [N, D, H, W]; or label ids, uint8."""
    betti: NDArray[np.int64]
    """Betti numbers, int [N, dimensions]: (b0, b1), of volumes (b0, b1, b2); of label maps [N, R, dimensions]."""
    images: NDArray[np.int16] | None
    """int16, of the masks' shape."""
    levels: NDArray[np.float64] | None = None
    """float [N], 0 to 1; None where they are not known."""

    def __len__(self) -> int:
        return len(self.masks)

    def drawn(self, count: int, seed: int) -> SliceSet:
        """At most ``count`` of the slices."""
        return self if len(self) <= count else self.rows(draw(np.arange(len(self)), count, seed))

    def rows(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> SliceSet:
        """Some of the slices."""
        images = None if self.images is None else self.images[rows]
        levels = None if self.levels is None else self.levels[rows]
        return SliceSet(self.masks[rows], self.betti[rows], images, levels)

    def of(self, region: Region, number: int) -> SliceSet:
        """The masks of region ``number`` of label maps."""
        return SliceSet(region.of(self.masks), self.betti[:, number], self.images, self.levels)


@dataclass(frozen=True)
class ThreeSets:
    """What every metric starts from."""

    samples: SliceSet
    """Every sample."""
    synthetic: SliceSet
    """At most :func:`largest_set` of the samples, for what grows with the number of pairs."""
    training: SliceSet
    test: SliceSet
    pixel_size: float
    """mm."""
    window: tuple[float, float] | None
    """Lowest and highest intensity of the textures; None without images."""
    structures: int = 1
    """Number of labels, where masks are label maps."""

    def of(self, region: Region, number: int) -> ThreeSets:
        """The masks of region ``number`` of label maps."""
        samples, training, test = (found.of(region, number) for found in (self.samples, self.training, self.test))
        synthetic = samples if self.synthetic is self.samples else self.synthetic.of(region, number)
        return ThreeSets(samples, synthetic, training, test, self.pixel_size, self.window)

    @property
    def axes(self) -> int:
        """2 where the sets hold slices, 3 where volumes."""
        return self.test.masks.ndim - 1

    @property
    def terms(self) -> Terms:
        """What they are called."""
        return TERMS[self.axes]

    @property
    def named(self) -> dict[str, SliceSet]:
        """The sets by the names that reports use."""
        return {"synthetic": self.synthetic, "training": self.training, "test": self.test}

    def with_slices(self, samples: SliceSet, training: SliceSet, test: SliceSet) -> ThreeSets:
        """The same comparison of other slices."""
        drawn = samples.drawn(largest_set(self.axes, samples.masks.shape[-1]), seed=0)
        return ThreeSets(samples, drawn, training, test, self.pixel_size, self.window, self.structures)

    @property
    def common_count(self) -> int:
        """To how many slices the synthetic and the training set are cut before either is compared with the test.

        Most distances between finite sets shrink with the sets' size: equal sizes make the two comparable.
        """
        return min(len(self.synthetic), len(self.training))

    def compared(self, function: Compared) -> tuple[dict[str, float], dict[str, float]]:
        """``function(set, test)`` for the synthetic and the training set, for each seed of the draws.

        Returns:
            Values by seed of the synthetic and of the training set; one seed only where nothing had to be drawn.
        """
        count = self.common_count
        seeds = DRAW_SEEDS if max(len(self.synthetic), len(self.training)) > count else DRAW_SEEDS[:1]
        synthetic, training = (
            {str(seed): function(found.drawn(count, seed), self.test) for seed in seeds}
            for found in (self.synthetic, self.training)
        )
        return synthetic, training


def largest_set(axes: int, size: int) -> int:
    """How many slices or volumes of ``size`` pixels along each axis are compared at most."""
    return LARGEST_SET if axes == 2 else min(LARGEST_SET, _MOST_VOXELS // size**axes)


def open_sets(samples: SyntheticSet, real: TrainingSet) -> ThreeSets:
    """Take at most :func:`largest_set` slices or volumes of each origin into memory.

    Raises:
        InputError: the two do not belong together, or one of them is too small to compare.
    """
    _check_belong_together(samples, real)
    with_images = samples.textures is not None and real.images is not None
    betti = np.stack([betti_numbers_of_batch(region.of(samples.labels)) for region in real.regions], axis=1)
    everything = SliceSet(samples.labels, betti, samples.textures if with_images else None, samples.levels)
    return ThreeSets(
        samples=everything,
        synthetic=everything.drawn(largest_set(real.axes, real.size), seed=0),
        training=label_slices(real, real.train, with_images),
        test=label_slices(real, real.test, with_images),
        pixel_size=real.pixel_size,
        window=real.window,
        structures=len(real.table),
    )


def distance_metric(
    sets: ThreeSets, function: Compared, group: str, name: str, unit: str, dimension: int | None = None
) -> Metric:
    """A distance to the test patients, the lower the better, beside that of the training patients."""
    return drawn_metric(group, name, unit, *sets.compared(function), dimension, axes=sets.axes)


def figure_metric(
    sets: ThreeSets, function: Callable[[SliceSet], float], group: str, name: str, unit: str, note: str = ""
) -> Metric:
    """A figure of one set: of the synthetic, the test and the training samples."""
    value, real, training = (function(found) for found in (sets.synthetic, sets.test, sets.training))
    return Metric(group, name, value, real, unit, "equal to real", training=training, note=note)


def compared_rows(real: TrainingSet, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most :func:`largest_set` of some rows of a training set."""
    return draw(rows, largest_set(real.axes, real.size), seed=0)


def label_slices(real: TrainingSet, rows: NDArray[np.int64], with_images: bool = True) -> SliceSet:
    """The label maps of at most :func:`largest_set` of some rows of a training set, in memory."""
    chosen = compared_rows(real, rows)
    images = real.images[chosen] if with_images and real.images is not None else None
    return SliceSet(real.masks[chosen], real.betti[chosen], images, real.levels[chosen])


def real_slices(real: TrainingSet, rows: NDArray[np.int64], with_images: bool = True) -> SliceSet:
    """The same of the first structure's masks."""
    return label_slices(real, rows, with_images).of(real.regions[0], 0)


def same_pixel_size(one: float, other: float) -> bool:
    """Whether two sizes of a pixel (mm) are one but for rounding."""
    return abs(one / other - 1.0) <= _PIXEL_SIZE_TOLERANCE


def check_alike(samples: SyntheticSet, real: TrainingSet) -> None:
    """Refuse samples whose pixels are not those of the training set.

    Raises:
        InputError: they have other dimensions, another size or pixel size, or other units of intensity.
    """
    made, terms = TERMS[samples.axes], TERMS[real.axes]
    if made is not terms:
        raise InputError(f"The samples are {made.samples} and the training set holds {terms.samples}: {_REMEDY}.")
    size = samples.labels.shape[1]
    if size != real.size:
        raise InputError(f"The samples are {size} {terms.pixels} wide and the training set {real.size}: {_REMEDY}.")
    if not same_pixel_size(samples.pixel_size, real.pixel_size):
        raise InputError(
            f"The samples have {terms.pixels} of {samples.pixel_size:.3g} mm and the training set of "
            f"{real.pixel_size:.3g} mm: {_REMEDY}."
        )
    unknown = samples.intensity is None or samples.textures is None or real.images is None
    if not unknown and samples.intensity != real.intensity:
        raise InputError(
            f"The samples have intensities of the kind {samples.intensity} and the training set {real.intensity}: "
            f"{_REMEDY}."
        )


def _check_belong_together(samples: SyntheticSet, real: TrainingSet) -> None:
    check_alike(samples, real)
    for name, count in (("synthesis", len(samples.labels)), ("training set's test part", len(real.test))):
        if count < 2:
            noun = TERMS[real.axes].sample
            raise InputError(f"The {name} holds {count} {noun}(s) where at least 2 are needed to compare.")
    if max(len(samples.table), len(real.table)) > 1 and samples.table.regions != real.table.regions:
        raise InputError(f"The samples show {samples.table.title} and the training set {real.table.title}: {_REMEDY}.")
