"""Features of textures by a ResNet-50 whose weights the user gives; none are shipped or downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.files import check_exists, check_name

if TYPE_CHECKING:
    import torch

_BATCH = 32
# What torchvision's weights were trained on (https://pytorch.org/vision/stable/models.html): width, mean and deviation.
_WIDTH = 224
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FeatureNetwork:
    """A ResNet-50 (He et al., CVPR 2016) that turns images into its 2048 features before the last layer.

    Its weights alone come from the file, so that nobody's program runs: those of ImageNet or RadImageNet, for example.

    Args:
        path: safetensors file with the names and shapes of torchvision's ``resnet50``, without ``fc``.

    Raises:
        InputError: the file is missing, damaged, or holds other weights.
    """

    def __init__(self, path: Path) -> None:
        from topogan.model.weights import read_weights

        check_name(path)
        check_exists(path)
        if not path.is_file():
            raise InputError(f"The feature network {path} is no file: name one that ends with .safetensors.")
        try:
            self._network = read_weights(path, _untrained)
        except InputError as error:
            raise InputError(
                f"The feature network {path} cannot be used ({error}): give the weights of a ResNet-50 without fc, "
                "in torchvision's names, as safetensors."
            ) from error
        self._name = path.name

    def features(self, images: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.float64]:
        """The feature vector of each image, which is enlarged to 224 × 224 pixels.

        Cost: 4 GFLOPs an image.

        Args:
            images: int16 [N, H, W], HU or image units.
            window: lowest and highest intensity.

        Returns:
            float [N, 2048].

        Raises:
            InputError: the weights lead to no numbers.
        """
        import torch
        from torch.nn.functional import interpolate

        low, high = window
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (_MEAN, _DEVIATION))
        found = []
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                block = np.clip((images[start : start + _BATCH] - low) / (high - low), 0.0, 1.0)
                batch = torch.from_numpy(block.astype(np.float32))[:, None]
                enlarged = interpolate(batch, size=(_WIDTH, _WIDTH), mode="bilinear", align_corners=False)
                found.append(self._network((enlarged - mean) / deviation).double().numpy())
        features = np.concatenate(found)
        if not np.isfinite(features).all():
            raise InputError(f"The feature network {self._name} computes NaN or infinity: its weights are damaged.")
        return features


def _untrained() -> torch.nn.Module:
    # Imported here because MONAI's import takes two seconds. Its module has torchvision's names; stride and bias of
    # these layers are torchvision's, which MONAI's own are not.
    from monai.networks.nets.resnet import resnet50

    network: torch.nn.Module = resnet50(
        spatial_dims=2, n_input_channels=3, conv1_t_stride=2, feed_forward=False, bias_downsample=False
    )
    return network
