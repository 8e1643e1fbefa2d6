"""How good synthetic masks and textures are, beside how good real ones are.

``evaluate`` applies every figure of :mod:`topogan.metrics` to a synthesis folder and writes the report.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "Metric": "topogan.evaluation.report",
    "Report": "topogan.evaluation.report",
    "evaluate": "topogan.evaluation.compare",
    "quick_metrics": "topogan.metrics.quick",
}

__all__ = ["Metric", "Report", "evaluate", "quick_metrics"]

if TYPE_CHECKING:
    from topogan.evaluation.compare import evaluate
    from topogan.evaluation.report import Metric, Report
    from topogan.metrics.quick import quick_metrics


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'topogan.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
