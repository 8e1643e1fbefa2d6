"""Read a training set: the folder that :func:`topogan.dataset.prepare` writes."""

from __future__ import annotations

from topogan.training_set.description import SCHEMA
from topogan.training_set.table import PARTS, TABLE_FILES, TEST, TRAIN, VALIDATION, betti_columns
from topogan.training_set.training_set import MINIMUM_TRAIN_SLICES, TrainingSet, missing_parts

__all__ = [
    "MINIMUM_TRAIN_SLICES",
    "PARTS",
    "SCHEMA",
    "TABLE_FILES",
    "TEST",
    "TRAIN",
    "VALIDATION",
    "TrainingSet",
    "betti_columns",
    "missing_parts",
]
