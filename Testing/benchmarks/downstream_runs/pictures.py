"""What the U-Nets of one patient see: real slices, and painted ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from downstream_runs.models import PAINTER, TOPOLOGY, Training, open_model
from downstream_runs.sets import open_patients
from topogan.evaluation.own_masks import painted_own_masks
from topogan.runs.previews import contact_sheet, write_preview

_SHOWN = 12


def draw_slices(source: str, path: Path, training: Training) -> None:
    """Rows of a training patient's slices, of own masks painted, and of synthetic slices; label maps lie below each."""
    real = open_patients(source, 1, 0)
    assert real.images is not None and real.window is not None
    rows = real.train[np.linspace(0, len(real.train) - 1, _SHOWN).astype(int)]
    own = painted_own_masks(open_model(source, real, 1, 0, PAINTER, training), real, _SHOWN, seed=5)
    samples = open_model(source, real, 1, 0, TOPOLOGY, training).sample(_SHOWN, seed=5)
    assert samples.textures is not None
    low, high = real.window
    shown = []
    for images, labels in ((real.images[rows], real.masks[rows]), own, (samples.textures, samples.labels)):
        shown += [np.clip((images - low) / (high - low), 0, 1), labels / len(real.table)]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_preview(path, contact_sheet(np.concatenate(shown).astype(np.float32), columns=_SHOWN))
