"""Writing a model package."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from topogan import __version__
from topogan.config import TrainSettings
from topogan.errors import InputError
from topogan.files import content_hash, staged_folder, write_json
from topogan.metrics.topology import betti_histogram
from topogan.model import layout
from topogan.model.card import LICENSE_TEXT
from topogan.model.measuring import add_figures
from topogan.model.metadata import MOST_TOPOLOGIES, BettiSummary, Metadata, Topologies, TrainedOn, file_hash
from topogan.model.reference import write_reference
from topogan.model.weights import write_weights
from topogan.training_set import TrainingSet
from topogan.verdict import tenth_of
from topogan_contract import schemas

# Of Betti numbers that are written, so that the metadata stay below their limit.
_MOST_PAIRS = 60_000

Networks = Mapping[str, nn.Module]


def save_model(
    out: Path,
    *,
    settings: TrainSettings,
    training_set: TrainingSet,
    masks: Networks | None,
    textures: Networks | None,
    training: dict[str, Any],
    overwrite: bool = False,
    not_measured: Callable[[Exception], None] = lambda error: None,
) -> Path:
    """Write a model package folder in one step, and in it how good its samples are.

    Args:
        out: folder to write.
        settings: those of the training.
        training_set: what the networks were trained on; no image or mask of it is written.
        masks: ``generator`` (with the averaged weights) and ``discriminator``; None without masks.
        textures: likewise for pix2pix; None without textures.
        training: summary that goes into the metadata and the model card (numbers and words that JSON can hold).
        overwrite: replace a package that is there already.
        not_measured: is called with whatever goes wrong while the samples are judged: that costs the figures alone.

    Raises:
        InputError: there is no network to save, or ``out`` holds something.
        WorkError: a weight is not finite (the training diverged), or the disk is full.
    """
    if masks is None and textures is None:
        raise InputError("There is neither a mask network nor a texture network to save: train one first.")
    parts: dict[str, nn.Module] = {}
    if masks is not None:
        parts |= {layout.MASKS_GENERATOR: masks["generator"], layout.MASKS_DISCRIMINATOR: masks["discriminator"]}
    if textures is not None:
        parts[layout.TEXTURES_GENERATOR] = textures["generator"]
        parts[layout.TEXTURES_DISCRIMINATOR] = textures["discriminator"]
    with staged_folder(Path(out), overwrite, schemas.MODEL) as folder:
        for name in layout.FILES:
            (folder / name).parent.mkdir(exist_ok=True)
        for name, network in parts.items():
            write_weights(folder / name, network)
        write_reference(folder / layout.REFERENCE, training_set)
        files = {name: file_hash(folder / name) for name in layout.OPENED if (folder / name).exists()}
        metadata = _describe(settings, training_set, training, files)
        content = {**_monai_part(metadata), **metadata.model_dump(mode="json")}
        write_json(folder / layout.METADATA, content, schemas.MODEL)
        (folder / layout.LICENSE).write_text(LICENSE_TEXT, encoding="utf-8")
        add_figures(folder, training_set, not_measured)
    return Path(out)


def _describe(
    settings: TrainSettings, training_set: TrainingSet, training: dict[str, Any], files: dict[str, str]
) -> Metadata:
    return Metadata.model_validate(
        {
            "table": training_set.table,
            "size": training_set.size,
            "pixel_size_mm": training_set.pixel_size,
            "axes": training_set.axes,
            "center": training_set.center,
            "intensity": training_set.intensity,
            "window": training_set.window,
            "betti": BettiSummary(
                train=_betti_counts(training_set, training_set.train),
                validation=_betti_counts(training_set, training_set.validation),
                test=_betti_counts(training_set, training_set.test),
                modal=training_set.modal_betti,
            ),
            "levels": np.quantile(training_set.levels[training_set.train], np.linspace(0, 1, 101)).tolist(),
            "topologies": _topologies(training_set),
            "training_set": TrainedOn(
                content_hash=training_set.content_hash,
                train=len(training_set.train),
                validation=len(training_set.validation),
                test=len(training_set.test),
                patients=len(set(training_set.patients)),
                independent=training_set.independent,
            ),
            "settings": settings,
            "training": training,
            "files": files,
            "content_hash": content_hash(files),
        }
    )


def _betti_counts(training_set: TrainingSet, rows: np.ndarray) -> dict[str, dict[str, int]]:
    return {
        region.name: {
            ",".join(map(str, betti)): round(share * len(rows))
            for betti, share in betti_histogram(training_set.betti[rows, number]).items()
        }
        for number, region in enumerate(training_set.regions)
    }


def _topologies(training_set: TrainingSet) -> list[Topologies]:
    rows = training_set.train
    joint = [" ".join(",".join(map(str, one)) for one in betti) for betti in training_set.betti[rows].tolist()]
    found = Counter(zip(map(tenth_of, training_set.levels[rows].tolist()), joint, strict=True))
    most = min(MOST_TOPOLOGIES, _MOST_PAIRS // len(training_set.regions))
    return [Topologies(tenth=tenth, betti=betti, count=count) for (tenth, betti), count in found.most_common(most)]


def _monai_part(metadata: Metadata) -> dict[str, Any]:
    """What a reader of MONAI bundles looks for; this engine reads none of it."""
    patch = {
        "type": "image",
        "num_channels": 1,
        "spatial_shape": [metadata.size] * metadata.axes,
        "is_patch_data": True,
    }
    grey = {**patch, "format": "segmentation", "dtype": "float32", "value_range": [0, 1]}
    grey["num_channels"] = len(metadata.table)
    grey["channel_def"] = {str(channel): name for channel, name in enumerate(metadata.table.names)}
    painted = {**patch, "format": "hounsfield", "modality": "CT", "dtype": "int16", "value_range": metadata.window}
    painted["channel_def"] = {"0": "image"}
    latent = {
        "type": "tuples",
        "format": "latent",
        "num_channels": metadata.settings.masks.latent + metadata.told_level,
    }
    return {
        "version": "1.0.0",
        "topogan_version": __version__,
        "monai_version": version("monai"),
        "pytorch_version": version("torch"),
        "numpy_version": version("numpy"),
        "optional_packages_version": {},
        "task": f"Synthesis of {metadata.structure} masks and images",
        "description": "Generators of masks with the topology of real ones, and of images on masks (TopoGAN, pix2pix).",
        "authors": "not stated",
        "copyright": "see LICENSE",
        "intended_use": "Research only; not a medical device.",
        "network_data_format": {
            "inputs": {"latent": latent},
            "outputs": {"mask": grey, "image": painted} if metadata.window else {"mask": grey},
        },
    }
