"""What samples tell of who was trained on, by the number of patients: ``--run`` measures the models that
``downstream.py --run`` has trained so far, ``--summary`` prints the table.

400 samples of each model beside the 6 test patients, with the audit and the attack of ``topogan evaluate``. Nothing is
trained or chosen here.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from ablation.sets import cache_folder
from command_line import measure_or_tell
from downstream_runs.models import TOPOLOGY, Training, open_model
from downstream_runs.sets import open_patients

from topogan.device import exact_numerics
from topogan.files import read_json, write_json
from topogan.metrics.membership import membership
from topogan.metrics.memorization import audit
from topogan.metrics.texture_copies import texture_audit

RESULTS = Path(__file__).parent / "results" / "privacy.json"
_SCHEMA, _SOURCE, _SAMPLES = "topogan.privacy-benchmark/1", "phantom", 400
_PATIENTS, _SEEDS = (1, 2, 4), (0, 1, 2)
# Key of a run, heading, and how it is printed.
_COLUMNS = {
    "copies": ("possible copies, %", ".1f"),
    "lying": ("as they lie, %", ".1f"),
    "closer": ("closer to training, %", ".0f"),
    "textures": ("copies of textures, %", ".1f"),
    "auc": ("membership AUC", ".2f"),
    "control": ("… of other patients' masks", ".2f"),
}


def measure(patients: int, seed: int) -> dict[str, Any] | None:
    """The figures of one model; None where it has not been trained."""
    if not (cache_folder() / "downstream" / f"{_SOURCE}-k{patients}-seed{seed}" / TOPOLOGY).is_dir():
        return None
    real = open_patients(_SOURCE, patients, seed)
    samples = open_model(_SOURCE, real, patients, seed, TOPOLOGY, Training()).sample(_SAMPLES, seed)
    masks, read = samples.labels == 1, real.region_masks
    members, others = read(real.train), read(real.test)
    assert samples.textures is not None and real.images is not None and real.window is not None
    images = real.images
    texture = texture_audit(
        (masks, samples.textures),
        (others, images[real.test]),
        lambda rows: (read(rows), images[rows]),
        real.train,
        real.pixel_size,
        real.window,
    )
    found = audit(masks, others, read, real.train)
    whose = [[real.patients[row] for row in rows] for rows in (real.train, real.test)]
    told = membership(masks, members, others, whose[0], whose[1])
    return {
        "copies": 100.0 * float(found.copied.mean()),
        "lying": 100.0 * len(found.copies) / len(masks),
        "closer": found.closer_percent,
        "textures": 100.0 * float(texture.beyond.mean()),
        **asdict(told),
        # Real masks of other patients, as if they were samples: what the AUC is where nothing was learned.
        "control": membership(read(real.validation), members, others, whose[0], whose[1]).auc,
    }


def run() -> None:
    """Measure what has no result yet."""
    for patients in _PATIENTS:
        for seed in _SEEDS:
            runs = read_json(RESULTS, _SCHEMA)["runs"] if RESULTS.is_file() else {}
            name = f"k{patients}, seed {seed}"
            if name in runs:
                continue
            with exact_numerics(1, torch.device("cpu")):
                found = measure(patients, seed)
            if found is not None:
                write_json(RESULTS, {"runs": {**runs, name: {"patients": patients, "seed": seed, **found}}}, _SCHEMA)
                print(f"{name}: {found}", flush=True)


def summary() -> str:
    """A row for each number of patients: the mean over the seeds, and the smallest and largest."""
    runs = list(read_json(RESULTS, _SCHEMA)["runs"].values())
    heads = " | ".join(head for head, _ in _COLUMNS.values())
    lines = [f"| patients | seeds | {heads} | 95 % interval |", "|--:|--:|" + "--:|" * len(_COLUMNS) + "---|"]
    for patients in sorted({one["patients"] for one in runs}):
        mine = [one for one in runs if one["patients"] == patients]
        cells = []
        for key, (_, form) in _COLUMNS.items():
            values = [one[key] for one in mine]
            cells.append(f"{fmean(values):{form}} ({min(values):{form}} to {max(values):{form}})")
        known = all(one["low"] is not None for one in mine)
        of = "; ".join(f"{one['low']:.2f} to {one['high']:.2f}" for one in mine) if known else "unknown"
        lines.append(f"| {patients} | {len(mine)} | {' | '.join(cells)} | {of} |")
    return "\n".join(lines)


if __name__ == "__main__":
    measure_or_tell(str(__doc__), run, summary)
