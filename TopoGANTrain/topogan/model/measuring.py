"""The figures of a model: raw samples beside real ones that were not trained on, quickly and always the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError, WorkError
from topogan.files import read_json, write_json
from topogan.metrics.membership import membership
from topogan.metrics.memorization import audit
from topogan.metrics.sampling import draw
from topogan.metrics.topology import betti_error, shown_by_real
from topogan.model import layout
from topogan.model.card import model_card
from topogan.model.loading import load_model
from topogan.model.metadata import Metadata, read_metadata
from topogan.model.model import Model
from topogan.model.sampling import draw_masks
from topogan.training_set import TrainingSet
from topogan_contract import schemas
from topogan_contract.figures import Figures, RegionFigures

# 300 samples tell a share of 90 % to 2 % (one standard deviation). Large ones are fewer, as many as have the pixels of
# 96 of 256², which take 9 seconds on 2 cores.
_MOST_SAMPLES, _MOST_PIXELS = 300, 96 * 256**2
# Training samples that each is compared with.
_MOST_COMPARED = 16_000 * 256**2
_FEWEST = 2


def measure(model: Model, real: TrainingSet) -> Figures | None:
    """Measure a model against its training set; on a CPU the same figures each time.

    Args:
        model: with or without masks.
        real: the set that it was trained on.

    Returns:
        None where the model makes no masks, the set holds less than two samples that were not trained on, or the
        networks give no numbers.

    Raises:
        InputError: the set is another one.
    """
    if model.metadata.training_set.content_hash != real.content_hash:
        raise InputError(f"{real.folder} is not the training set of this model: name that one.")
    real = real.without_context
    part, rows = ("validation", real.validation) if len(real.validation) >= _FEWEST else ("test", real.test)
    if model.masks is None or len(rows) < _FEWEST:
        return None
    rows = draw(rows, _MOST_SAMPLES, seed=0)
    pixels = real.size**real.axes
    most = max(_FEWEST, min(_MOST_SAMPLES, _MOST_PIXELS // pixels))
    # As many as there are training samples at most: two sets are compared with the held-out one, and have to be equal.
    training = draw(real.train, most, seed=0)
    try:
        labels, betti, levels = draw_masks(model, len(training))
    except WorkError:
        return None  # a model that gives NaN is written all the same, and says so when it is used
    labels = model.metadata.table.without_context_in(labels)
    shown = _shown(model.metadata, betti, levels)
    real_shown = _shown(model.metadata, real.betti[rows], None if levels is None else real.levels[rows])
    # The Betti numbers of all are known; the pixels of large ones take long to compare.
    compared = draw(rows, most, seed=0)
    pool = draw(real.train, max(_FEWEST, _MOST_COMPARED // pixels), seed=0)
    held_out, members = real.masks[compared], real.masks[training]
    copied = audit(labels, held_out, real.masks.__getitem__, pool, len(real.table))
    whose = [[real.patients[row] for row in some] for some in (training, compared)]
    told = membership(labels, members, held_out, whose[0], whose[1], len(real.table))
    return Figures(
        samples=len(labels),
        held_out=len(rows),
        part=part,
        regions=tuple(
            RegionFigures(
                valid_percent=_rounded(100.0 * shown[:, number].mean()),
                real_valid_percent=_rounded(100.0 * real_shown[:, number].mean()),
                betti_error=_rounded(betti_error(betti[:, number], real.betti[rows, number])),
                real_betti_error=_rounded(betti_error(real.betti[training, number], real.betti[rows, number])),
            )
            for number in range(len(real.regions))
        ),
        dice_to_training=_rounded(copied.dice.mean()),
        real_dice_to_training=_rounded(copied.reference_dice.mean()),
        closer_percent=_rounded(copied.closer_percent),
        identical_percent=_rounded(100.0 * len(copied.identical) / len(labels)),
        real_identical_percent=_rounded(100.0 * len(copied.test_identical) / len(compared)),
        copies_percent=_rounded(100.0 * len(copied.all_copies) / len(labels)),
        membership_auc=_rounded(told.auc),
    )


def _rounded(value: float) -> float:
    # Sums of shares may be a last bit above 1.
    return round(float(value), 4)


def _shown(metadata: Metadata, betti: NDArray[np.int64], levels: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Whether training samples show such Betti numbers, bool [N, R]."""
    return shown_by_real(betti, levels, metadata.real)


def add_figures(package: Path, real: TrainingSet, not_measured: Callable[[Exception], None] | None = None) -> Path:
    """Measure the model of a package folder, and write the figures into its metadata and its card; nothing else.

    Args:
        package: folder of the model.
        real: the set that it was trained on.
        not_measured: is called with whatever goes wrong while it is measured; the package then says that there are no
            figures. Without it, that is raised.

    Raises:
        InputError: it is no package, or not of this training set.
        WorkError: the disk is full.
    """
    figures = None
    try:
        figures = measure(load_model(package, discriminators=False), real)
    except Exception as error:
        if not_measured is None:
            raise
        not_measured(error)
    content = read_json(package / layout.METADATA, schemas.MODEL)
    content["figures"] = None if figures is None else asdict(figures)
    write_json(package / layout.METADATA, content, schemas.MODEL)
    (package / layout.CARD).write_text(model_card(read_metadata(package, package)), encoding="utf-8")
    return package
