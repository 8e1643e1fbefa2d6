"""Compare a synthesis with the test patients of a training set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from topogan.evaluation.cases import best, worst
from topogan.evaluation.comparison import write_comparison
from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.memorization_section import texture_rows
from topogan.evaluation.page import make_page
from topogan.evaluation.report import Metric, Report, metric_to_json, report_paths, write_report
from topogan.evaluation.sections import SECTIONS, Comparison
from topogan.evaluation.sets import SliceSet, open_sets
from topogan.evaluation.structures_section import EVERY
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.wording import Words, findings, structures_sentence, topology_sentence, warning_sentences
from topogan.files import check_new_folder
from topogan.metrics.topology import betti_histogram
from topogan.training_set import TrainingSet
from topogan_contract import schemas

OnEvent = Callable[[dict[str, Any]], None]


def evaluate(
    synthesis: Path,
    training_set: Path,
    report: Path | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    feature_network: Path | None = None,
    comparison: Path | None = None,
) -> Report:
    """Compute every metric of a synthesis beside the same metric of real data.

    Args:
        synthesis: folder made by ``topogan synthesize``.
        training_set: the training set of the model; its test patients are what samples are compared with.
        report: page to write (``out.html``), with ``out.json`` beside it; None writes nothing.
        overwrite: replace an existing report.
        on_event: takes progress events.
        feature_network: weights of a ResNet-50 for KID (see :class:`FeatureNetwork`); None leaves KID out.
        comparison: folder to write for a panel, with the nearest training samples (which are of patients); see
            :mod:`topogan_contract.comparison`. None writes none.

    Raises:
        InputError: a folder is missing or damaged, the two do not belong together, or the report exists.
    """
    if comparison is not None:
        check_new_folder(Path(comparison), overwrite, schemas.COMPARISON)
    paths = report_paths(Path(report), overwrite) if report is not None else None
    network = FeatureNetwork(Path(feature_network)) if feature_network is not None else None
    samples, real = SyntheticSet.open(Path(synthesis)), TrainingSet.open(Path(training_set)).without_context
    found = Comparison(samples, real, open_sets(samples, real), network)
    metrics: list[Metric] = []
    for step, section in enumerate(SECTIONS.values(), start=1):
        metrics += section(found)
        if on_event:
            on_event({"kind": "step", "stage": "evaluate", "step": step, "total": len(SECTIONS), "values": {}})
    said = findings(metrics, found.audit, found.sets.terms, found.membership, found.foreign, real.independent)
    words = Words(
        conclusion=_conclusion(found, metrics),
        findings=[samples.copies_said, *said] if samples.copies_said else said,
        warnings=warning_sentences(samples, real, found.audit),
    )
    content = _content(found, metrics, words)
    if comparison is not None:
        write_comparison(Path(comparison), found, metrics, words, overwrite)
    if paths is not None:
        write_report(paths, make_page(found, metrics, words).html(), content)
    return Report(words.conclusion, metrics, content, paths[0] if paths else None)


def _conclusion(found: Comparison, metrics: list[Metric]) -> str:
    if not found.several:
        return topology_sentence(found.sets, found.samples, found.expected)
    return structures_sentence(next(metric for metric in metrics if metric.name == EVERY), found.samples)


def _content(found: Comparison, metrics: list[Metric], words: Words) -> dict[str, Any]:
    """All that the JSON file holds: no path, no name, only rows, pseudonyms and hashes."""
    samples, real, sets = found.samples, found.real, found.sets
    return {
        # The key that readers of reports know.
        "verdict": words.conclusion,
        "findings": words.findings,
        "warnings": words.warnings,
        "structure": real.table.title,
        "axes": real.axes,
        "size": real.size,
        "pixel_size_mm": real.pixel_size,
        "independent": real.independent,
        "requested_betti": samples.requested if found.several else found.requested,
        "accepted_percent": samples.accepted_percent,
        "cleaned_below_pixels": samples.cleaned_below,
        "copies_left_out": samples.copies_left_out,
        "modal_betti": real.modal_betti if found.several else list(real.modal_betti[0]),
        "training_set_hash": real.content_hash,
        "model_hash": samples.model_hash,
        "model_training_set_hash": samples.training_set_hash,
        "counts": {
            "synthetic": len(samples.labels),
            "training": len(real.train),
            "test": len(real.test),
            "compared": {name: len(part) for name, part in sets.named.items()},
        },
        "betti": {name: _betti(found, part) for name, part in found.labels.named.items()},
        "metrics": [metric_to_json(metric) for metric in metrics],
        "memorization": _memorization(found),
        "best": [asdict(case) for case in best(found.cases)],
        "worst": [asdict(case) for case in worst(found.cases, found.wanted)],
    }


def _memorization(found: Comparison) -> dict[str, Any]:
    audit = found.audit
    content = {
        "reference_dice": audit.threshold,
        "reference_dice_changed": audit.changed.threshold,
        "flagged": [asdict(found.cases[number]) for number in audit.all_copies.tolist()],
        "flagged_changed": audit.changed_copies.tolist(),
        "closer_percent_changed": audit.changed.closer_percent,
        "equal_to_training": audit.identical.tolist(),
        "equal_to_earlier_sample": audit.repeats.tolist(),
        "membership": asdict(found.membership),
    }
    texture = audit.texture
    if texture is not None:
        content["textures"] = {
            "compared": len(texture.value),
            "training_compared": len(texture_rows(found.real)),
            "reference_correlation": texture.threshold,
            "flagged": [
                {
                    "sample": number,
                    "correlation": float(texture.value[number]),
                    "nearest_training_row": int(texture.nearest[number]),
                }
                for number in audit.texture_copies.tolist()
            ],
        }
    return content


def _betti(found: Comparison, part: SliceSet) -> dict[str, Any]:
    """Shares of each (b0, b1), of volumes (b0, b1, b2); of several structures for each region."""
    regions = {
        region.name: {
            ",".join(map(str, betti)): share for betti, share in betti_histogram(part.betti[:, number]).items()
        }
        for number, region in enumerate(found.real.regions)
    }
    return regions if found.several else next(iter(regions.values()))
