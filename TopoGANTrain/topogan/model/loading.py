"""Opening a model package, be it one's own or a stranger's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn

from topogan.errors import InputError
from topogan.files import check_name
from topogan.model import layout
from topogan.model.archive import unpacked
from topogan.model.layout import refused
from topogan.model.metadata import Metadata, file_hash, read_metadata
from topogan.model.model import Model
from topogan.model.reference import read_reference
from topogan.model.weights import read_weights
from topogan.networks import (
    make_mask_discriminator,
    make_mask_generator,
    make_texture_discriminator,
    make_texture_generator,
)


def load_model(path: Path | str, discriminators: bool = True) -> Model:
    """Open a model package: a folder, or a zip as :func:`topogan.model.pack_model` writes it.

    Nothing in it is executed and nothing is written outside a temporary folder that is removed again; every file is
    checked against its hash, every tensor against the network that the settings describe.

    Args:
        path: the package.
        discriminators: load them too; only fine-tuning needs them, and MONAI's import for them takes seconds.

    Raises:
        InputError: one sentence that says what is wrong with the package.
        WorkError: the disk of temporary files is full.
    """
    path = Path(path)
    if path.is_dir():
        check_name(path)
        return _open(path, path, discriminators)
    if not path.is_file():
        raise InputError(f"{path} does not exist: name a model package (a folder or a .zip).")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no model package: name the folder or the .zip that the training made.")
    with unpacked(path) as folder:
        return _open(folder, path, discriminators)


def _open(folder: Path, package: Path, discriminators: bool) -> Model:
    """Open the unpacked ``folder``; errors name ``package``."""
    layout.check_folder(folder, package)
    metadata = read_metadata(folder, package)
    _check_hashes(folder, metadata, package)
    settings, size = metadata.settings, metadata.size
    seen = len(metadata.table), metadata.told_level, metadata.axes
    builders: dict[str, Callable[[], nn.Module]] = {
        layout.MASKS_GENERATOR: partial(make_mask_generator, settings.masks, size, *seen),
        layout.TEXTURES_GENERATOR: partial(make_texture_generator, settings.textures, *seen),
    }
    if discriminators:
        builders[layout.MASKS_DISCRIMINATOR] = partial(make_mask_discriminator, settings.masks, size, *seen)
        builders[layout.TEXTURES_DISCRIMINATOR] = partial(make_texture_discriminator, settings.textures, *seen)
    try:
        networks = {
            name: read_weights(folder / name, build) for name, build in builders.items() if name in metadata.files
        }
        reference = (
            read_reference(folder / layout.REFERENCE, metadata.axes) if layout.REFERENCE in metadata.files else []
        )
    except InputError as error:
        raise refused(package, str(error).rstrip(".")) from error
    return Model(
        metadata,
        masks=networks.get(layout.MASKS_GENERATOR),
        mask_discriminator=networks.get(layout.MASKS_DISCRIMINATOR),
        textures=networks.get(layout.TEXTURES_GENERATOR),
        texture_discriminator=networks.get(layout.TEXTURES_DISCRIMINATOR),
        reference=reference,
        device=torch.device("cpu"),
    )


def _check_hashes(folder: Path, metadata: Metadata, package: Path) -> None:
    for name in layout.OPENED[1:]:
        there = (folder / name).is_file()
        if there != (name in metadata.files):
            state = "is missing" if not there else "is not listed in its metadata"
            raise refused(package, f"{name} {state}")
        if there and file_hash(folder / name) != metadata.files[name]:
            raise refused(package, f"{name} was changed or damaged after the package was written")
    pairs = (
        (layout.MASKS_GENERATOR, layout.MASKS_DISCRIMINATOR),
        (layout.TEXTURES_GENERATOR, layout.TEXTURES_DISCRIMINATOR),
    )
    complete = [all(name in metadata.files for name in pair) for pair in pairs]
    if not any(complete) or sum(name in layout.WEIGHTS for name in metadata.files) != 2 * sum(complete):
        raise refused(
            package, "it does not hold a generator and its discriminator for masks, for textures, or for both"
        )
    if layout.TEXTURES_GENERATOR in metadata.files and metadata.window is None:
        raise refused(package, "it paints textures, but its metadata names no window for their intensities")
