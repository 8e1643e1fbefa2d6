"""Training masks of one's own, deformed and painted: synthetic slices that need no mask generator."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.evaluation.segmentation_augmentation import Augmentation
from topogan.evaluation.sets import same_pixel_size
from topogan.model import Model
from topogan.model.metadata import Metadata
from topogan.networks import intensities_from_network, texture_condition, texture_noise_channels
from topogan.randomness import stream, torch_stream
from topogan.training_set import TrainingSet
from topogan.warping import draw_grids, warped_labels

_TOGETHER = 16
_REMEDY = "choose a model of this training set"


def painted_own_masks(
    model: Model, real: TrainingSet, count: int, seed: int = 0
) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Deform training masks as augmentation does, and paint a texture on each.

    Args:
        model: with textures, of the structures of ``real``.
        real: slices; each training mask is taken in turn, in a random order.
        count: how many are painted.
        seed: of the order, the deformations and the noise.

    Returns:
        Images, int16 [count, H, W], and label ids, uint8 [count, H, W], in which context is background.

    Raises:
        InputError: the model paints no textures, or makes slices of another size, pixel size or kind of intensity or of
            other structures.
    """
    network, metadata = model.textures, model.metadata
    if network is None or metadata.window is None:
        raise InputError("This model paints no textures: choose one that was trained with images.")
    _check_alike(metadata, real)
    random = stream(seed, "own masks")
    order = np.concatenate([random.permutation(real.train) for _ in range(-(-count // len(real.train)))])[:count]
    noise_of = torch_stream(seed, "own masks: noise")
    images, masks = [], []
    for start in range(0, count, _TOGETHER):
        rows = order[start : start + _TOGETHER]
        grids = draw_grids(len(rows), (real.size, real.size), Augmentation().warp, random)
        labels = warped_labels(real.masks[rows], len(real.table), grids, real.outside)
        levels = real.levels[rows] if metadata.told_level else None
        shape = len(rows), texture_noise_channels(metadata.settings.textures), real.size, real.size
        noise = torch.randn(shape, generator=noise_of).to(model.device)
        with torch.inference_mode():
            painted = network(texture_condition(labels, len(real.table), levels).to(model.device), noise)
        images.append(intensities_from_network(painted.float(), metadata.window))
        masks.append(real.table.without_context_in(labels))
    return np.concatenate(images), np.concatenate(masks)


def _check_alike(painter: Metadata, real: TrainingSet) -> None:
    tables = painter.table, real.table
    # One structure is the same under another name.
    same = tables[0].names == tables[1].names or max(map(len, tables)) == 1
    if not same or (painter.size, painter.axes) != (real.size, real.axes):
        raise InputError(f"This model paints {painter.table.title} in slices of {painter.size} pixels: {_REMEDY}.")
    if not same_pixel_size(painter.pixel_size_mm, real.pixel_size):
        raise InputError(
            f"This model paints pixels of {painter.pixel_size_mm:.3g} mm and the training set has those of "
            f"{real.pixel_size:.3g} mm: {_REMEDY}."
        )
    if painter.intensity != real.intensity:
        raise InputError(
            f"This model paints intensities of the kind {painter.intensity} and the training set has those of the kind "
            f"{real.intensity}: {_REMEDY}."
        )
