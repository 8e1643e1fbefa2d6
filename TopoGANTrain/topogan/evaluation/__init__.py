"""How good are synthetic masks and textures, beside how good real ones are.

The files ``metrics_*.py`` hold pure functions on arrays, which training logs and reports share; they load neither
torch nor matplotlib. ``evaluate`` applies all of them to a synthesis folder.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "Metric": "topogan.evaluation.report",
    "Report": "topogan.evaluation.report",
    "evaluate": "topogan.evaluation.compare",
    "quick_metrics": "topogan.evaluation.quick",
}

__all__ = ["Metric", "Report", "evaluate", "quick_metrics"]

if TYPE_CHECKING:
    from topogan.evaluation.compare import evaluate
    from topogan.evaluation.quick import quick_metrics
    from topogan.evaluation.report import Metric, Report


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'topogan.evaluation' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)
