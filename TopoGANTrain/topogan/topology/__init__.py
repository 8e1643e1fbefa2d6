"""Persistent homology of masks: filtrations, diagrams, Betti numbers and distances.

Everywhere pieces are 8-connected and the background is 4-connected. The loss and its weight need torch and are
imported from :mod:`topogan.topology.loss` and :mod:`topogan.topology.weight`.
"""

from __future__ import annotations

from topogan.topology.betti import betti_numbers, betti_numbers_of_batch, euler_characteristics
from topogan.topology.cleaning import remove_small
from topogan.topology.diagrams import Diagram, load_diagrams, save_diagrams
from topogan.topology.distances import diagram_distance, pairwise_w1, pairwise_w1_births, wasserstein_1d
from topogan.topology.filtrations import distance_filtration, signed_distance_filtration, superlevel_filtration
from topogan.topology.matching import assign
from topogan.topology.persistence import cubical_persistence, cubical_persistence_of_batch
from topogan.topology.persistence_image import persistence_image

__all__ = [
    "Diagram",
    "assign",
    "betti_numbers",
    "betti_numbers_of_batch",
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
