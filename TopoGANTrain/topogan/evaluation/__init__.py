"""How good synthetic masks and textures are, beside how good real ones are.

``evaluate`` applies every figure of :mod:`topogan.metrics` to a synthesis folder and writes the report.
"""

from topogan.evaluation.compare import evaluate
from topogan.evaluation.report import Metric, Report
from topogan.evaluation.sets import LEAST_COMPARED

__all__ = ["LEAST_COMPARED", "Metric", "Report", "evaluate"]
