"""The patients: some to choose from for the training, always the same for validation and for the test."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from ablation.sets import cache_folder

from topogan.config import PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import read_plane
from topogan.presets import read_preset
from topogan.training_set import TrainingSet
from topogan.volumes import find_pairs

_PATIENTS, _PHASES, _SEED = 20, 5, 2


@dataclass(frozen=True)
class Source:
    """Where patients come from, and what each is for, by its place among the sorted names."""

    build: Callable[[Path], None]
    most: int
    """Patients that a seed can train on: its own, none of them another seed's."""
    validation: tuple[int, ...]
    test: tuple[int, ...]


def _phantom(out: Path) -> None:
    """Short-axis slices of the myocardium with their CT, as the demo cuts them."""
    preset = read_preset("demo")
    cut = {**preset["prepare"], **preset["demo"]["prepare"]}
    with tempfile.TemporaryDirectory() as scratch:
        seen = PhantomSettings(patients=_PATIENTS, phases=_PHASES, seed=_SEED)
        phantom = make_phantom(Path(scratch) / "phantom", seen)
        segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
        settings = PrepareSettings(structure="myocardium", labels=(STRUCTURES["myocardium"],), **cut)
        prepare(out, segmentations, images, settings, plane=read_plane(str(phantom / "planes.json")))


SOURCES = {"phantom": Source(_phantom, most=4, validation=(12, 13), test=tuple(range(14, 20)))}


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
