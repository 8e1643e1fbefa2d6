"""The run folder: lock, status, events, previews, checkpoints, and how a run that fails says so.

``read_status`` and ``request_stop`` load no torch: they answer at once and from any process.
"""

from __future__ import annotations

from topogan.runs.folder import request_stop
from topogan.runs.status import RunStatus, read_status

__all__ = ["RunStatus", "read_status", "request_stop"]
