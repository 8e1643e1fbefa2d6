"""What is known of a training set before any training, read from the files that the engine puts into it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan_contract import schemas
from topogan_contract.preparation import CHECK_FILE
from topogan_contract.schemas import find_json, read_json
from topogan_contract.words import shown

PREVIEW_FILE = "preview.png"
DATASET_FILE = "dataset.json"

PARTS = ("train", "validation", "test")
"""What a training set is split into."""

_MOST_ROWS = 10_000
_LONGEST_SENTENCE = 1000
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_GRAY = "#808080"


@dataclass(frozen=True)
class PatientRow:
    """One patient of a training set."""

    patient: str
    phases: int
    counts: tuple[int, ...]
    """Samples in each of :data:`PARTS`."""


@dataclass(frozen=True)
class RegionRow:
    """Which topologies a structure, or a union of structures, has in the samples."""

    name: str
    color: tuple[float, float, float]
    """Red, green, blue, 0 to 1."""
    topologies: tuple[tuple[str, int], ...]
    """Betti numbers, such as ``"1,1"``, and in how many samples of all parts; the most frequent first."""


@dataclass(frozen=True)
class DataCheck:
    """What ``check.json`` says of a training set."""

    title: str
    axes: int
    """2 for slices, 3 for volumes."""
    size: int
    pixel_size: float
    """mm."""
    verdict: str
    remarks: tuple[str, ...]
    patients: tuple[PatientRow, ...]
    regions: tuple[RegionRow, ...]

    @property
    def samples(self) -> int:
        """How many slices or volumes there are."""
        return sum(sum(row.counts) for row in self.patients)

    @property
    def training_samples(self) -> int:
        """How many of them networks learn from."""
        return sum(row.counts[0] for row in self.patients)


@dataclass(frozen=True)
class SetForm:
    """What an estimate has to know of a training set."""

    size: int = 64
    axes: int = 2
    structures: int = 1
    samples: int = 0
    """0 where nobody knows yet, as for those of training."""
    training_samples: int = 0


def read_check(training_set: Path) -> DataCheck | None:
    """Read ``check.json``; None where there is none (sets of older versions), or another file of this name."""
    content = find_json(training_set / CHECK_FILE, schemas.CHECK)
    if content is None:
        return None
    patients, regions = _rows(content.get("patients")), _rows(content.get("regions"))
    return DataCheck(
        title=shown(content.get("title", "")),
        axes=3 if content.get("axes") == 3 else 2,
        size=_count(content.get("size")),
        pixel_size=_positive(content.get("pixel_size_mm")),
        verdict=shown(content.get("verdict", ""), _LONGEST_SENTENCE),
        remarks=tuple(shown(one, _LONGEST_SENTENCE) for one in _list(content.get("remarks"))),
        patients=tuple(_patient(row) for row in patients),
        regions=tuple(_region(row) for row in regions),
    )


def read_form(training_set: Path) -> SetForm:
    """Read of a training set, be it of an older version, what it is made of; the smallest where that is not said."""
    try:
        content = read_json(training_set / DATASET_FILE)
    except (OSError, ValueError):
        return SetForm()
    if not isinstance(content, dict):
        return SetForm()
    table, counts = content.get("table"), content.get("counts")
    structures = _list(table.get("structures")) if isinstance(table, Mapping) else []
    samples, training = (_count(counts.get(name)) if isinstance(counts, Mapping) else 0 for name in ("total", PARTS[0]))
    size = _count(content.get("size")) or SetForm.size
    return SetForm(size, 3 if content.get("axes") == 3 else 2, max(1, len(structures)), samples, training)


def _patient(row: Mapping[str, Any]) -> PatientRow:
    counts = tuple(_count(row.get(part)) for part in PARTS)
    return PatientRow(shown(row.get("patient", "")), _count(row.get("phases")), counts)


def _region(row: Mapping[str, Any]) -> RegionRow:
    topologies = [(shown(one.get("topology", "")), _all(one)) for one in _rows(row.get("betti"))]
    color = str(row.get("color", ""))
    color = color if _COLOR.fullmatch(color) else _GRAY
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return RegionRow(shown(row.get("name", "")), (red, green, blue), tuple(topologies))


def _all(row: Mapping[str, Any]) -> int:
    return sum(_count(row.get(part)) for part in PARTS)


def _rows(value: Any) -> list[Mapping[str, Any]]:
    return [row for row in _list(value) if isinstance(row, Mapping)]


def _list(value: Any) -> list[Any]:
    return value[:_MOST_ROWS] if isinstance(value, list) else []


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else 0


def _positive(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 1e6 else 0.0
