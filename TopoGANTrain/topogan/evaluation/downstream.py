"""Do synthetic slices help? A U-Net trained on real, on synthetic and on both, compared on test patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.config import DownstreamSettings
from topogan.device import choose_device
from topogan.errors import InputError
from topogan.evaluation.report import number
from topogan.evaluation.segmentation import SegmentationScores, segmentation_scores
from topogan.evaluation.segmentation_network import predict, train_network
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.files import check_new_file, remove_leftovers, write_json
from topogan.training_set import TrainingSet

SCHEMA = "topogan.downstream/1"

OnEvent = Callable[[dict[str, Any]], None]
Slices = tuple[NDArray[np.int16], NDArray[Any]]


@dataclass(frozen=True)
class DownstreamReport:
    """Scores of each kind of training data on the same test slices."""

    by_data: dict[str, list[SegmentationScores]]
    """``real``, ``synthetic``, ``real and synthetic``: one entry per seed."""

    def summary(self) -> str:
        """A plain table of the means over the seeds."""
        names = list(SegmentationScores.UNITS)
        lines = ["  ".join([f"{'trained on':20}", *(f"{name:>20}" for name in names)])]
        for data, scores in self.by_data.items():
            cells = [number(_mean([getattr(score, name) for score in scores])) for name in names]
            lines.append("  ".join([f"{data:20}", *(f"{cell:>20}" for cell in cells)]))
        return "\n".join(lines)


def downstream(
    synthesis: Path,
    training_set: Path,
    out: Path | None = None,
    settings: DownstreamSettings | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
) -> DownstreamReport:
    """Train the same U-Net on real, on synthetic and on both kinds of slices, and try it on the test patients.

    All networks have the same number of steps, the same augmentation and the same first weights for a seed, so that
    only the data differ. Of several structures one network segments all; scores are means over them. Source of the
    protocol: Wang et al., ECCV 2020, Table 2.

    Args:
        synthesis: folder made by ``topogan synthesize`` with textures.
        training_set: with images; its training patients are the real data, its test patients what is segmented.
        out: JSON file to write; None writes nothing.
        settings: of the trainings.
        overwrite: replace an existing file.
        on_event: takes progress events.

    Raises:
        InputError: a folder is missing, damaged, without images or of volumes, or ``out`` exists or cannot be written.
        WorkError: the disk is full; nothing is written then.
    """
    settings = settings or DownstreamSettings()
    if out is not None:
        check_new_file(Path(out), overwrite, SCHEMA)
        remove_leftovers(Path(out))
    device = choose_device(settings.device)
    real = TrainingSet.open(Path(training_set))
    if real.axes == 3:
        raise InputError(f"{training_set} holds volumes: the network of a downstream segmentation takes slices alone.")
    samples = SyntheticSet.open(Path(synthesis))
    if samples.axes == 3:
        raise InputError(f"{synthesis} holds volumes: the network of a downstream segmentation takes slices alone.")
    if samples.textures is None or real.images is None or real.window is None:
        raise InputError("A downstream segmentation needs images: the synthesis and the training set must have them.")
    if samples.table.names != real.table.names and max(len(samples.table), len(real.table)) > 1:
        raise InputError(f"The samples show {samples.table.title} and the training set {real.table.title}.")
    several = len(real.table) > 1
    real_slices = real.images[real.train], _masks(real, real.train)
    synthetic = samples.textures, samples.labels if several else samples.labels == 1
    images, masks = (np.concatenate(pair) for pair in zip(real_slices, synthetic, strict=True))
    data: dict[str, Slices] = {"real": real_slices, "synthetic": synthetic, "real and synthetic": (images, masks)}
    test_images, truth = real.images[real.test], _masks(real, real.test)
    by_data: dict[str, list[SegmentationScores]] = {name: [] for name in data}
    total, done = settings.seeds * len(data), 0
    for seed in range(settings.seeds):
        for name, slices in data.items():
            network = train_network(*slices, real.window, settings, seed, device, len(real.table))
            predicted = predict(network, test_images, real.window, settings.batch, device)
            scores = _scores(predicted, truth, real)
            by_data[name].append(scores)
            done += 1
            if on_event:
                values = {"dice": scores.dice}
                on_event({"kind": "step", "stage": "downstream", "step": done, "total": total, "values": values})
    report = DownstreamReport(by_data)
    if out is not None:
        write_json(Path(out), _content(report, settings, real), SCHEMA)
    return report


def _masks(real: TrainingSet, rows: NDArray[np.int64]) -> NDArray[Any]:
    return real.masks[rows] if len(real.table) > 1 else real.region_masks(rows)


def _scores(predicted: NDArray[Any], truth: NDArray[Any], real: TrainingSet) -> SegmentationScores:
    """Scores of the structure; of several the mean over them, each where it is."""
    if len(real.table) == 1:
        return segmentation_scores(predicted, truth, real.pixel_size)
    found = []
    for label in range(1, len(real.table) + 1):
        here = (truth == label).any(axis=(1, 2))
        if here.any():
            found.append(segmentation_scores(predicted[here] == label, truth[here] == label, real.pixel_size))
    means = {name: _mean([getattr(score, name) for score in found]) for name in SegmentationScores.UNITS}
    return SegmentationScores(**means)  # type: ignore[arg-type]  # hd95 alone can be None


def _content(report: DownstreamReport, settings: DownstreamSettings, real: TrainingSet) -> dict[str, Any]:
    return {
        "settings": settings.model_dump(mode="json"),
        "training_set_hash": real.content_hash,
        "independent": real.independent,
        "units": SegmentationScores.UNITS,
        "by_seed": {data: [asdict(score) for score in scores] for data, scores in report.by_data.items()},
        "mean": {
            data: {name: _mean([getattr(score, name) for score in scores]) for name in SegmentationScores.UNITS}
            for data, scores in report.by_data.items()
        },
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
