"""The sets: built once into a cache folder outside of the repository, with held-out patients or images."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from volume_runs.sets import VOLUME_SETS

from ablation.data import present
from topogan.config import PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.demo import simulate
from topogan.errors import InputError
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import read_plane
from topogan.presets import read_preset
from topogan.structures import Structure, StructureTable, colored
from topogan.training_set import TrainingSet
from topogan.volumes import find_pairs

_TILE = 64
_FEW_HELD, _FEW_PHASES = 4, 5
# Held-out patients of the six structures, and of the six patients, besides those of the split.
_FURTHER = 20
_ISBI_IMAGES = 30
_ISBI_HELD_OUT = 0.2
# TotalSegmentator's heart above 250 HU: the cavities with contrast, and the great vessels' stumps.
_BLOOD_POOL = "totalsegmentator_chest_cta/derived_bloodpool_hu250.nii.gz"


def cache_folder() -> Path:
    """Where sets and warm-up checkpoints are kept: ``$TOPOGAN_ABLATION_CACHE``, or a folder in the user's cache."""
    given = os.environ.get("TOPOGAN_ABLATION_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "topogan-ablation"


def open_set(name: str) -> TrainingSet:
    """Open a set, building it first where it is missing.

    Raises:
        InputError: there is no such set.
        Absent: its data are not here.
    """
    if name not in SETS:
        raise InputError(f"There is no set {name!r}: choose from {', '.join(SETS)}.")
    folder = cache_folder() / "sets" / name
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        SETS[name](folder)
    return TrainingSet.open(folder)


def _phantom(out: Path, seed: int) -> None:
    """Short-axis rings of the myocardium, as the demo prepares them (masks alone)."""
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", PhantomSettings(seed=seed))
        segmentations, _ = find_pairs([phantom / "segmentations"])
        settings = PrepareSettings(structure="myocardium", labels=(2,), **read_preset("demo")["prepare"])
        prepare(out, segmentations, settings=settings, plane=read_plane(str(phantom / "planes.json")))


def _few(out: Path, training: int, seed: int) -> None:
    """The myocardium as the demo cuts it, of few training patients, and of four each for validation and test.

    Patients of a seed are the same however many there are, so that each set has a seed of its own.
    """
    patients = training + 2 * _FEW_HELD
    share = _FEW_HELD / patients
    _muscle(out, PhantomSettings(patients=patients, phases=_FEW_PHASES, seed=seed), validation=share, test=share)


def _few_further(out: Path) -> None:
    """Further patients, cut as the six: all of them held out, for what four patients cannot tell."""
    seen = PhantomSettings(patients=_FURTHER, phases=_FEW_PHASES, seed=11)
    _muscle(out, seen, pixel_size=open_set("six_patients").pixel_size)


def _muscle(out: Path, seen: PhantomSettings, **settings: float) -> None:
    preset = read_preset("demo")
    cut = {**preset["prepare"], **preset["demo"]["prepare"], **settings}
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", seen)
        segmentations, _ = find_pairs([phantom / "segmentations"])
        chosen = PrepareSettings(structure="myocardium", labels=(2,), **cut)
        prepare(out, segmentations, settings=chosen, plane=read_plane(str(phantom / "planes.json")))


def _few_atria(out: Path) -> None:
    """Six of the twenty left atria to learn from, and seven each for validation and test."""
    segmentations, _ = find_pairs([present("msd_task02_left_atrium_masks")])
    prepare(out, segmentations, settings=PrepareSettings(structure="left atrium", validation=0.35, test=0.35))


def _demo(out: Path) -> None:
    """What ``topogan demo`` prepares, without the images."""
    with tempfile.TemporaryDirectory() as scratch:
        source = simulate(Path(scratch) / "phantom", read_preset("demo"), lambda _: None)
        segmentations, _ = find_pairs(source.segmentations)
        prepare(out, segmentations, settings=PrepareSettings(**source.settings), plane=source.plane, table=source.table)


def _rings(out: Path) -> None:
    """The slices of ``phantom`` that have its most frequent topology: every real mask is one ring."""
    phantom = open_set("phantom")
    rows = np.flatnonzero((phantom.betti == phantom.modal_betti).all(axis=(1, 2)))
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for patient in sorted(set(phantom.patients)):
            mine = [row for row in rows.tolist() if phantom.patients[row] == patient]
            stack = sitk.GetImageFromArray(phantom.region_masks(np.array(mine)).astype(np.uint8))
            stack.SetSpacing((phantom.pixel_size, phantom.pixel_size, 1.0))
            paths.append(Path(scratch) / f"{patient}.nii.gz")
            sitk.WriteImage(stack, str(paths[-1]))
        prepare(out, paths, settings=PrepareSettings(structure="rings", tiling=True, pixel_size=phantom.pixel_size))


def _atrium(out: Path) -> None:
    """Left atrium, axial: two or three pieces in a third of the slices."""
    segmentations, _ = find_pairs([present("msd_task02_left_atrium_masks")])
    prepare(out, segmentations, settings=PrepareSettings(structure="left atrium"))


def _blood_pool(out: Path) -> None:
    """Blood pool of one CT; held out by slice level, for there is one patient."""
    path = present(_BLOOD_POOL)
    settings = PrepareSettings(structure="blood pool", minimum_area=200.0)
    prepare(out, [path], settings=settings)


def _isbi(out: Path) -> None:
    """Membranes in tiles of 64 pixels, each with a frame of 1 pixel; a fifth of the images is held out."""
    _tiles_of(out, list(range(_ISBI_IMAGES)))


def _isbi_tuning(out: Path) -> None:
    """Every other training image of ``isbi``, so that settings can be chosen without its held-out images."""
    real = open_set("isbi")
    names = sorted({real.patients[row] for row in real.train.tolist()})
    images = [int(name.rsplit("_", 1)[1]) - 1 for name in names]
    _tiles_of(out, images[::2])


def _tiles_of(out: Path, images: list[int]) -> None:
    folder = present("isbi2012_membrane") / "label"
    with tempfile.TemporaryDirectory() as scratch:
        paths = []
        for number in images:
            label = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{number}.png")))
            paths.append(Path(scratch) / f"{number:02d}.nii.gz")
            framed = sitk.GetImageFromArray(with_frames(label < 128)[None].astype(np.uint8))
            sitk.WriteImage(framed, str(paths[-1]))
        settings = PrepareSettings(
            structure="membranes", tiling=True, pixel_size=1.0, minimum_area=0.0, test=_ISBI_HELD_OUT
        )
        prepare(out, paths, settings=settings)


def with_frames(mask: np.ndarray) -> np.ndarray:
    """Draw a frame of one pixel into every tile of 64 × 64, as the paper does before it looks for loops.

    Args:
        mask: bool [H, W]; H and W are multiples of 64.
    """
    row, column = (np.arange(length) % _TILE for length in mask.shape)
    edges = [(index == 0) | (index == _TILE - 1) for index in (row, column)]
    return mask | edges[0][:, None] | edges[1][None, :]


def _six(out: Path, short_axis: bool, center: str, patients: int = 16, seed: int = 0, pixel_size: float = 0.0) -> None:
    """Six structures of the phantom's hearts, and the union of cavity and wall of the left ventricle."""
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", PhantomSettings(patients=patients, phases=5, seed=seed))
        segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
        structures = tuple(
            Structure(name=name, labels=(label,), color=colored(number))
            for number, (name, label) in enumerate(STRUCTURES.items())
        )
        table = StructureTable(structures=structures, unions=(("lv_cavity", "myocardium"),))
        plane = read_plane(str(phantom / "planes.json")) if short_axis else "axial"
        settings = PrepareSettings(pixel_size=pixel_size, center=center)
        prepare(out, segmentations, images, settings, plane=plane, table=table)


def _six_further(out: Path, of: str, short_axis: bool) -> None:
    """Further patients, cut as those of ``of``: all of them held out, for what few test patients do not show."""
    like = open_set(of)
    _six(out, short_axis, like.center.value, patients=_FURTHER, seed=7, pixel_size=like.pixel_size)


def _sixes() -> Iterator[tuple[str, Callable[[Path], None]]]:
    """Axial and in the short axis: around all slices, and around each slice as before that could be chosen."""
    for plane, suffix in itertools.product(("axial", "short_axis"), ("", "_each_slice")):
        short_axis, name = plane == "short_axis", f"six_{plane}{suffix}"
        yield name, partial(_six, short_axis=short_axis, center="slice" if suffix else "volume")
        yield f"{name}_further", partial(_six_further, of=name, short_axis=short_axis)


SETS: dict[str, Callable[[Path], None]] = {
    "phantom": lambda out: _phantom(out, seed=0),
    "rings": _rings,
    "isbi": _isbi,
    "atrium": _atrium,
    "blood_pool": _blood_pool,
    **dict(_sixes()),
    "phantom_tuning": lambda out: _phantom(out, seed=1),
    "isbi_tuning": _isbi_tuning,
    "six_patients": lambda out: _few(out, 6, seed=0),
    "six_patients_further": _few_further,
    "two_patients": lambda out: _few(out, 2, seed=2),
    "four_patients": lambda out: _few(out, 4, seed=3),
    "twelve_patients": lambda out: _few(out, 12, seed=4),
    "six_atria": _few_atria,
    "demo": _demo,
    **VOLUME_SETS,
}
FINAL_SETS = ("phantom", "rings", "isbi", "atrium", "blood_pool")
