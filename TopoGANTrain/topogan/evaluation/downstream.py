"""Do synthetic slices help? The same U-Net, trained with and without them, compared on test patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topogan.config import DownstreamSettings
from topogan.device import choose_device
from topogan.errors import InputError
from topogan.evaluation.downstream_report import AUGMENTED, BOTH, OWN, REAL, SYNTHETIC, DownstreamReport
from topogan.evaluation.own_masks import painted_own_masks
from topogan.evaluation.segmentation import SegmentationScores, segmentation_scores
from topogan.evaluation.segmentation_augmentation import Augmentation
from topogan.evaluation.segmentation_network import Slices, predict, train_network
from topogan.evaluation.sets import check_alike
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.files import check_new_file, remove_leftovers, write_json
from topogan.model import Model, load_model
from topogan.training_set import TrainingSet
from topogan_contract import schemas

# Other kinds of data, and weaker augmentation.
_OLDER = "topogan.downstream/1"

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Arm:
    """One kind of training data."""

    name: str
    parts: list[Slices]
    """Real slices, and what is mixed with them."""
    augmentation: Augmentation | None
    """None: slices are seen as they are."""


def downstream(
    synthesis: Path,
    training_set: Path,
    out: Path | None = None,
    settings: DownstreamSettings | None = None,
    model: Path | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
) -> DownstreamReport:
    """Train the same U-Net on real slices, with and without augmentation and synthetic ones, and try it on the test
    patients.

    All networks have the same number of steps and the same first weights for a seed, so that only the data differ. Of
    several structures one network segments all; scores are means over them. Source of the protocol: Wang et al., ECCV
    2020, Table 2, which has no augmentation; here it is the rival.

    Args:
        synthesis: folder made by ``topogan synthesize`` with textures.
        training_set: with images; its training patients are the real data, its test patients what is segmented.
        out: JSON file to write; None writes nothing.
        settings: of the trainings.
        model: package with textures: also compare with the training masks themselves, deformed and painted by it.
        overwrite: replace an existing file.
        on_event: takes progress events.

    Raises:
        InputError: a folder is missing, damaged, without images or of volumes, or the samples are of another size,
            pixel size or kind of intensity or of other structures, or ``out`` exists or cannot be written.
        WorkError: the disk is full; nothing is written then.
    """
    settings = settings or DownstreamSettings()
    if out is not None:
        check_new_file(Path(out), overwrite, schemas.DOWNSTREAM, _OLDER)
        remove_leftovers(Path(out))
    device = choose_device(settings.device)
    whole, samples = _opened(Path(training_set), Path(synthesis))
    real = whole.without_context
    painter = None if model is None else load_model(Path(model), discriminators=False)
    arms = _arms(real, samples)
    if painter is not None:
        images, labels = painted_own_masks(painter, whole, len(samples.labels))
        masks = labels if len(real.table) > 1 else labels == 1
        own = arms[0].parts[0], (images, masks)
        arms.append(Arm(OWN, list(own), Augmentation(outside=real.outside)))
    by_data: dict[str, list[SegmentationScores]] = {arm.name: [] for arm in arms}
    total, done = settings.seeds * len(arms), 0
    for seed in range(settings.seeds):
        for arm in arms:
            scores = scores_of(arm, real, real.test, settings, seed, device)
            by_data[arm.name].append(scores)
            done += 1
            if on_event:
                values = {"dice": scores.dice}
                on_event({"kind": "step", "stage": "downstream", "step": done, "total": total, "values": values})
    patients = len({real.patients[row] for row in real.train.tolist()})
    report = DownstreamReport(by_data, patients, _notes(real, samples, painter))
    if out is not None:
        content = {"settings": settings.model_dump(mode="json"), "training_set_hash": real.content_hash}
        write_json(Path(out), {**content, "independent": real.independent, **report.content()}, schemas.DOWNSTREAM)
    return report


def scores_of(
    arm: Arm,
    real: TrainingSet,
    rows: NDArray[np.int64],
    settings: DownstreamSettings,
    seed: int,
    device: torch.device,
) -> SegmentationScores:
    """Train on one kind of data, and segment some rows of the set."""
    assert real.images is not None and real.window is not None
    network = train_network(arm.parts, real.window, settings, seed, device, len(real.table), arm.augmentation)
    predicted = predict(network, real.images[rows], real.window, settings.batch, device)
    return scores_of_parts(predicted, true_masks(real, rows), real)


def true_masks(real: TrainingSet, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Bool [n, H, W], or label ids of several structures."""
    return real.masks[rows] if len(real.table) > 1 else real.region_masks(rows)


def _opened(training_set: Path, synthesis: Path) -> tuple[TrainingSet, SyntheticSet]:
    real = TrainingSet.open(training_set)
    if real.axes == 3:
        raise InputError(f"{training_set} holds volumes: the network of a downstream segmentation takes slices alone.")
    samples = SyntheticSet.open(synthesis)
    if samples.axes == 3:
        raise InputError(f"{synthesis} holds volumes: the network of a downstream segmentation takes slices alone.")
    if samples.textures is None or real.images is None or real.window is None:
        raise InputError("A downstream segmentation needs images: the synthesis and the training set must have them.")
    check_alike(samples, real)
    shown = samples.table, real.table.without_context
    if shown[0].names != shown[1].names and max(map(len, shown)) > 1:
        raise InputError(f"The samples show {shown[0].title} and the training set {shown[1].title}.")
    return real, samples


def _arms(real: TrainingSet, samples: SyntheticSet) -> list[Arm]:
    assert real.images is not None and samples.textures is not None
    own = real.images[real.train], true_masks(real, real.train)
    synthetic = samples.textures, samples.labels if len(real.table) > 1 else samples.labels == 1
    strong = Augmentation(outside=real.outside)
    return [
        Arm(REAL, [own], None),
        Arm(AUGMENTED, [own], strong),
        Arm(SYNTHETIC, [own, synthetic], None),
        Arm(BOTH, [own, synthetic], strong),
    ]


def _notes(real: TrainingSet, samples: SyntheticSet, painter: Model | None) -> tuple[str, ...]:
    notes = []
    if not real.independent:
        notes.append("Training and test slices are of one patient: others will be segmented worse.")
    if samples.training_set_hash != real.content_hash:
        notes.append("The samples' model saw another training set: if it holds these test patients, this is no test.")
    if painter is not None and painter.metadata.training_set.content_hash != real.content_hash:
        notes.append(
            "The model that paints your own masks saw another training set: if it holds these test patients, "
            "that rival is no test."
        )
    return tuple(notes)


def scores_of_parts(predicted: NDArray[Any], truth: NDArray[Any], real: TrainingSet) -> SegmentationScores:
    """Scores of the structure; of several the mean over them, each where it is."""
    if len(real.table) == 1:
        return segmentation_scores(predicted, truth, real.pixel_size)
    found = []
    for label in range(1, len(real.table) + 1):
        here = (truth == label).any(axis=(1, 2))
        if here.any():
            found.append(segmentation_scores(predicted[here] == label, truth[here] == label, real.pixel_size))
    by_name = {name: [getattr(score, name) for score in found] for name in SegmentationScores.UNITS}
    known = {name: [value for value in values if value is not None] for name, values in by_name.items()}
    return SegmentationScores(**{name: fmean(values) if values else None for name, values in known.items()})  # type: ignore[arg-type]  # hd95 alone can be None
