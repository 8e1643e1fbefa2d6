"""From volumes and segmentations to a training set on disk."""

from topogan.dataset.prepare import prepare
from topogan.training_set import MINIMUM_TRAIN_SLICES, TrainingSet

__all__ = ["MINIMUM_TRAIN_SLICES", "TrainingSet", "prepare"]
