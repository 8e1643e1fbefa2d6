"""How much textures look like the real ones: ``--run`` trains what has no result yet, ``--summary`` makes the tables.

A result is that of one set and variant: each tissue's mean and histogram, the power spectrum by bands and the mean
intensity across the boundary of each structure, of textures painted on the masks of validation or of test patients.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import SimpleITK as sitk
import torch
from ablation.sets import DATA, REPOSITORY, cache_folder
from torch import nn

from topogan.config import Part, PhantomSettings, PrepareSettings, TextureSettings, TrainSettings
from topogan.dataset import prepare
from topogan.device import exact_numerics
from topogan.metrics.spectrum import power_ratio, radial_power_spectrum
from topogan.metrics.texture import PROFILE_PIXELS, boundary_profile, label_histograms
from topogan.networks import intensities_from_network, texture_condition, texture_noise_channels
from topogan.phantom import make_phantom
from topogan.runs.previews import contact_sheet, write_preview
from topogan.structures import Structure, StructureTable
from topogan.training.texture_trainer import TextureTrainer
from topogan.training_set import TrainingSet
from topogan.volumes import find_pairs

RESULTS = Path(__file__).resolve().parent / "results" / "textures"
PICTURES = REPOSITORY / "Resources" / "Docs" / "textures"
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
}
BANDS = {"low": (0.0, 0.25), "middle": (0.25, 0.75), "high": (0.75, 1.0)}
_HEART = ("lv_cavity", "myocardium", "rv_cavity", "left_atrium", "right_atrium", "aorta")
_CHEST = {"heart": "heart", "aorta": "aorta_aorta", "pulmonary_artery": "pa_pulmonary_artery"}
_PAINTED_TOGETHER = 16
_SHOWN = 8


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="train what has no result yet")
    parser.add_argument("--summary", action="store_true", help="print the tables")
    parser.add_argument("--set", nargs="+", dest="sets", default=["phantom-64"], metavar="SET", help=", ".join(SETS))
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--steps", type=int, default=TextureSettings().steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    names = [(one, variant) for one in options.sets for variant in options.variant]
    if options.run:
        for one, variant in names:
            path = RESULTS / f"{one}-{variant}.json"
            if not path.exists():
                _measure(_open(one), variant, options, path)
    if options.summary:
        for path in sorted(RESULTS.glob("*.json")):
            _print(path.stem, json.loads(path.read_text(encoding="utf-8")))


def _phantom(out: Path, size: int) -> None:
    """Axial slices of the six structures, every 4 mm."""
    table = StructureTable(structures=tuple(Structure(name=name, labels=(i,)) for i, name in enumerate(_HEART, 1)))
    with tempfile.TemporaryDirectory() as scratch:
        phantom = make_phantom(Path(scratch) / "phantom", PhantomSettings())
        segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
        prepare(out, segmentations, images, PrepareSettings(size=size, slice_spacing=4.0), table=table)


def _chest(out: Path, size: int) -> None:
    """Heart, aorta and pulmonary artery of one CT angiography, axial; the parts are slices of one patient."""
    folder = DATA / "totalsegmentator_chest_cta"
    image = sitk.ReadImage(str(folder / "example_ct.nii.gz"))
    labels = np.zeros(sitk.GetArrayViewFromImage(image).shape, np.uint8)
    for label, name in enumerate(_CHEST.values(), 1):
        mask = sitk.ReadImage(str(folder / f"{name}.nii.gz"))
        labels[sitk.GetArrayFromImage(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0] = (
            label
        )
    segmentation = sitk.GetImageFromArray(labels)
    segmentation.CopyInformation(image)
    table = StructureTable(structures=tuple(Structure(name=name, labels=(i,)) for i, name in enumerate(_CHEST, 1)))
    with tempfile.TemporaryDirectory() as scratch:
        sitk.WriteImage(segmentation, str(Path(scratch) / "labels.nii.gz"))
        pair = [Path(scratch) / "labels.nii.gz"], [folder / "example_ct.nii.gz"]
        prepare(out, *pair, PrepareSettings(size=size), table=table)


SETS: dict[str, Callable[[Path], None]] = {
    "phantom-64": lambda out: _phantom(out, 64),
    "phantom-128": lambda out: _phantom(out, 128),
    "chest-128": lambda out: _chest(out, 128),
}


def _open(name: str) -> TrainingSet:
    folder = cache_folder() / "sets" / f"textures-{name}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        SETS[name](folder)
    return TrainingSet.open(folder)


def _measure(real: TrainingSet, variant: str, options: argparse.Namespace, path: Path) -> None:
    textures = TextureSettings(**VARIANTS[variant], steps=options.steps)
    settings = TrainSettings(part=Part.TEXTURES, textures=textures, seed=options.seed)
    with exact_numerics(1, torch.device("cpu")):
        trainer = TextureTrainer(real, settings, torch.device("cpu"))
        start = time.process_time()
        for _ in range(options.steps):
            trainer.train_step()
        milliseconds = 1000 * (time.process_time() - start) / options.steps
        parts = {}
        for part, rows in {"validation": real.validation, "test": real.test}.items():
            painted = _paint(real, settings, trainer.networks()["generator"], rows)
            parts[part] = _figures(real, rows, painted)
    result = {"steps": options.steps, "seed": options.seed, "ms_per_step": round(milliseconds, 1), "parts": parts}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(rounded(result), indent=1), encoding="utf-8")
    # Of the test patients, the last to be painted.
    PICTURES.mkdir(exist_ok=True)
    _draw_sheet(real, rows, painted, PICTURES / f"{path.stem}.png")
    _draw_profiles(parts["test"]["profiles"], real.intensity, PICTURES / f"{path.stem}-boundaries.png")


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
            levels = real.levels[some] if settings.tells_level(structures) else None
            shape = len(some), texture_noise_channels(settings.textures), real.size, real.size
            condition = texture_condition(real.masks[some], structures, levels)
            painted.append(
                intensities_from_network(generator(condition, torch.randn(shape, generator=random)), real.window)
            )
    return np.concatenate(painted)


def _figures(real: TrainingSet, rows: np.ndarray, painted: np.ndarray) -> dict[str, Any]:
    """What is measured of textures int16 [n, H, W] painted on the masks of ``rows``."""
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
    spectra = [radial_power_spectrum(shown, window) for shown in (painted, images, real.images[drawn])]
    return {
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
        "spectrum": {
            band: {
                "painted": power_ratio(spectra[0], spectra[1], ends),
                "training": power_ratio(spectra[2], spectra[1], ends),
            }
            for band, ends in BANDS.items()
        },
        "profiles": {
            region.name: {
                "painted": boundary_profile(region.of(labels), painted, window).tolist(),
                "real": boundary_profile(region.of(labels), images, window).tolist(),
            }
            for region in real.regions
        },
    }


def _draw_sheet(real: TrainingSet, rows: np.ndarray, painted: np.ndarray, path: Path) -> None:
    """Real slices above those painted on their masks."""
    assert real.images is not None and real.window is not None
    shown = np.linspace(0, len(rows) - 1, _SHOWN).astype(int)
    low, high = real.window
    both = np.concatenate([real.images[rows[shown]], painted[shown]]).astype(np.float32)
    write_preview(path, contact_sheet(np.clip((both - low) / (high - low), 0, 1), columns=_SHOWN))


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
        for band, ratios in found["spectrum"].items():
            words = [f"{kind} {total:.2f} ({least:.2f} to {most:.2f})" for kind, (total, least, most) in ratios.items()]
            print(f"- power over real, {band} frequencies: {'; '.join(words)}")
        profiles = {region: curves for region, curves in found["profiles"].items() if region in shown}
        gaps = [f"{region} {_largest_gap(curves):.0f}" for region, curves in profiles.items()]
        print(f"- largest difference across a boundary: {', '.join(gaps)}")


def _largest_gap(curves: dict[str, list[float | None]]) -> float:
    return float(np.nanmax(np.abs(np.array(curves["painted"], float) - np.array(curves["real"], float))))


if __name__ == "__main__":
    main()
