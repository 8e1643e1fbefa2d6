"""What is refused before a run is made, because it could only fail later."""

from __future__ import annotations

from topogan.config import Part, TrainSettings
from topogan.errors import InputError, lookup
from topogan.losses import LOSSES
from topogan.networks import MASK_NETWORKS, TEXTURE_NETWORKS
from topogan.training.objectives import OBJECTIVES
from topogan.training_set import TrainingSet


def check_names(settings: TrainSettings) -> None:
    """Refuse settings that name networks, an objective or a loss that are not registered.

    Raises:
        InputError: the first such setting.
    """
    lookup(MASK_NETWORKS, settings.masks.backbone, "masks.backbone")
    lookup(OBJECTIVES, settings.masks.objective, "masks.objective")
    lookup(LOSSES, settings.topology.mode, "topology.mode")
    lookup(TEXTURE_NETWORKS, settings.textures.network, "textures.network")


def check_trainable(training_set: TrainingSet, settings: TrainSettings) -> None:
    """Refuse a training set that cannot be trained on with these settings.

    Raises:
        InputError: textures without images, empty masks, or diagrams that cannot be read.
    """
    if settings.part is not Part.MASKS and training_set.images is None:
        raise InputError(
            f"The training set {training_set.folder} has no images to learn textures from: choose the part masks."
        )
    empty = training_set.train[training_set.betti[training_set.train, 0] == 0]
    if len(empty):
        raise InputError(f"Mask {empty[0]} of {training_set.folder} holds no structure: prepare the set again.")
    training_set.diagrams()  # the model package will need them: better refused now than after hours
