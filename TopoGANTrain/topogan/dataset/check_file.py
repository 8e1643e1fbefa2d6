"""What a person should know of a training set before hours of training: ``check.json``, which a panel shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topogan.dataset.write import SliceRow, VolumeRow
from topogan.files import write_json
from topogan.structures import StructureTable
from topogan.training_set import PARTS, TrainingSet
from topogan_contract import schemas
from topogan_contract.preparation import CHECK_FILE

_UNION = "#000000"


def write_check(
    folder: Path, training_set: TrainingSet, rows: Sequence[SliceRow | VolumeRow], remarks: Sequence[str]
) -> None:
    """Write ``check.json`` with the schema :data:`topogan_contract.schemas.CHECK`.

    Args:
        folder: of the training set.
        training_set: is in it.
        rows: its table.
        remarks: sentences that the preparation has said.
    """
    content = {
        "title": training_set.table.title,
        "axes": training_set.axes,
        "noun": training_set.noun,
        "patients": _patients(rows),
        "regions": _regions(training_set.table, rows),
        "pixel_size_mm": training_set.pixel_size,
        "size": training_set.size,
        "verdict": verdict(training_set),
        "remarks": list(remarks),
    }
    write_json(folder / CHECK_FILE, content, schemas.CHECK)


def verdict(training_set: TrainingSet) -> str:
    """Say in a sentence whether a training set is enough.

    A set that exists holds what masks need, :data:`topogan.training_set.MINIMUM_TRAIN_SLICES` to train on and one to
    test on. Textures need images besides; a test on other patients needs two patients, and validation on yet others a
    third.
    """
    patients, samples = len(set(training_set.patients)), len(training_set.masks)
    parts = "masks and textures" if training_set.images is not None else "masks, without images not for textures"
    said = f"{_count(patients, 'patient')}, {_count(samples, training_set.noun)}: enough for {parts}"
    if not training_set.independent:
        return f"{said}; no patient is left for the test."
    tested = len({training_set.patients[row] for row in training_set.test.tolist()})
    said += f"; {_count(tested, 'patient')} for the test"
    return f"{said}." if len(training_set.validation) else f"{said}, and none for validation."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _patients(rows: Sequence[SliceRow | VolumeRow]) -> list[dict[str, Any]]:
    """How many phases and samples of each part there are of each patient, by pseudonym."""
    found = []
    for patient in dict.fromkeys(row.patient for row in rows):
        own = [row for row in rows if row.patient == patient]
        parts = Counter(row.split for row in own)
        phases = len({row.phase for row in own})
        found.append({"patient": patient, "phases": phases, **{part: parts[part] for part in PARTS}})
    return found


def _regions(table: StructureTable, rows: Sequence[SliceRow | VolumeRow]) -> list[dict[str, Any]]:
    """The Betti numbers of each region with the samples of each part that have them, most frequent first."""
    colors = [one.color for one in table.without_context.structures]
    found = []
    for number, region in enumerate(table.regions):
        counts = {part: Counter(row.betti[number] for row in rows if row.split == part) for part in PARTS}
        every = Counter(row.betti[number] for row in rows)
        betti = [
            {"topology": ",".join(map(str, one)), **{part: counts[part][one] for part in PARTS}}
            for one, _ in every.most_common()
        ]
        found.append({"name": region.name, "color": colors[number] if number < len(colors) else _UNION, "betti": betti})
    return found
