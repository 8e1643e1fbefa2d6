"""Persistent homology of masks: filtrations, diagrams, Betti numbers and distances.

Everywhere the structure is 8-connected and the background 4-connected, in volumes 26- and 6-connected. Images have the
dimensions 0 and 1, volumes 0, 1 and 2.

For notebooks, beside what the engine itself uses: :func:`superlevel_filtration` of grey images,
:func:`persistence_image`, and of a :class:`Diagram` its ``betti_curve``, ``longer_than``, ``from_points`` and
``to_gudhi``, which lead from and to GUDHI's own diagrams and plots.
"""

from __future__ import annotations

from topogan.homology.betti import betti_numbers, betti_numbers_of_batch, betti_of, euler_characteristics
from topogan.homology.cleaning import clean_labels, remove_small
from topogan.homology.diagrams import Diagram, load_diagrams, save_diagrams
from topogan.homology.distances import diagram_distance, pairwise_w1, pairwise_w1_births, wasserstein_1d
from topogan.homology.filtrations import distance_filtration, signed_distance_filtration, superlevel_filtration
from topogan.homology.matching import assign
from topogan.homology.persistence import cubical_persistence, cubical_persistence_of_batch
from topogan.homology.persistence_image import persistence_image

__all__ = [
    "Diagram",
    "assign",
    "betti_numbers",
    "betti_numbers_of_batch",
    "betti_of",
    "clean_labels",
    "cubical_persistence",
    "cubical_persistence_of_batch",
    "diagram_distance",
    "distance_filtration",
    "euler_characteristics",
    "load_diagrams",
    "pairwise_w1",
    "pairwise_w1_births",
    "persistence_image",
    "remove_small",
    "save_diagrams",
    "signed_distance_filtration",
    "superlevel_filtration",
    "wasserstein_1d",
]
