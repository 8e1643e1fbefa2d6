"""The patients: some to choose from for the training, always the same for validation and for the test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ablation.data import present
from ablation.sets import cache_folder

from topogan.config import Context, Intensity, PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.dataset.chunks import CaseReader
from topogan.dataset.context import context_structures
from topogan.dataset.cut import Patches
from topogan.dataset.inputs import open_cases
from topogan.dataset.plan import large_enough, plan_case
from topogan.dataset.write import TrainingSetWriter
from topogan.files import staged_folder
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import Plane, read_plane
from topogan.presets import read_preset
from topogan.structures import Structure, StructureTable, checked_table
from topogan.training_set import SCHEMA, TRAIN, TrainingSet
from topogan.volumes import find_pairs

_PATIENTS, _PHASES, _SEED = 20, 5, 2
_SEGMENTED = "myocardium"
_CASES = 5
_COLORS = "#ff0000,#00ff00,#0000ff,#ffff00,#00ffff,#ff00ff,#808080,#ffffff"


@dataclass(frozen=True)
class Source:
    """Where patients come from, and what each is for, by its place among the sorted names."""

    build: Callable[[Path], None]
    parts: Callable[[int, int], dict[str, Sequence[int]]]
    """Who is trained on and held out, of so many training patients and a seed."""
    patients: tuple[int, ...] = (1, 2, 4)
    seeds: tuple[int, ...] = (0, 1, 2)
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


def _phantom_structures(out: Path, context: tuple[Context, ...] = ()) -> None:
    """The slices of ``phantom`` to the pixel, with label maps of all six structures; the first is the myocardium.

    They are cut around the myocardium, and the others go on beyond the edges, as in tiles. The context is found in the
    CT, as by ``topogan prepare``.
    """
    same = open_patients("phantom", 1, 0)
    names = sorted(STRUCTURES, key=lambda name: name != _SEGMENTED)
    table = StructureTable(structures=tuple(Structure(name=name, labels=(STRUCTURES[name],)) for name in names))
    patches = Patches(same.size, same.pixel_size)
    with _made() as made, staged_folder(out, False, SCHEMA) as folder:
        settings = made.settings.model_copy(update={"tiling": True, "context": context})
        every = checked_table({"structures": [*table.structures, *context_structures(context)]})
        one = StructureTable.of_one(made.settings)
        cases = open_cases(made.segmentations, made.images, made.settings, one, None, made.plane)
        with TrainingSetWriter(folder, settings, every, patches, with_images=True) as writer:
            for case in cases:
                plans = large_enough(plan_case(case, made.settings, 0.0, lambda: None), same.pixel_size).patches
                reader = CaseReader(replace(case, table=table), settings, patches)
                for chunk in reader.chunks(plans):
                    writer.add_chunk(chunk, case, [TRAIN] * len(chunk.plans))
                writer.add_volume(case.patient, reader.content_hash)
        writer.describe("given", True, same.image_pixel_size)
    told = TrainingSet.open(out)
    assert same.images is not None and told.images is not None
    assert same.patients == told.patients and np.array_equal(same.images[:], told.images[:])


def _phantom_context(out: Path) -> None:
    """The same, with lungs, bone and body as they are found in the CT."""
    _phantom_structures(out, tuple(Context))


def _hvsmr(out: Path) -> None:
    """The blood of all chambers and vessels in MR; how large a pixel is, is not known."""
    folder, cases = present("hvsmr2_whole_heart_png"), [str(10_000 + number) for number in range(_CASES)]
    with tempfile.TemporaryDirectory() as scratch:
        for kind, case in itertools.product(("masks", "images"), cases):
            own = Path(scratch) / kind / case
            own.mkdir(parents=True)
            for slice_file in (folder / kind).glob(f"{case}_*.png"):
                shutil.copy(slice_file, own)
        masks, images = ([Path(scratch) / kind / case for case in cases] for kind in ("masks", "images"))
        settings = PrepareSettings(
            structure="blood pool", png_structure=_COLORS, png_pixel_size=1.0, intensity=Intensity.ARBITRARY
        )
        prepare(out, masks, images, settings)


def _of_phantom(patients: int, seed: int) -> dict[str, Sequence[int]]:
    """None of a seed's training patients are another's; the others are always the same."""
    return {"train": range(4 * seed, 4 * seed + patients), "validation": (12, 13), "test": range(14, 20)}


def _leave_one_out(patients: int, seed: int) -> dict[str, Sequence[int]]:
    return {"train": [n for n in range(patients + 1) if n != seed], "validation": (), "test": (seed,)}


SOURCES = {
    "phantom": Source(_phantom, _of_phantom),
    "phantom_structures": Source(_phantom_structures, _of_phantom, segmented="phantom"),
    "phantom_context": Source(_phantom_context, _of_phantom, segmented="phantom"),
    "phantom_context_longer": Source(_phantom_context, _of_phantom, segmented="phantom"),
    "hvsmr": Source(_hvsmr, _leave_one_out, patients=(_CASES - 1,), seeds=tuple(range(_CASES))),
}


def open_patients(name: str, patients: int, seed: int) -> TrainingSet:
    """The set with so many patients to train on; a larger number holds those of a smaller one."""
    folder = cache_folder() / "sets" / f"downstream-{name}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        SOURCES[name].build(folder)
    source, whole = SOURCES[name], TrainingSet.open(folder)
    names = sorted(set(whole.patients))
    parts = source.parts(patients, seed)
    rows = {part: np.flatnonzero(np.isin(whole.patients, [names[n] for n in some])) for part, some in parts.items()}
    topologies = Counter(tuple(map(tuple, betti)) for betti in whole.betti[rows["train"]].tolist())
    return replace(whole, **rows, modal_betti=topologies.most_common(1)[0][0])
