"""Persistent homology of masks and grey images; see Resources/Docs/topology.md.

The loss lies in :mod:`topogan.topology.loss`, apart, because it alone needs torch.
"""

from topogan.topology.betti import betti_numbers, betti_numbers_of_batch
from topogan.topology.cleaning import remove_small
from topogan.topology.diagrams import Diagram, load_diagrams, save_diagrams
from topogan.topology.distances import diagram_distance, pairwise_w1, pairwise_w1_births
from topogan.topology.filtrations import distance_filtration, signed_distance_filtration
from topogan.topology.persistence import cubical_persistence, cubical_persistence_of_batch

__all__ = [
    "Diagram",
    "betti_numbers",
    "betti_numbers_of_batch",
    "cubical_persistence",
    "cubical_persistence_of_batch",
    "diagram_distance",
    "distance_filtration",
    "load_diagrams",
    "pairwise_w1",
    "pairwise_w1_births",
    "remove_small",
    "save_diagrams",
    "signed_distance_filtration",
]
