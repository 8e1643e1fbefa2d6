"""Makes run folders as a training leaves them, without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from topogan_contract import schemas
from topogan_contract.machine import machine_id


def make_run(results: Path, name: str, state: str = "stopped", **status: Any) -> Path:
    """A run of 300 of 3000 steps; what is given goes into its status."""
    run = results / name / "run"
    for folder in ("checkpoints", "previews"):
        (run / folder).mkdir(parents=True)
    settings = {"part": "both", "seed": 7}
    learned = {"content_hash": f"of {name}", "structures": ["Myocardium", "Blood"], "size": 64}
    write(run / "config.json", schemas.RUN, settings=settings, training_set=learned, device="cpu")
    (run / "run.lock").touch()
    always = {"machine": machine_id(), "heartbeat": 5, "step": 300, "total": 3000, "stage": "masks"}
    write(run / "status.json", schemas.STATUS, **{**always, "state": state, **status})
    return run


def add_curves(run: Path, **curves: list[float]) -> None:
    """Values at steps 100, 200, …; ``_`` stands for the first stroke: ``masks_quick_valid``."""
    found = {
        name.replace("_", "/", 1): {"steps": [100 * (n + 1) for n in range(len(values))], "values": values}
        for name, values in curves.items()
    }
    write(run / "history.json", "topogan.history/1", curves=found)


def add_training_set(run: Path, **more: Any) -> Path:
    """The one that a panel makes beside a run, of what :func:`make_run` has learned."""
    folder = run.parent / "training-set"
    folder.mkdir(parents=True)
    table = {"structures": [{"name": "Myocardium"}, {"name": "Blood"}]}
    usual = {"content_hash": f"of {run.parent.name}", "table": table, "size": 64, "window": [-200.0, 600.0]}
    write(folder / "dataset.json", "topogan.training-set/3", **{**usual, **more})
    for name in ("masks.npy", "slices.csv", "check.json"):
        (folder / name).touch()
    return folder


def write(path: Path, schema: str, **content: Any) -> None:
    """Write one of our JSON files."""
    path.write_text(json.dumps({"schema": schema, **content}), encoding="utf-8")
