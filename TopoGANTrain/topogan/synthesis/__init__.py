"""Drawing samples from a model into a folder that Slicer, the evaluation and exports read."""

from __future__ import annotations

from topogan.synthesis.run import synthesize

__all__ = ["synthesize"]
