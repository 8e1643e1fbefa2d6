"""Names and major versions of the JSON files that one side writes and the other reads, and the reader of both."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

CHECK = "topogan.check/1"
COMPARISON = "topogan.comparison/1"
DOCTOR = "topogan.doctor/1"
DOWNSTREAM = "topogan.downstream/2"
ERROR = "topogan.error/1"
ESTIMATE_REQUEST = "topogan.estimate-request/1"
EXPORT = "topogan.export/1"
HISTORY = "topogan.history/1"
KNOWN_RUN = "topogan.known-run/1"
MODEL = "topogan.model/2"
# Of one structure alone.
FIRST_MODEL = "topogan.model/1"
PAINTING = "topogan.painting/1"
PHANTOM = "topogan.phantom/1"
PREPARE_REQUEST = "topogan.prepare-request/1"
PROGRESS = "topogan.progress/1"
REQUEST = "topogan.request/1"
RUN = "topogan.run/1"
SERVICE = "topogan.serve/1"
SETTINGS = "topogan.settings/1"
STATUS = "topogan.status/1"
STRUCTURES = "topogan.structures/1"
SYNTHESIS = "topogan.synthesis/2"
SYNTHESIS_OF_ONE = "topogan.synthesis/1"
"""Of one structure; still read."""
USED = "topogan.used/1"

# Beyond every file of ours: a request to prepare 100,000 volumes takes 10 MB. Lists in lists take 20 times the memory.
_MAX_JSON_BYTES = 16 << 20


def read_json(path: Path, most_bytes: int = _MAX_JSON_BYTES) -> Any:
    """Read a JSON file of bounded size.

    Raises:
        OSError: it is missing, or cannot be read.
        ValueError: it is no file (a pipe would keep a reader waiting for ever), too large, or not JSON.
    """
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > most_bytes:
        raise ValueError("no file of ours")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def find_json(path: Path, schema: str) -> dict[str, Any] | None:
    """Read a file that may be missing, half written, being replaced (Windows) or something else: None for all these."""
    try:
        content = read_json(path)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and content.get("schema") == schema else None
