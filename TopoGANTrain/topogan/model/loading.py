"""Opening a model package, be it one's own or a stranger's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from topogan.config import TrainSettings
from topogan.errors import InputError
from topogan.homology import Diagram
from topogan.model import layout
from topogan.model.archive import unpacked
from topogan.model.layout import refused
from topogan.model.metadata import Metadata, file_hash, read_metadata
from topogan.model.reference import read_reference
from topogan.model.sampling import Samples, Wish, joined, redraw, sample_chunks
from topogan.model.weights import read_weights
from topogan.networks import make_mask_critic, make_mask_generator, make_texture_critic, make_texture_generator


@dataclass
class Model:
    """A trained model, ready to draw samples and to be trained further.

    Example:
        >>> samples = load_model("run/model").sample(16, seed=1, betti=(1, 1))
        >>> samples.masks.shape
        (16, 64, 64)
    """

    metadata: Metadata
    settings: TrainSettings
    """Those of its training."""
    masks: nn.Module | None
    """z [B, latent] -> logits [B, 1, H, W], with the averaged weights."""
    mask_critic: nn.Module | None
    textures: nn.Module | None
    """Mask [B, 1, H, W] in {-1, 1} and noise -> intensities in [-1, 1]."""
    texture_critic: nn.Module | None
    reference: list[Diagram]
    """Diagrams of real masks that were not trained on (distance filtration, pixels), without positions."""
    device: torch.device
    """Where the generators are."""

    @property
    def size(self) -> int:
        """Width and height of a sample in pixels."""
        return self.metadata.size

    def sample(
        self,
        n: int,
        seed: int = 0,
        betti: tuple[int, int] | None = None,
        clean: int = 0,
        attempts: int = 20,
    ) -> Samples:
        """Draw ``n`` samples; sample i does not depend on ``n`` (on a CPU: to the bit).

        Args:
            n: how many.
            seed: same seed, same samples.
            betti: (b0, b1) that every mask must have: others are thrown away and drawn again; None takes all.
            clean: remove pieces and fill holes of fewer pixels first; 0 is off.
            attempts: give up after ``attempts · n`` tries.

        Raises:
            InputError: an argument is out of range, or the model makes no masks.
            WorkError: too few tries had the asked topology (the message says how many).
        """
        wish = Wish(n, seed, betti, clean, attempts)
        return joined(list(sample_chunks(self, wish, tick=lambda accepted, tries: None)))

    def draw(self, seeds: np.ndarray, clean: int = 0) -> Samples:
        """Draw the samples of these ``seeds`` (as in ``Samples.seeds``, int [n]) again, exactly."""
        if len(seeds) == 0:
            raise InputError("There is no seed to draw a sample of: name at least one.")
        return redraw(self, np.asarray(seeds, dtype=np.int64), clean)

    def to(self, device: torch.device) -> Model:
        """Move the generators to ``device``; returns the model itself."""
        for network in (self.masks, self.textures):
            if network is not None:
                network.to(device)
        self.device = device
        return self


def load_model(path: Path | str, critics: bool = True) -> Model:
    """Open a model package: a folder, or a zip as :func:`topogan.model.pack_model` writes it.

    Nothing in it is executed and nothing is written outside a temporary folder that is removed again; every file is
    checked against its hash, every tensor against the network that the settings describe.

    Args:
        path: the package.
        critics: load them too; only fine-tuning needs them, and MONAI's import for them takes seconds.

    Raises:
        InputError: one sentence that says what is wrong with the package.
        WorkError: the disk of temporary files is full.
    """
    path = Path(path)
    if path.is_dir():
        return _open(path, path, critics)
    if not path.is_file():
        raise InputError(f"{path} does not exist: name a model package (a folder or a .zip).")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is no model package: name the folder or the .zip that the training made.")
    with unpacked(path) as folder:
        return _open(folder, path, critics)


def _open(folder: Path, package: Path, critics: bool) -> Model:
    """Open the unpacked ``folder``; errors name ``package``."""
    layout.check_folder(folder, package)
    metadata = read_metadata(folder, package)
    _check_hashes(folder, metadata, package)
    settings, size = metadata.settings, metadata.size
    builders: dict[str, Callable[[], nn.Module]] = {
        layout.MASKS_GENERATOR: partial(make_mask_generator, settings.masks, size),
        layout.TEXTURES_GENERATOR: partial(make_texture_generator, settings.textures),
    }
    if critics:
        builders[layout.MASKS_CRITIC] = partial(make_mask_critic, settings.masks, size)
        builders[layout.TEXTURES_CRITIC] = partial(make_texture_critic, settings.textures)
    try:
        networks = {
            name: read_weights(folder / name, build) for name, build in builders.items() if name in metadata.files
        }
        reference = read_reference(folder / layout.REFERENCE) if layout.REFERENCE in metadata.files else []
    except InputError as error:
        raise refused(package, str(error).replace(str(folder), "").rstrip(".")) from error
    return Model(metadata, settings, *(networks.get(name) for name in layout.WEIGHTS), reference, torch.device("cpu"))


def _check_hashes(folder: Path, metadata: Metadata, package: Path) -> None:
    for name in layout.OPENED[1:]:
        there = (folder / name).is_file()
        if there != (name in metadata.files):
            state = "is missing" if not there else "is not listed in its metadata"
            raise refused(package, f"{name} {state}")
        if there and file_hash(folder / name) != metadata.files[name]:
            raise refused(package, f"{name} was changed or damaged after the package was written")
    pairs = ((layout.MASKS_GENERATOR, layout.MASKS_CRITIC), (layout.TEXTURES_GENERATOR, layout.TEXTURES_CRITIC))
    complete = [all(name in metadata.files for name in pair) for pair in pairs]
    if not any(complete) or sum(name in layout.WEIGHTS for name in metadata.files) != 2 * sum(complete):
        raise refused(package, "it does not hold a generator and its critic for masks, for textures, or for both")
    if layout.TEXTURES_GENERATOR in metadata.files and metadata.window is None:
        raise refused(package, "it paints textures, but its metadata names no window for their intensities")
