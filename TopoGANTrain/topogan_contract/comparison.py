"""What ``topogan evaluate … --comparison FOLDER`` says to a panel: samples beside real ones, and each sample by itself.

The folder holds ``comparison.json`` of the schema :data:`topogan_contract.schemas.COMPARISON`, with the fields of
:class:`Comparison`, and in ``nearest`` the training sample that is nearest to each sample, in the order of the samples:
laid out as the pictures of a synthesis are (:mod:`topogan_contract.synthesis`), on the same grid. These are real
masks and images of patients.

Both may be a stranger's, and are read within limits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from topogan_contract import schemas
from topogan_contract.words import shown

COMPARISON_FILE = "comparison.json"
NEAREST_FOLDER = "nearest"
QUANTILES = tuple(percent / 20 for percent in range(21))
"""Shares, 0 to 1, whose sizes are told: the smallest, every 5 %, the largest."""
BETTER = ("lower", "higher", "equal to real")

# 24 structures and 12 unions with ten figures each; topologies beyond are counted together.
_MOST_METRICS, _MOST_REGIONS, MOST_TOPOLOGIES = 1000, 36, 40
_MOST_SENTENCES, _LONGEST_SENTENCE, _LONGEST_NAME = 20, 1000, 100
_MOST_SAMPLES = 1 << 20
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_TOPOLOGY = re.compile(r"[0-9]{1,7}(,[0-9]{1,7}){1,2}")
_TEXT_BYTES = 16 << 20


@dataclass(frozen=True)
class MetricRow:
    """One figure of the samples beside the same figure of real ones."""

    name: str
    structure: str
    """Structure or union that it is of; empty where it is of all, or there is but one."""
    samples: float | None
    """None where the figure is not defined."""
    real: float | None
    """Real samples against real samples."""
    unit: str
    """Empty where the figure has none."""
    better: str
    """One of :data:`BETTER`."""
    beside: str
    """How both stand to each other, in words: "as real", "2.1 times real"."""
    meaning: str
    """One sentence."""


@dataclass(frozen=True)
class RegionFigures:
    """What is drawn of one structure or union."""

    name: str
    color: str
    """``#rrggbb``; of a union that of its first structure."""
    topologies: tuple[tuple[str, float, float], ...]
    """Betti numbers, such as ``"1,1"``; the share of the samples and of real test samples that have them, 0 to 1. The
    most frequent real one first, at most :data:`MOST_TOPOLOGIES`."""
    samples: tuple[float, ...]
    """Sizes at :data:`QUANTILES` of the samples that show it, rising; empty where none does."""
    real: tuple[float, ...]
    """The same of real test samples."""


@dataclass(frozen=True)
class SampleRow:
    """One sample, in the order of the synthesis."""

    rank: int
    """1 is the most real sample; each number from 1 to the number of samples once."""
    verdict: str
    """On its topology, and whether it is a possible copy."""
    copy: bool
    """Whether it comes closer to a training sample than any test sample does: its mask, shifted, scaled, turned
    (slices) or mirrored as well, or the grain of its texture."""
    training_row: int
    """Row in the training set of the training sample that is nearest to it: by its mask, but where its texture alone is
    a possible copy, the one whose image it copies."""
    dice_to_training: float
    """Dice with the nearest mask, 0 to 1; of a changed copy after both were brought to one place and size."""
    test_row: int
    """The same of the test samples."""
    dice_to_test: float


@dataclass(frozen=True)
class Comparison:
    """The content of ``comparison.json``."""

    conclusion: str
    """One sentence: what to know first."""
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    """What makes the figures less trustworthy, or the samples dangerous."""
    axes: int
    """2 for slices, 3 for volumes."""
    unit: str
    """Of sizes: ``mm²``, ``ml``."""
    held_out_mean: float
    """Mean Dice of a test sample with the training sample nearest to it: how alike patients are."""
    held_out_deviation: float
    """Standard deviation of the same."""
    held_out_largest: float
    """The largest of the same: what comes closer is a possible copy."""
    metrics: tuple[MetricRow, ...]
    regions: tuple[RegionFigures, ...]
    samples: tuple[SampleRow, ...]
    foreign: bool = False
    """Whether the model has learned from other patients than these, so that no sample is called a copy."""

    @property
    def copies(self) -> int:
        """Number of samples that are possible copies."""
        return sum(row.copy for row in self.samples)

    @property
    def order(self) -> list[int]:
        """Numbers of the samples, the most real one first."""
        return sorted(range(len(self.samples)), key=lambda number: self.samples[number].rank)


def content_of(comparison: Comparison) -> dict[str, Any]:
    """What stands in the file beside the schema; of metrics, regions and samples a list for each row."""
    content = asdict(comparison)
    for name in ("metrics", "regions", "samples"):
        content[name] = [list(row.values()) for row in content[name]]
    return content


