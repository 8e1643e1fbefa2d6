"""The topological losses of the mask generator, and the weight λ that scales them.

A new loss is one file and one entry in :data:`LOSSES`.
"""

from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.topology_loss import LOSSES, Loss, TopologyLoss, TopologyTargets
from topogan.losses.weight import TopologyWeight

__all__ = ["LOSSES", "Loss", "SizeTargets", "TopologyLoss", "TopologyTargets", "TopologyWeight", "size_loss"]
