"""The whole corpus."""

from __future__ import annotations

from hostile_corpus import (
    dicom,
    metaimage,
    models,
    nifti,
    nrrd,
    paths,
    png,
    runs,
    segmentations,
    structure_sets,
    syntheses,
    training_sets,
    words,
)
from hostile_corpus.case import Case

_PARTS = (
    nifti,
    nrrd,
    metaimage,
    dicom,
    png,
    structure_sets,
    segmentations,
    paths,
    training_sets,
    models,
    runs,
    syntheses,
    words,
)
CASES: list[Case] = [case for part in _PARTS for case in part.CASES]
