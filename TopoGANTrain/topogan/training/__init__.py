"""Training: a run folder with its lock, status, curves, previews and checkpoints, and the two trainings in it.

``read_status`` and ``request_stop`` load no torch: they answer at once and from any process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topogan.training.run_folder import request_stop
from topogan.training.status import RunStatus, read_status

if TYPE_CHECKING:
    from topogan.training.runs import resume, train

__all__ = ["RunStatus", "read_status", "request_stop", "resume", "train"]


def __getattr__(name: str) -> Any:
    if name not in ("resume", "train"):
        raise AttributeError(f"module 'topogan.training' has no attribute {name!r}")
    from topogan.training import runs

    return getattr(runs, name)