def text_of(comparison: Comparison) -> str:
    """The whole file in one line."""
    return json.dumps({"schema": schemas.COMPARISON, **content_of(comparison)}, allow_nan=False)


def read_comparison(folder: Path) -> Comparison:
    """Read the file in a folder.

    Raises:
        OSError: it is missing, or cannot be read.
        ValueError: it is no such file, or a damaged one.
    """
    return _checked(schemas.read_json(folder / COMPARISON_FILE, _TEXT_BYTES))


def comparison_of(text: str) -> Comparison:
    """Read what :func:`text_of` has written, as a scene may hold it.

    Raises:
        ValueError: it is something else.
    """
    if len(text) > _TEXT_BYTES:
        raise ValueError("larger than any comparison")
    try:
        return _checked(json.loads(text))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _checked(content: Any) -> Comparison:
    if not isinstance(content, Mapping) or content.get("schema") != schemas.COMPARISON:
        raise ValueError("no comparison of this version")
    try:
        samples = tuple(_sample(*row) for row in _list(content["samples"], _MOST_SAMPLES))
        if sorted(row.rank for row in samples) != list(range(1, len(samples) + 1)):
            raise ValueError("ranks that are none")
        return Comparison(
            conclusion=shown(content["conclusion"], _LONGEST_SENTENCE),
            findings=_sentences(content["findings"]),
            warnings=_sentences(content["warnings"]),
            axes=_one_of(content["axes"], (2, 3)),
            unit=shown(content["unit"], _LONGEST_NAME),
            metrics=tuple(_metric(*row) for row in _list(content["metrics"], _MOST_METRICS)),
            regions=tuple(_region(*row) for row in _list(content["regions"], _MOST_REGIONS)),
            samples=samples,
            # Comparisons of older versions do not say it.
            foreign=_one_of(content.get("foreign", False), (False, True)),
            **{name: _share(content[name]) for name in _names("held_out_")},
        )
    except (KeyError, TypeError) as error:
        raise ValueError("something is missing") from error


def _names(start: str) -> list[str]:
    return [field.name for field in fields(Comparison) if field.name.startswith(start)]


def _metric(
    name: Any, structure: Any, samples: Any, real: Any, unit: Any, better: Any, beside: Any, meaning: Any
) -> MetricRow:
    return MetricRow(
        name=shown(name, _LONGEST_NAME),
        structure=shown(structure, _LONGEST_NAME),
        samples=None if samples is None else _number(samples),
        real=None if real is None else _number(real),
        unit=shown(unit, _LONGEST_NAME),
        better=_one_of(better, BETTER),
        beside=shown(beside, _LONGEST_NAME),
        meaning=shown(meaning, _LONGEST_SENTENCE),
    )


def _region(name: Any, color: Any, topologies: Any, samples: Any, real: Any) -> RegionFigures:
    if not isinstance(color, str) or not _COLOR.fullmatch(color):
        raise ValueError("no color")
    found = tuple(_topology(*one) for one in _list(topologies, MOST_TOPOLOGIES))
    return RegionFigures(shown(name, _LONGEST_NAME), color, found, _sizes(samples), _sizes(real))


def _topology(name: Any, samples: Any, real: Any) -> tuple[str, float, float]:
    if not isinstance(name, str) or not _TOPOLOGY.fullmatch(name):
        raise ValueError("no Betti numbers")
    return name, _share(samples), _share(real)


def _sizes(values: Any) -> tuple[float, ...]:
    sizes = tuple(_number(value) for value in _list(values, len(QUANTILES)))
    if len(sizes) not in (0, len(QUANTILES)) or list(sizes) != sorted(sizes):
        raise ValueError("sizes that do not rise")
    return sizes


def _sample(rank: Any, verdict: Any, copy: Any, training: Any, dice: Any, test: Any, other: Any) -> SampleRow:
    if not isinstance(copy, bool):
        raise ValueError("neither a copy nor none")
    said = shown(verdict, _LONGEST_SENTENCE)
    return SampleRow(_count(rank), said, copy, _count(training), _share(dice), _count(test), _share(other))


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("no list, or a longer one than there can be")
    return value


def _sentences(value: Any) -> tuple[str, ...]:
    return tuple(shown(one, _LONGEST_SENTENCE) for one in _list(value, _MOST_SENTENCES))


def _one_of(value: Any, choices: tuple[Any, ...]) -> Any:
    if type(value) is not type(choices[0]) or value not in choices:
        raise ValueError(f"none of {choices}")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise ValueError("no count")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > 1e12:
        raise ValueError("no number")
    return float(value)


def _share(value: Any) -> float:
    if not 0 <= _number(value) <= 1:
        raise ValueError("no share")
    return float(value)
