"""The patients: some to choose from for the training, always the same for validation and for the test."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ablation.sets import cache_folder

from topogan.config import PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.dataset.chunks import CaseReader
from topogan.dataset.cut import Patches
from topogan.dataset.inputs import open_cases
from topogan.dataset.plan import large_enough, plan_case
from topogan.dataset.write import TrainingSetWriter
from topogan.files import staged_folder
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import Plane, read_plane
from topogan.presets import read_preset
from topogan.structures import Structure, StructureTable
from topogan.training_set import SCHEMA, TRAIN, TrainingSet
from topogan.volumes import find_pairs

_PATIENTS, _PHASES, _SEED = 20, 5, 2
_SEGMENTED = "myocardium"


@dataclass(frozen=True)
class Source:
    """Where patients come from, and what each is for, by its place among the sorted names."""

    build: Callable[[Path], None]
    most: int
    """Patients that a seed can train on: its own, none of them another seed's."""
    validation: tuple[int, ...]
    test: tuple[int, ...]
    segmented: str = ""
    """The set of the same slices that the U-Net learns, where the others are told more than what it segments."""


class _Phantom(NamedTuple):
    segmentations: list[Path]
    images: list[Path]
    plane: Plane
    settings: PrepareSettings
    """Short-axis slices of the myocardium, as the demo cuts them."""


@contextmanager
def _made() -> Iterator[_Phantom]:
    preset = read_preset("demo")
    cut = {**preset["prepare"], **preset["demo"]["prepare"]}
    with tempfile.TemporaryDirectory() as scratch:
        seen = PhantomSettings(patients=_PATIENTS, phases=_PHASES, seed=_SEED)
        phantom = make_phantom(Path(scratch) / "phantom", seen)
        found = find_pairs([phantom / "segmentations"], [phantom / "images"])
        settings = PrepareSettings(structure=_SEGMENTED, labels=(STRUCTURES[_SEGMENTED],), **cut)
        yield _Phantom(*found, read_plane(str(phantom / "planes.json")), settings)


def _phantom(out: Path) -> None:
    """The myocardium with its CT."""
    with _made() as made:
        prepare(out, made.segmentations, made.images, made.settings, plane=made.plane)


def _phantom_structures(out: Path) -> None:
    """The slices of ``phantom`` to the pixel, with label maps of all six structures; the first is the myocardium.

    They are cut around the myocardium, and the others go on beyond the edges, as in tiles.
    """
    same = open_patients("phantom", 1, 0)
    names = sorted(STRUCTURES, key=lambda name: name != _SEGMENTED)
    table = StructureTable(structures=tuple(Structure(name=name, labels=(STRUCTURES[name],)) for name in names))
    patches = Patches(same.size, same.pixel_size)
    with _made() as made, staged_folder(out, False, SCHEMA) as folder:
        settings = made.settings.model_copy(update={"tiling": True})
        one = StructureTable.of_one(made.settings)
        cases = open_cases(made.segmentations, made.images, made.settings, one, None, made.plane)
        with TrainingSetWriter(folder, settings, table, patches, with_images=True) as writer:
            for case in cases:
                plans = large_enough(plan_case(case, made.settings, 0.0, lambda: None), same.pixel_size).patches
                reader = CaseReader(replace(case, table=table), made.settings, patches)
                for chunk in reader.chunks(plans):
                    writer.add_chunk(chunk, case, [TRAIN] * len(chunk.plans))
                writer.add_volume(case.patient, reader.content_hash)
        writer.describe("given", True, same.image_pixel_size)
    told = TrainingSet.open(out)
    assert same.images is not None and told.images is not None
    assert same.patients == told.patients and np.array_equal(same.images[:], told.images[:])


_PHANTOM = Source(_phantom, most=4, validation=(12, 13), test=tuple(range(14, 20)))
SOURCES = {
    "phantom": _PHANTOM,
    "phantom_structures": replace(_PHANTOM, build=_phantom_structures, segmented="phantom"),
}


def open_patients(name: str, patients: int, seed: int) -> TrainingSet:
    """The set with so many patients to train on; a larger number holds those of a smaller one."""
    folder = cache_folder() / "sets" / f"downstream-{name}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        SOURCES[name].build(folder)
    source, whole = SOURCES[name], TrainingSet.open(folder)
    names = sorted(set(whole.patients))
    first = seed * source.most
    places = {"train": range(first, first + patients), "validation": source.validation, "test": source.test}
    rows = {part: np.flatnonzero(np.isin(whole.patients, [names[n] for n in some])) for part, some in places.items()}
    topologies = Counter(tuple(map(tuple, betti)) for betti in whole.betti[rows["train"]].tolist())
    return replace(whole, **rows, modal_betti=topologies.most_common(1)[0][0])
