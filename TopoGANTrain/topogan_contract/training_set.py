"""The folder of a training set, as far as others than the engine must know it."""

from __future__ import annotations

import re

DESCRIPTION_FILE = "dataset.json"
KIND = "topogan.training-set/"
"""Schemas of the description begin with it, whatever their version."""

USED_FILE = "used.json"
"""Says that a run outside these results learns from the set, which nobody who looks through them could know."""

FILES = re.compile(
    r"dataset\.json|(slices|volumes)\.csv|(masks|images)\.npy|diagrams\.npz|preview\.png|(check|used)\.json"
)
"""Nothing else in it is the training set's."""
