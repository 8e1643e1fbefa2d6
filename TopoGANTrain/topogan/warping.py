"""Random smooth changes of the place and shape of what images and volumes show.

A *grid* says for each output pixel where its value comes from. It is drawn once, and then moves probabilities, label
maps and images alike. Axes are counted as arrays have them: (H, W) or (D, H, W).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import radians
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

Generator = torch.Generator | np.random.Generator
Outside = Literal["zeros", "border"]
"""What is seen beyond the edges: nothing, or the nearest pixel (of intensities, and of what goes on there)."""

# Intervals of the coarse grid along an axis: bends of a quarter of the width, coarser than the parts of a structure.
_INTERVALS = 4
# Free-form deformations of cubic B-splines cannot fold below this displacement in intervals (Choi & Lee, Graphical
# Models 2000: 0.48 in two dimensions, 0.40 in three). What does not fold keeps its topology.
MOST_DEFORMATION = 0.40 / _INTERVALS


@dataclass(frozen=True)
class Warp:
    """The most that is changed, either way; all values in between are equally likely.

    Attributes:
        shift: along each axis, as a share of the width (the last axis).
        turn: degrees; in volumes about each axis.
        scale: isotropic, from exp(-scale) to exp(scale).
        deformation: smooth displacement along each axis, as a share of the width, up to :data:`MOST_DEFORMATION`.
        flip: mirror each axis of every second sample. Anatomy has sides: off unless it is asked for.
    """

    shift: float = 0.0
    turn: float = 0.0
    scale: float = 0.0
    deformation: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.deformation <= MOST_DEFORMATION:
            raise ValueError(
                f"A deformation of {self.deformation:g} of the width can fold: use 0 to {MOST_DEFORMATION:g}."
            )

    def times(self, strength: float) -> Warp:
        """The same with every change multiplied by ``strength`` (but for flips); bent no more than cannot fold."""
        shift, turn, scale, deformation = (
            strength * change for change in (self.shift, self.turn, self.scale, self.deformation)
        )
        return Warp(shift, turn, scale, min(deformation, MOST_DEFORMATION), self.flip)


def draw_grids(
    count: int,
    shape: Sequence[int],
    warp: Warp,
    generator: Generator,
    chance: float = 1.0,
    device: torch.device | None = None,
) -> Tensor:
    """Draw where the pixels of ``count`` samples come from.

    Of the random numbers as many are drawn whatever the strengths are, so that a seed means the same for all of them.

    Args:
        count: number of samples B.
        shape: (H, W) or (D, H, W), pixels.
        warp: how much may be changed.
        generator: source of the changes: a torch generator of the CPU, or one of NumPy.
        chance: with which each kind of change happens to a sample (Karras et al., NeurIPS 2020, call it p).
        device: where the grids are wanted; the CPU by default. The random numbers are the same on all.

    Returns:
        float32 [B, H, W, 2] or [B, D, H, W, 3], as :func:`torch.nn.functional.grid_sample` takes it with
        ``align_corners=False``: the last axis of the array comes first, -1 and 1 are its outer edges.
    """
    axes, width = len(shape), shape[-1]
    planes = list(combinations(range(axes), 2))

    def draw(*each: int) -> Tensor:
        """Uniform in [-1, 1) where the change happens, else 0: [count, *each]."""
        happens = _uniform(generator, (count, *(1,) * len(each))) < chance
        return torch.where(happens, 2 * _uniform(generator, (count, *each)) - 1, 0.0)

    shifts, turns, scales = draw(axes), draw(len(planes)), draw(1)
    coarse = draw(*(_INTERVALS + 3,) * axes, axes)
    flips = draw(axes)

    skew = torch.zeros(count, axes, axes)
    for plane, (first, second) in enumerate(planes):
        angle = radians(warp.turn) * turns[:, plane]
        skew[:, first, second], skew[:, second, first] = -angle, angle
    matrix = torch.linalg.matrix_exp(skew) * torch.exp(warp.scale * scales)[:, :, None]
    if warp.flip:
        matrix = matrix * torch.where(flips > 0, -1.0, 1.0)[:, None, :]

    # Few numbers so far; from here on there are as many as pixels.
    matrix, shifts, coarse = (part.to(device) for part in (matrix, shifts, coarse))
    centered = torch.stack(torch.meshgrid(*(_centers(size) for size in shape), indexing="ij"), -1).to(matrix)
    place = torch.einsum("...j,bij->b...i", centered, matrix)
    place = place + (warp.shift * width * shifts).reshape(count, *(1,) * axes, axes)
    if warp.deformation > 0.0:
        place = place + warp.deformation * width * _smooth(coarse, shape)
    return (place * (2.0 / place.new_tensor(shape))).flip(-1)


def warped(images: Tensor, grids: Tensor, outside: Outside = "zeros") -> Tensor:
    """Move images [B, C, H, W] (or volumes), linear between pixels, differentiable by the images.

    Of probabilities of structures, 0 outside, what is left to 1 stays that of the background.

    Args:
        images: float, on any device.
        grids: of :func:`draw_grids`.
        outside: what is seen beyond the edges.
    """
    return grid_sample(images, grids.to(images), "bilinear", outside, align_corners=False)


def warped_labels(
    labels: NDArray[np.uint8], structures: int, grids: Tensor, outside: Outside = "zeros"
) -> NDArray[np.uint8]:
    """Move label maps: each pixel gets the label, of background and structures, that weighs most there.

    Ids stay ids, and contours are smoother than those of the nearest pixel.

    Args:
        labels: uint8 ids [B, H, W] or [B, D, H, W], 0 to ``structures``.
        structures: number K of structures.
        grids: of :func:`draw_grids`.
        outside: what is seen beyond the edges.
    """
    ids = torch.arange(1, structures + 1, dtype=torch.uint8).view(-1, *(1,) * (labels.ndim - 1))
    shares = warped((torch.from_numpy(labels).unsqueeze(1) == ids).float().to(grids), grids, outside)
    best, channel = shares.max(1)
    found: NDArray[np.uint8] = ((channel + 1) * (best >= 1 - shares.sum(1))).to(torch.uint8).cpu().numpy()
    return found


def _uniform(generator: Generator, shape: Sequence[int]) -> Tensor:
    """Uniform in [0, 1), float32."""
    if isinstance(generator, torch.Generator):
        return torch.rand(*shape, generator=generator)
    return torch.from_numpy(generator.random(tuple(shape), dtype=np.float32))


def _centers(size: int) -> Tensor:
    """Centers of the pixels along an axis, 0 in the middle."""
    return torch.arange(size, dtype=torch.float32) - (size - 1) / 2


def _smooth(coarse: Tensor, shape: Sequence[int]) -> Tensor:
    """Cubic B-splines through a coarse grid: [B, n, …, axes] -> [B, *shape, axes], no larger than its values."""
    found = coarse
    for size in shape:
        # Each turn smooths the first axis of space and puts it behind the others.
        found = torch.tensordot(found, _splines(size).to(found), dims=([1], [0]))
    return found.movedim(1, -1)


def _splines(size: int) -> Tensor:
    """How much each node of the coarse grid counts at each pixel: float32 [nodes, size], sum 1 over the nodes."""
    at = (torch.arange(size, dtype=torch.float64) + 0.5) * (_INTERVALS / size)
    nodes = torch.arange(-1, _INTERVALS + 2, dtype=torch.float64)
    distance = (at[None, :] - nodes[:, None]).abs()
    near = 2 / 3 - distance.square() + distance.pow(3) / 2
    far = (2 - distance).clamp(min=0).pow(3) / 6
    return torch.where(distance < 1, near, far).float()
