"""The folder of a training set, as far as others than the engine must know it."""

from __future__ import annotations

import re

DESCRIPTION_FILE = "dataset.json"
KIND = "topogan.training-set/"
"""Schemas of the description begin with it, whatever their version."""

FILES = re.compile(r"dataset\.json|(slices|volumes)\.csv|(masks|images)\.npy|diagrams\.npz|preview\.png|check\.json")
"""Nothing else in it is the training set's."""
