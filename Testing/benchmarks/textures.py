"""How much textures look like the real ones: ``--run`` trains what has no result yet, ``--summary`` makes the tables.

A result is that of one set and variant: each tissue's mean and histogram, the power spectrum by bands and the mean
intensity across the boundary of each structure, of textures painted on the masks of validation or of test patients; of
volumes (``--volumes``) the power spectrum along each axis, and how much neighboring slices differ along it.

Pictures of each go beside the sets, into the cache. Those that a page shows are copied to ``Resources/Docs/textures``.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import SimpleITK as sitk
import torch
from ablation.data import DATA
from ablation.sets import cache_folder
from torch import nn

from topogan.config import Context, Part, PhantomSettings, PrepareSettings, TextureSettings, TrainSettings
from topogan.dataset import prepare
from topogan.device import exact_numerics
from topogan.metrics.spectrum import axis_power_spectrum, directional_power, power_ratio, radial_power_spectrum
from topogan.metrics.texture import PROFILE_PIXELS, boundary_profile, label_histograms, neighbor_difference
from topogan.networks import intensities_from_network, texture_condition, texture_noise_channels
from topogan.phantom import make_phantom
from topogan.runs.previews import contact_sheet, middle_planes, write_preview
from topogan.structures import Structure, StructureTable
from topogan.training.texture_trainer import TextureTrainer
from topogan.training_set import TrainingSet
from topogan.volumes import find_pairs

RESULTS = Path(__file__).resolve().parent / "results" / "textures"
# Name of a variant: its settings. "pix2pix" is what version 0.1.0 did.
VARIANTS: dict[str, dict[str, Any]] = {
    "pix2pix": {
        "network": "unet",
        "draws": 1,
        "batch": 8,
        "learning_rate": 5e-4,
        "l1_weight": 100.0,
        "decay": 0.0,
        "gradient_penalty": 0.0,
    },
    "noisy": {"network": "noisy"},
    "spade": {"network": "spade"},
    "grain": {"network": "grain"},
}
# The same networks over three axes; a volume of 32 voxels holds as much as 8 slices of 64 pixels.
VOLUME_VARIANTS: dict[str, dict[str, Any]] = {name: {"network": name, "batch": 2} for name in ("spade", "grain")}
_VOLUME_STEPS = 500
BANDS = {"low": (0.0, 0.25), "middle": (0.25, 0.75), "high": (0.75, 1.0)}
# Other patients than those of phantom-64, and twice as many: contrast differs by 7 % from patient to patient.
_MANY = PhantomSettings(patients=16, phases=4, seed=8)
_HEART = ("lv_cavity", "myocardium", "rv_cavity", "left_atrium", "right_atrium", "aorta")
_CHEST = {"heart": "heart", "aorta": "aorta_aorta", "pulmonary_artery": "pa_pulmonary_artery"}
# The CT's own voxel in mm, and how many slices follow each other from one slab to the next.
_CHEST_PIXEL, _SLAB = 1.5, 10
_PAINTED_TOGETHER = 16
_SHOWN, _WIDEST = 8, 1600
_SHOWN_VOLUMES = 3
# What follows one another along the axes of a volume.
_NEIGHBORS = "slices", "rows", "columns"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="train what has no result yet")
    parser.add_argument("--summary", action="store_true", help="print the tables")
    parser.add_argument("--volumes", action="store_true", help="of volumes instead of slices")
    parser.add_argument("--set", nargs="+", dest="sets", metavar="SET", help=", ".join((*SETS, *VOLUME_SETS)))
    parser.add_argument("--variant", nargs="+", metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    variants = VOLUME_VARIANTS if options.volumes else VARIANTS
    steps = options.steps or (_VOLUME_STEPS if options.volumes else TextureSettings().steps)
    sets = options.sets or (["phantom-volumes-32"] if options.volumes else ["phantom-64"])
    if options.run:
        for one in sets:
            for variant in options.variant or variants:
                path = RESULTS / f"{one}-{variant}.json"
                if not path.exists():
                    textures = TextureSettings(**variants[variant] | _SETTINGS.get(one, {}), steps=steps)
                    settings = TrainSettings(
                        part=Part.TEXTURES,
                        textures=textures,
                        condition=_CONDITIONS.get(one, "auto"),
                        seed=options.seed,
                    )
                    _measure(_open(one), settings, path)
    if options.summary:
        for path in sorted(RESULTS.glob("*.json")):
            _print(path.stem, json.loads(path.read_text(encoding="utf-8")))


def _phantom(out: Path, settings: PrepareSettings, seen: PhantomSettings = PhantomSettings()) -> None:
    """The six structures, axial."""
    table = StructureTable(structures=tuple(Structure(name=name, labels=(i,)) for i, name in enumerate(_HEART, 1)))
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", seen)
        segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
        prepare(out, segmentations, images, settings, table=table)


def _cut(size: int, context: tuple[Context, ...] = ()) -> PrepareSettings:
    # Around each slice, as when these were measured.
    return PrepareSettings(size=size, slice_spacing=4.0, context=context, center="slice")


def _chest(out: Path, size: int) -> None:
    """Heart, aorta and pulmonary artery of one CT angiography, axial, with the context that is found in it.

    Slabs of 8 slices with 2 between them take the place of patients, so that each part of the split has some of all
    structures. They are of one patient: textures of another's are not measured.
    """
    folder = DATA / "totalsegmentator_chest_cta"
    image = sitk.ReadImage(str(folder / "example_ct.nii.gz"))
    labels = np.zeros(sitk.GetArrayViewFromImage(image).shape, np.uint8)
    for label, name in enumerate(_CHEST.values(), 1):
        mask = sitk.ReadImage(str(folder / f"{name}.nii.gz"))
        found = sitk.GetArrayFromImage(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0
        labels[found] = label
    segmentation = sitk.GetImageFromArray(labels)
    segmentation.CopyInformation(image)
    table = StructureTable(structures=tuple(Structure(name=name, labels=(i,)) for i, name in enumerate(_CHEST, 1)))
    settings = PrepareSettings(
        size=size, pixel_size=_CHEST_PIXEL, context=tuple(Context), center="slice", validation=0.2, test=0.2, seed=1
    )
    last = int(np.flatnonzero(labels.any((1, 2)))[-1]) + 1
    with tempfile.TemporaryDirectory() as scratch:
        pairs: tuple[list[Path], list[Path]] = [], []
        for start in range(0, last - _SLAB + 1, _SLAB):
            for whole, kind, paths in zip((segmentation, image), ("labels", "images"), pairs, strict=True):
                paths.append(Path(scratch) / kind / f"slab{start:03d}.nii.gz")
                paths[-1].parent.mkdir(exist_ok=True)
                sitk.WriteImage(whole[:, :, start + 1 : start + _SLAB - 1], str(paths[-1]))
        prepare(out, *pairs, settings, table=table)


SETS: dict[str, Callable[[Path], None]] = {
    "phantom-64": lambda out: _phantom(out, _cut(64)),
    "phantom-64-context": lambda out: _phantom(out, _cut(64, tuple(Context)), _MANY),
    "phantom-128": lambda out: _phantom(out, _cut(128), _MANY),
    "phantom-128-context": lambda out: _phantom(out, _cut(128, tuple(Context)), _MANY),
    "chest-128": lambda out: _chest(out, 128),
    "chest-256": lambda out: _chest(out, 256),
}
# Slabs have no level of their own; and a slice of 256 pixels is as much as four of 128.
_SETTINGS: dict[str, dict[str, Any]] = {"chest-256": {"batch": 2}}
_CONDITIONS: dict[str, Literal["none"]] = {"chest-128": "none", "chest-256": "none"}
VOLUME_SETS: dict[str, Callable[[Path], None]] = {
    "phantom-volumes-32": lambda out: _phantom(out, PrepareSettings(volumes=True, size=32)),
    "phantom-volumes-32-many": lambda out: _phantom(out, PrepareSettings(volumes=True, size=32), _MANY),
    "phantom-volumes-48": lambda out: _phantom(out, PrepareSettings(volumes=True, size=48)),
}


def _open(name: str) -> TrainingSet:
    folder = cache_folder() / "sets" / f"textures-{name}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        (SETS | VOLUME_SETS)[name](folder)
    return TrainingSet.open(folder)


def _measure(real: TrainingSet, settings: TrainSettings, path: Path) -> None:
    steps = settings.textures.steps
    with exact_numerics(1, torch.device("cpu")):
        trainer = TextureTrainer(real, settings, torch.device("cpu"))
        start = time.process_time()
        for _ in range(steps):
            trainer.train_step()
        milliseconds = 1000 * (time.process_time() - start) / steps
        parts = {}
        for part, rows in {"validation": real.validation, "test": real.test}.items():
            painted = _paint(real, settings, trainer.networks()["generator"], rows)
            parts[part] = _figures(real, rows, painted)
    result = {"steps": steps, "seed": settings.seed, "ms_per_step": round(milliseconds, 1), "parts": parts}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rounded(result), indent=1), encoding="utf-8")
    # Of the test patients, the last to be painted.
    pictures = cache_folder() / "textures"
    pictures.mkdir(parents=True, exist_ok=True)
    _draw_sheet(real, rows, painted, pictures / f"{path.stem}.png")
    _draw_profiles(parts["test"]["profiles"], real.intensity, pictures / f"{path.stem}-boundaries.png")


def rounded(value: Any) -> Any:
    """All floats of plain values with two decimals; None where there is no number."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 2)
    return value


