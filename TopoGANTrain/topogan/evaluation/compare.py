"""Compare a synthesis with the held-out patients of a training set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from topogan.evaluation.report import (
    Metric,
    Report,
    metric_to_json,
    report_paths,
    write_report_json,
)
from topogan.evaluation.sections import memorization_section, shape_section, texture_section, topology_section
from topogan.evaluation.sets import ThreeSets, open_sets
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.wording import verdict_sentence
from topogan.metrics.topology import betti_histogram
from topogan.training_set import TrainingSet

OnEvent = Callable[[dict[str, Any]], None]


def evaluate(
    synthesis: Path,
    training_set: Path,
    report: Path | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
) -> Report:
    """Compute every metric of a synthesis beside the same metric of real data.

    Args:
        synthesis: folder made by ``topogan synthesize``.
        training_set: the training set of the model; its held-out patients are the yardstick.
        report: page to write (``out.html``), with ``out.json`` beside it; None writes nothing.
        overwrite: replace an existing report.
        on_event: takes progress events.

    Raises:
        InputError: a folder is missing or damaged, the two do not belong together, or the report exists.
    """
    paths = report_paths(Path(report), overwrite) if report is not None else None
    samples, real = SyntheticSet.open(Path(synthesis)), TrainingSet.open(Path(training_set))
    sets = open_sets(samples, real)
    wanted = samples.requested
    sections: list[Callable[[], list[Metric]]] = [
        lambda: topology_section(sets, real.modal_betti, wanted),
        lambda: shape_section(sets),
        lambda: memorization_section(sets, real),
        lambda: texture_section(sets, real.intensity),
    ]
    metrics: list[Metric] = []
    for done, section in enumerate(sections, start=1):
        metrics += section()
        if on_event:
            on_event({"kind": "step", "stage": "evaluate", "step": done, "total": len(sections), "values": {}})
    verdict = verdict_sentence(sets, wanted or real.modal_betti)
    content = {"verdict": verdict, **_content(samples, real, sets), "metrics": [metric_to_json(m) for m in metrics]}
    if paths is None:
        return Report(verdict, metrics, content)
    write_report_json(paths[1], content)
    return Report(verdict, metrics, content, paths[0])


def _content(samples: SyntheticSet, real: TrainingSet, sets: ThreeSets) -> dict[str, Any]:
    named = {"synthetic": sets.synthetic, "training": sets.training, "held_out": sets.held_out}
    return {
        "structure": real.structure,
        "size": real.size,
        "pixel_size_mm": real.pixel_size,
        "independent": real.independent,
        "requested_betti": samples.requested,
        "modal_betti": list(real.modal_betti),
        "training_set_hash": real.content_hash,
        "counts": {
            "synthetic": len(samples.masks),
            "training": len(real.train),
            "held_out": len(real.held_out),
            "compared": {name: len(found) for name, found in named.items()},
        },
        "betti": {
            name: {f"{b0},{b1}": share for (b0, b1), share in betti_histogram(found.betti).items()}
            for name, found in named.items()
        },
    }
