"""Features of textures by a network that the user gives; none is shipped or downloaded."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.files import check_name

if TYPE_CHECKING:
    import torch

_BATCH = 32


class FeatureNetwork:
    """A TorchScript network that turns images into feature vectors.

    TorchScript, because every supported torch reads it and published feature networks come in it.

    Args:
        path: a file whose network takes float32 [B, 3, H, W] (three equal channels, the window scaled to −1..1) and
            returns float [B, d]; wrap resizing and normalization into it.
        trusted: the user trusts whoever made it. It is a program: it could write files with the user's rights, and no
            limit of ours would keep it from that.

    Raises:
        InputError: the file is missing, is not trusted, or holds no such network.
    """

    def __init__(self, path: Path, trusted: bool = False) -> None:
        import torch

        if not path.is_file():
            raise InputError(f"The feature network {path} does not exist: name a TorchScript file.")
        check_name(path)
        if not trusted:
            raise InputError(
                f"The feature network {path} is a program (TorchScript), which would run with your rights: if you "
                "trust whoever made it, say so with --trust-feature-network."
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                # torch 2.13 does not annotate the function.
                loaded = torch.jit.load(str(path), map_location="cpu")
                self._network: torch.jit.ScriptModule = loaded.eval()
        except RuntimeError as error:
            raise InputError(f"{path} is not a TorchScript file: save the network with torch.jit.") from error
        self._name = path.name

    def features(self, images: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.float64]:
        """The feature vector of each image.

        Args:
            images: int16 [N, H, W], HU or image units.
            window: lowest and highest intensity.

        Returns:
            float [N, d].
        """
        import torch

        low, high = window
        found = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                block = np.clip((images[start : start + _BATCH] - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0
                batch = torch.from_numpy(block.astype(np.float32))[:, None].expand(-1, 3, -1, -1)
                found.append(self._checked(batch))
        return np.concatenate(found)

    def _checked(self, batch: torch.Tensor) -> NDArray[np.float64]:
        import torch

        try:
            values = self._network(batch)
        except RuntimeError as error:
            raise InputError(
                f"The feature network {self._name} refuses images of shape {tuple(batch.shape)}: "
                "it must take float32 [B, 3, H, W]."
            ) from error
        if not isinstance(values, torch.Tensor) or values.ndim != 2 or len(values) != len(batch):
            raise InputError(f"The feature network {self._name} must return one vector per image, float [B, d].")
        return values.double().numpy()
