"""What is refused before a run is made, because it could only fail later."""

from __future__ import annotations

import numpy as np

from topogan.config import Part, TrainSettings
from topogan.errors import InputError, lookup
from topogan.losses import LOSSES
from topogan.networks import MASK_NETWORKS, TEXTURE_NETWORKS
from topogan.presets import check_form
from topogan.training.objectives import OBJECTIVES
from topogan.training.topological_gradient import chosen_regions
from topogan.training_set import TrainingSet

_MASKS_LOOKED_AT = 16


def check_names(settings: TrainSettings) -> None:
    """Refuse settings that name networks, an objective or a loss that are not registered, or do not go together.

    Raises:
        InputError: the first such setting.
    """
    lookup(MASK_NETWORKS, settings.masks.backbone, "masks.backbone")
    lookup(OBJECTIVES, settings.masks.objective, "masks.objective")
    lookup(LOSSES, settings.topology.mode, "topology.mode")
    lookup(TEXTURE_NETWORKS, settings.textures.network, "textures.network")
    # Masks that are taken over were trained before.
    adaptive = settings.part is not Part.TEXTURES and settings.augmentation.discriminator == "adaptive"
    if adaptive and settings.masks.objective == "wgan-gp":
        raise InputError(
            "The scores of wgan-gp have no zero, from which adaptive would see how sure the discriminator is: choose "
            "off or fixed for augmentation.discriminator, or another masks.objective."
        )


def check_trainable(training_set: TrainingSet, settings: TrainSettings) -> None:
    """Refuse a training set that cannot be trained on with these settings.

    Raises:
        InputError: textures without images, settings for volumes with slices or the reverse, unknown regions, empty
            masks, or diagrams that cannot be read.
    """
    if settings.part is not Part.MASKS and training_set.images is None:
        raise InputError(
            f"The training set {training_set.folder} has no images to learn textures from: choose the part masks."
        )
    check_form(settings, training_set.axes)
    if settings.part is not Part.TEXTURES:  # masks that are taken over may have been of another name
        chosen_regions(training_set, settings.topology)
    _check_masks(training_set)
    training_set.diagrams()  # the model package will need them: better refused now than after hours


def _check_masks(training_set: TrainingSet) -> None:
    # By the table, which is in memory; some masks themselves show whether the table belongs to them.
    rows = training_set.train
    some = rows[np.linspace(0, len(rows) - 1, min(len(rows), _MASKS_LOOKED_AT)).astype(int)]
    highest = training_set.masks[some].reshape(len(some), -1).max(axis=1)
    unseen = (highest == 0) | (highest > len(training_set.table))
    empty = [*rows[(training_set.betti[rows, :, 0] == 0).all(axis=1)], *some[unseen]]
    if empty:
        mask, folder = empty[0], training_set.folder
        raise InputError(f"Mask {mask} of {folder} holds no structure of its table: prepare the set again.")
