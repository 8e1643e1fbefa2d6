"""How good synthetic masks and textures are, beside how good real ones are.

``evaluate`` applies every figure of :mod:`topogan.metrics` to a synthesis folder and writes the report.
"""

from topogan.evaluation.compare import evaluate
from topogan.evaluation.report import Metric, Report

__all__ = ["Metric", "Report", "evaluate"]
