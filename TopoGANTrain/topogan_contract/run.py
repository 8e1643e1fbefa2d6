"""The run folder: its files, and the states of a training. The engine owns it; a reader may only create ``stop``.

Or withdraw it, where the engine works on another computer that has fallen silent.
"""

from __future__ import annotations

import re

CONFIG_FILE = "config.json"
LOCK_FILE = "run.lock"
STATUS_FILE = "status.json"
EVENTS_FILE = "events.jsonl"
HISTORY_FILE = "history.json"
"""Curves: ``{"curves": {"masks/loss_generator": {"steps": [...], "values": [...]}}}``, at most 2000 points each."""
LOG_FILE = "log.txt"
STOP_FILE = "stop"
CHECKPOINTS = "checkpoints"
PREVIEWS = "previews"
MODEL = "model"

FILES = (CONFIG_FILE, LOCK_FILE, STATUS_FILE, EVENTS_FILE, HISTORY_FILE, LOG_FILE, STOP_FILE)
FOLDERS = (CHECKPOINTS, PREVIEWS, MODEL)
OWN = re.compile(
    r"(config|status|history)\.json|events\.jsonl|run\.lock|log\.txt|stop|checkpoints/step-\d+\.safetensors"
    r"|previews/(masks|textures)-\d+\.png"
    r"|model/(LICENSE|configs/metadata\.json|docs/README\.md|reference/diagrams\.npz"
    r"|models/(masks|textures)_(generator|critic)\.safetensors)"
)
"""Paths in a run folder, with slashes; nothing else in it is the run's."""

STAGES = ("masks", "textures")
"""In the order of training; a preview's file name begins with its stage."""

QUEUED, RUNNING, STOPPING = "queued", "running", "stopping"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
ALIVE = (QUEUED, RUNNING, STOPPING)
"""True only as long as the lock is held, for the engine may have died without a word."""
ENDED = (FINISHED, STOPPED, FAILED)
RESUMABLE = (STOPPED, FAILED)
