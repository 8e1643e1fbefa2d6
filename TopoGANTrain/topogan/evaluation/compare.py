"""Compare a synthesis with the test patients of a training set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from topogan.evaluation.cases import all_cases, best, worst
from topogan.evaluation.cleaning_section import cleaning_section
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.page import Evaluation, make_page
from topogan.evaluation.report import Report, metric_to_json, report_paths, write_report
from topogan.evaluation.sections import memorization_section, shape_section, texture_section, topology_section
from topogan.evaluation.sets import ThreeSets, open_sets
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.textures import texture_figures
from topogan.evaluation.wording import topology_sentence
from topogan.metrics.memorization import audit
from topogan.metrics.shape import best_matches
from topogan.metrics.topology import betti_histogram
from topogan.training_set import TrainingSet

OnEvent = Callable[[dict[str, Any]], None]


def evaluate(
    synthesis: Path,
    training_set: Path,
    report: Path | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    feature_network: Path | None = None,
) -> Report:
    """Compute every metric of a synthesis beside the same metric of real data.

    Args:
        synthesis: folder made by ``topogan synthesize``.
        training_set: the training set of the model; its test patients are what samples are compared with.
        report: page to write (``out.html``), with ``out.json`` beside it; None writes nothing.
        overwrite: replace an existing report.
        on_event: takes progress events.
        feature_network: TorchScript network for KID (see :class:`FeatureNetwork`); None leaves KID out.

    Raises:
        InputError: a folder is missing or damaged, the two do not belong together, or the report exists.
    """
    paths = report_paths(Path(report), overwrite) if report is not None else None
    network = FeatureNetwork(Path(feature_network)) if feature_network is not None else None
    samples, real = SyntheticSet.open(Path(synthesis)), TrainingSet.open(Path(training_set))
    result = _evaluated(samples, real, network, on_event or _ignore)
    content = _content(result)
    if paths is None:
        return Report(result.verdict, result.metrics, content)
    write_report(paths, make_page(result).html(), content)
    return Report(result.verdict, result.metrics, content, paths[0])


def _ignore(event: dict[str, Any]) -> None:
    """Take an event that nobody waits for."""


def _evaluated(
    samples: SyntheticSet, real: TrainingSet, network: FeatureNetwork | None, on_event: OnEvent
) -> Evaluation:
    stages = iter(range(1, 6))

    def done() -> None:
        on_event({"kind": "step", "stage": "evaluate", "step": next(stages), "total": 5, "values": {}})

    sets = open_sets(samples, real)
    expected = samples.requested or real.modal_betti
    metrics = topology_section(sets, real.modal_betti, samples.requested)
    metrics += cleaning_section(sets, samples, expected)
    done()
    diagrams = DrawnDiagrams(sets)
    metrics += diagram_section(diagrams)
    done()
    metrics += shape_section(sets)
    done()
    textures = texture_figures(sets, network)
    if textures:
        metrics += texture_section(textures, real.intensity)
    done()
    found = audit(samples.masks, sets.test.masks, real.structure_masks, real.train)
    metrics += memorization_section(found)
    dice_to_real = best_matches(samples.masks, sets.test.masks).dice
    cases = all_cases(sets.samples.betti, samples.seeds, expected, found, dice_to_real)
    verdict = topology_sentence(sets, samples, expected)
    done()
    return Evaluation(samples, real, sets, diagrams, textures, found, cases, expected, verdict, metrics)


def _content(result: Evaluation) -> dict[str, Any]:
    """All that the JSON file holds: no path, no name, only rows, pseudonyms and hashes."""
    return {
        "verdict": result.verdict,
        "findings": result.findings(),
        "warnings": result.warnings(),
        "structure": result.real.structure,
        "size": result.real.size,
        "pixel_size_mm": result.real.pixel_size,
        "independent": result.real.independent,
        "requested_betti": result.samples.requested,
        "accepted_percent": result.samples.accepted_percent,
        "cleaned_below_pixels": result.samples.cleaned_below,
        "modal_betti": list(result.real.modal_betti),
        "training_set_hash": result.real.content_hash,
        "model_hash": result.samples.model_hash,
        "model_training_set_hash": result.samples.training_set_hash,
        "counts": _counts(result.samples, result.real, result.sets),
        "betti": {
            name: {f"{b0},{b1}": share for (b0, b1), share in betti_histogram(found.betti).items()}
            for name, found in result.sets.named.items()
        },
        "metrics": [metric_to_json(metric) for metric in result.metrics],
        "memorization": {
            "reference_dice": float(result.audit.threshold),
            "flagged": [asdict(result.cases[number]) for number in result.audit.copies.tolist()],
            "equal_to_training": result.audit.identical.tolist(),
            "equal_to_earlier_sample": result.audit.repeats.tolist(),
        },
        "best": [asdict(case) for case in best(result.cases)],
        "worst": [asdict(case) for case in worst(result.cases, result.expected)],
    }


def _counts(samples: SyntheticSet, real: TrainingSet, sets: ThreeSets) -> dict[str, Any]:
    return {
        "synthetic": len(samples.masks),
        "training": len(real.train),
        "test": len(real.test),
        "compared": {name: len(found) for name, found in sets.named.items()},
    }
