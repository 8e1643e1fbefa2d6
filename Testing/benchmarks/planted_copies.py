"""Which share of planted copies an audit finds: ``--run`` measures, ``--summary`` writes the table into the page.

Copies of training masks that were changed in one way each, beside the bar of test patients; masks of validation
patients as control. ``as they lie``: by the Dice of masks where they are alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
import torch
from ablation.data import REPOSITORY
from ablation.sets import open_set
from command_line import measure_or_tell
from downstream_runs.page import write
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from topogan.config import AugmentationSettings
from topogan.files import read_json, write_json
from topogan.metrics.memorization import audit
from topogan.training.augmentation import varied_masks
from topogan.training_set import TrainingSet

PAGE = REPOSITORY / "Resources" / "Docs" / "metrics.md"
RESULTS = Path(__file__).parent / "results" / "planted_copies.json"
_SCHEMA = "topogan.planted-copies/1"
_SETS = {
    "demo": "two structures",
    "six_patients": "thin wall",
    "six_atria": "left atria",
    "volume_myocardium": "thin wall, volumes",
}
_COPIES, _SEED = 60, 0
_CONTROL = "masks of validation patients"
Labels = NDArray[np.uint8]


def _moved(labels: Labels, turn: float = 0.0, scale: float = 1.0, shift: int = 0) -> Labels:
    """Shifted along both axes of the last plane, or turned in it (degrees), and scaled."""
    places = np.indices(labels.shape[1:]).astype(np.float64)
    middle = ((np.array(labels.shape[1:]) - 1) / 2).reshape(-1, *(1,) * (labels.ndim - 1))
    places = (places - middle) / scale
    sine, cosine = np.sin(np.radians(turn)), np.cos(np.radians(turn))
    row, column = places[-2].copy(), places[-1].copy()
    places[-2], places[-1] = cosine * row + sine * column + shift, cosine * column - sine * row + shift
    return _read(labels, lambda _: places + middle)


def _bent(labels: Labels, pixels: float, over: float) -> Labels:
    """Displaced smoothly, each copy in another way, by so many pixels on average."""
    rng = np.random.default_rng(_SEED)
    places = np.indices(labels.shape[1:])

    def bend(_: Labels) -> NDArray[np.float64]:
        moves = np.stack([gaussian_filter(rng.standard_normal(labels.shape[1:]), over) for _ in places])
        found: NDArray[np.float64] = places + pixels * moves / np.sqrt((moves**2).sum(axis=0)).mean()
        return found

    return _read(labels, bend)


def _read(labels: Labels, places: Callable[[Labels], NDArray[np.float64]]) -> Labels:
    return np.stack([map_coordinates(one, places(one), order=0) for one in labels])


def _varied(labels: Labels, strength: float) -> Labels:
    """As training masks were varied when this was measured."""
    settings = AugmentationSettings(masks=strength, bending=0.04)
    return varied_masks(labels, int(labels.max()), settings, torch.Generator().manual_seed(_SEED))


CHANGES: dict[str, Callable[[Labels], Labels]] = {
    "exact": lambda labels: labels,
    "shifted by 5 pixels": lambda labels: _moved(labels, shift=5),
    "mirrored": lambda labels: labels[..., ::-1],
    "scaled by 1.15": lambda labels: _moved(labels, scale=1.15),
    "scaled by 0.87": lambda labels: _moved(labels, scale=1 / 1.15),
    "turned by 5°": lambda labels: _moved(labels, turn=5),
    "turned by 10°": lambda labels: _moved(labels, turn=10),
    "turned by 20°": lambda labels: _moved(labels, turn=20),
    "turned by 45°": lambda labels: _moved(labels, turn=45),
    "varied as in training, half as much": lambda labels: _varied(labels, 0.5),
    "varied as in training": lambda labels: _varied(labels, 1.0),
    "bent by 0.7 pixels over 6": lambda labels: _bent(labels, 0.7, 6),
    "bent by 1 pixel over 12": lambda labels: _bent(labels, 1, 12),
    "bent by 1 pixel over 6": lambda labels: _bent(labels, 1, 6),
    "bent by 2 pixels over 6": lambda labels: _bent(labels, 2, 6),
}


def measure(real: TrainingSet) -> dict[str, object]:
    """The found share of each change, in %: as they lie, and with changed copies."""
    chosen = np.random.default_rng(_SEED).choice(real.train, _COPIES, replace=False)
    planted = {name: change(real.masks[chosen]) for name, change in CHANGES.items()}
    planted[_CONTROL] = real.masks[real.validation]
    start = time.process_time()
    samples = np.concatenate(list(planted.values()))
    found = audit(samples, real.masks[real.test], real.masks.__getitem__, real.train, len(real.table))
    seconds = time.process_time() - start
    ends = np.cumsum([len(some) for some in planted.values()])[:-1]
    parts = zip(planted, *(np.split(each, ends) for each in (found.lying.beyond, found.copied)), strict=True)
    return {
        "training_set": real.content_hash,
        "test": len(real.test),
        "training": len(real.train),
        "seconds": round(seconds, 1),
        "found": {
            name: {"lying": round(100.0 * float(lying.mean()), 1), "all": round(100.0 * float(every.mean()), 1)}
            for name, lying, every in parts
        },
    }


def summary() -> str:
    """A row for each change, a column for each set."""
    sets = read_json(RESULTS, _SCHEMA)["sets"]
    heads = [f"{_SETS[name]} ({one['test']} test masks)" for name, one in sets.items()]
    lines = [f"| copy | {' | '.join(heads)} |", "|---" + "|--:" * len(heads) + "|"]
    for change in [*CHANGES, _CONTROL]:
        cells = [f"{one['found'][change]['lying']:.0f} → {one['found'][change]['all']:.0f}" for one in sets.values()]
        lines.append(f"| {change} | {' | '.join(cells)} |")
    return "\n".join(lines)


def run() -> None:
    """Measure every set."""
    torch.set_num_threads(1)
    write_json(RESULTS, {"sets": {name: measure(open_set(name)) for name in _SETS}}, _SCHEMA)


def written() -> str:
    """The table, which the page has by now."""
    write(PAGE, "planted", summary())
    return summary()


if __name__ == "__main__":
    measure_or_tell(str(__doc__), run, written)
