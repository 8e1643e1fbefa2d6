"""A beating-heart CT phantom: the embedded data on which everything can be tried. See Resources/Docs/phantom.md.

Its parameters are frozen: a later tuning of the networks must not make the task easier.
"""

from topogan.phantom.make import make_phantom
from topogan.phantom.tissues import STRUCTURES

__all__ = ["STRUCTURES", "make_phantom"]