def _paint(real: TrainingSet, settings: TrainSettings, generator: nn.Module, rows: np.ndarray) -> np.ndarray:
    assert real.window is not None
    random, structures = torch.Generator().manual_seed(1), len(real.table)
    painted = []
    with torch.inference_mode():
        for some in np.array_split(rows, -(-len(rows) // _PAINTED_TOGETHER)):
            levels = real.levels[some] if settings.tells_level(structures, real.axes) else None
            shape = len(some), texture_noise_channels(settings.textures, real.axes), *(real.size,) * real.axes
            condition = texture_condition(real.masks[some], structures, levels)
            painted.append(
                intensities_from_network(generator(condition, torch.randn(shape, generator=random)), real.window)
            )
    return np.concatenate(painted)


def _figures(real: TrainingSet, rows: np.ndarray, painted: np.ndarray) -> dict[str, Any]:
    """What is measured of textures int16 [n, (D,) H, W] painted on the masks of ``rows``."""
    assert real.images is not None and real.window is not None
    window, labels, images = real.window, real.masks[rows], real.images[rows]
    drawn = np.random.default_rng(0).permutation(real.train)[: len(rows)]
    every = zip(
        (*real.table.names, "around"),
        *(
            label_histograms(masks, shown, real.pixel_size, window, len(real.table))
            for masks, shown in ((labels, painted), (labels, images), (real.masks[drawn], real.images[drawn]))
        ),
        strict=True,
    )
    compared = {"painted": painted, "real": images, "training": real.images[drawn]}
    if real.axes == 2:
        along = {
            "spectrum": _bands(*(radial_power_spectrum(shown, window) for shown in compared.values())),
            "directions": _directions(*(directional_power(shown, window) for shown in compared.values())),
        }
    else:
        along = {
            f"across {kind}": _bands(*(axis_power_spectrum(shown, window, axis) for shown in compared.values()))
            | {"difference": {name: neighbor_difference(shown, window, axis) for name, shown in compared.items()}}
            for axis, kind in enumerate(_NEIGHBORS)
        }
    return along | {
        "tissues": {
            tissue: {
                "mean": synthetic.mean,
                "real_mean": found.mean,
                "training_mean": training.mean,
                "distance": synthetic.distance(found),
                "distance_to_training": synthetic.distance(training),
                "real_distance": training.distance(found),
            }
            for tissue, synthetic, found, training in every
        },
        "profiles": {
            region.name: {
                "painted": boundary_profile(region.of(labels), painted, window).tolist(),
                "real": boundary_profile(region.of(labels), images, window).tolist(),
            }
            for region in real.regions
        },
    }


def _bands(painted: np.ndarray, real: np.ndarray, training: np.ndarray) -> dict[str, Any]:
    """Power over that of the real ones by bands, of three spectra in dB."""
    return {
        band: {"painted": power_ratio(painted, real, ends), "training": power_ratio(training, real, ends)}
        for band, ends in BANDS.items()
    }


def _directions(painted: np.ndarray, real: np.ndarray, training: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Power over that of the real ones: in all directions, least and most in one."""
    return {
        name: power_ratio(power, real, (0.0, 1.0)) for name, power in (("painted", painted), ("training", training))
    }


def _draw_sheet(real: TrainingSet, rows: np.ndarray, painted: np.ndarray, path: Path) -> None:
    """Real slices above those painted on their masks; of volumes three planes, enlarged."""
    assert real.images is not None and real.window is not None
    columns = _SHOWN_VOLUMES if real.axes == 3 else min(_SHOWN, _WIDEST // real.size)
    shown = np.linspace(0, len(rows) - 1, columns).astype(int)
    low, high = real.window
    both = np.concatenate([real.images[rows[shown]], painted[shown]]).astype(np.float32)
    pictures = middle_planes(both[:, None])[:, 0]
    if real.axes == 3:
        pictures = np.kron(pictures, np.ones((1, 3, 3), np.float32))
    write_preview(path, contact_sheet(np.clip((pictures - low) / (high - low), 0, 1), columns=columns))


def _draw_profiles(profiles: dict[str, dict[str, list[float]]], unit: str, path: Path) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(profiles), figsize=(2.4 * len(profiles), 2.4), squeeze=False)
    distance = np.arange(2 * PROFILE_PIXELS) - PROFILE_PIXELS + 0.5
    for axis, (name, curves) in zip(axes[0], profiles.items(), strict=True):
        axis.plot(distance, curves["real"], "k-", label="real")
        axis.plot(distance, curves["painted"], "C1-", label="painted")
        axis.set_title(name, fontsize=9)
        axis.set_xlabel("pixels outside", fontsize=8)
    axes[0, 0].set_ylabel(unit)
    axes[0, 0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _print(name: str, result: dict[str, Any]) -> None:
    print(f"\n## {name}: {result['steps']} steps of {result['ms_per_step']} ms")
    for part, found in result["parts"].items():
        print(f"\n| {part} | painted | real | difference | distance | training to real |\n|---|---|---|---|---|---|")
        shown = {tissue: of for tissue, of in found["tissues"].items() if of["real_distance"] is not None}
        for tissue, of in shown.items():
            numbers = of["mean"], of["real_mean"], of["mean"] - of["real_mean"]
            print(f"| {tissue} | {' | '.join(f'{number:.0f}' for number in numbers)}", end=" | ")
            print(f"{of['distance']:.1f} | {of['real_distance']:.1f} |")
        print()
        for place in ("spectrum", *(f"across {kind}" for kind in _NEIGHBORS)):
            if place in found:
                _print_along("" if place == "spectrum" else f", {place}", found[place])
        if "directions" in found:
            words = [f"{kind} {least:.2f} to {most:.2f}" for kind, (_, least, most) in found["directions"].items()]
            print(f"- power over real by direction: {'; '.join(words)}")
        profiles = {region: curves for region, curves in found["profiles"].items() if region in shown}
        gaps = [f"{region} {_largest_gap(curves):.0f}" for region, curves in profiles.items()]
        print(f"- largest difference across a boundary: {', '.join(gaps)}")


def _print_along(place: str, figures: dict[str, Any]) -> None:
    for band in BANDS:
        ratios = figures[band].items()
        words = [f"{kind} {total:.2f} ({least:.2f} to {most:.2f})" for kind, (total, least, most) in ratios]
        print(f"- power over real{place}, {band} frequencies: {'; '.join(words)}")
    if "difference" in figures:
        words = [f"{kind} {value:.1f}" for kind, value in figures["difference"].items()]
        print(f"- mean difference of neighbors{place}: {', '.join(words)}")


def _largest_gap(curves: dict[str, list[float | None]]) -> float:
    return float(np.nanmax(np.abs(np.array(curves["painted"], float) - np.array(curves["real"], float))))


if __name__ == "__main__":
    main()
