"""The whole corpus."""

from __future__ import annotations

from hostile_corpus import (
    dicom,
    metaimage,
    models,
    nifti,
    nrrd,
    ours,
    paths,
    png,
    readings,
    runs,
    segmentation_objects,
    segmentations,
    structure_sets,
    structures,
    syntheses,
    training_sets,
    values,
    words,
)
from hostile_corpus.case import Case

_PARTS = (
    nifti,
    nrrd,
    ours,
    metaimage,
    dicom,
    png,
    readings,
    structure_sets,
    structures,
    segmentation_objects,
    segmentations,
    paths,
    training_sets,
    models,
    runs,
    syntheses,
    values,
    words,
)
CASES: list[Case] = [case for part in _PARTS for case in part.CASES]
