"""Draw the pictures of topology.md: ``python Resources/Docs/make_topology_figures.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from scipy.ndimage import binary_fill_holes

from topogan.config import TopologySettings
from topogan.homology import Diagram, betti_numbers, cubical_persistence, distance_filtration
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets

OUT = Path(__file__).parent / "topology"
STRUCTURE = ListedColormap(["#f4f1ea", "#b5443c"])
COMPONENT, HOLE = "#1f4e79", "#d98200"


def ring(gap: int = 0) -> np.ndarray:
    """A round wall, 3 to 4 pixels thick; ``gap`` rows of it are missing on the right."""
    rows, columns = np.indices((30, 30))
    away = np.hypot(rows - 14.5, columns - 14.5)
    mask = (away > 6.5) & (away < 10.5)
    mask[15 - gap // 2 : 15 - gap // 2 + gap, 15:] = False
    return mask


def comb() -> np.ndarray:
    """A spine with teeth that run out of the image."""
    mask = np.zeros((19, 19), dtype=bool)
    mask[3:16, 3] = True
    mask[3:16:4, 3:] = True
    return mask


def show(axes: Axes, mask: np.ndarray, title: str) -> None:
    """A mask, its pixels as squares, and its Betti numbers."""
    axes.imshow(mask, cmap=STRUCTURE, vmin=0, vmax=1)
    components, holes = betti_numbers(mask)
    axes.set_title(f"{title}\n$b_0={components}$, $b_1={holes}$", fontsize=9)
    bare(axes, mask.shape)


def bare(axes: Axes, shape: tuple[int, int]) -> None:
    """Pixel borders in place of ticks."""
    axes.set_xticks(np.arange(-0.5, shape[1]), [])
    axes.set_yticks(np.arange(-0.5, shape[0]), [])
    axes.grid(color="#00000018", linewidth=0.4)
    axes.tick_params(length=0)


def bars(axes: Axes, diagram: Diagram, end: float, unit: str) -> None:
    """The classes of a diagram as horizontal bars, the longest of each dimension at the bottom."""
    for row, (dimension, (birth, death)) in enumerate(diagram.to_gudhi()):
        color = COMPONENT if dimension == 0 else HOLE
        axes.plot([birth, min(death, end)], [row, row], color=color, linewidth=4, solid_capstyle="butt")
    axes.plot([], [], color=COMPONENT, linewidth=4, label="components ($H_0$)")
    axes.plot([], [], color=HOLE, linewidth=4, label="holes ($H_1$)")
    axes.set_xlim(-0.02 * end, end)
    axes.set_ylim(-1, max(len(diagram), 2))
    axes.set_yticks([])
    axes.set_xlabel(unit, fontsize=9)
    axes.legend(fontsize=7, loc="upper right", frameon=False)


def filtration() -> plt.Figure:
    """A ring with a gap, its distance filtration, three of its levels, and its bars."""
    mask = ring(gap=3)
    image = distance_filtration(mask)
    diagram = cubical_persistence(image).longer_than(1.0)
    figure, axes = plt.subplots(1, 6, figsize=(15, 2.9))
    show(axes[0], mask, "mask")
    axes[1].imshow(image, cmap="magma_r")
    hole = diagram.of_dimension(1)
    axes[1].plot(*hole.birth_index[0][::-1], "o", color=HOLE, markeredgecolor="w", label="birth pixel")
    axes[1].plot(*hole.death_index[0][::-1], "s", color=HOLE, markeredgecolor="w", label="death pixel")
    axes[1].set_title("distance to the structure", fontsize=9)
    axes[1].legend(fontsize=7, loc="lower left")
    bare(axes[1], mask.shape)
    for panel, level in zip(axes[2:5], (1.0, hole.birth[0], hole.death[0]), strict=True):
        show(panel, image <= level, f"distance ≤ {level:.3g} px")
    bars(axes[5], diagram, 9.0, "distance in pixels")
    return figure


def connectivity() -> plt.Figure:
    """What touches: squares that share a corner."""
    diamond = np.zeros((5, 5), dtype=bool)
    diamond[[1, 2, 2, 3], [2, 1, 3, 2]] = True
    figure, axes = plt.subplots(1, 2, figsize=(4.6, 2.6))
    show(axes[0], np.eye(4, dtype=bool), "corners connect structure")
    show(axes[1], diamond, "and enclose background")
    return figure


def border() -> plt.Figure:
    """A comb without and with the border."""
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.9))
    show(axes[0], comb(), "without a border")
    bordered = distance_filtration(comb(), border=True)
    show(axes[1], bordered == 0, "border = True")
    bars(axes[2], cubical_persistence(bordered).longer_than(1.0), 4.0, "distance in pixels")
    return figure


def descend(start: np.ndarray, real: np.ndarray, settings: TopologySettings) -> tuple[np.ndarray, np.ndarray]:
    """The first pull on each pixel, and the probabilities after 200 steps of Adam on the logits ``start``."""
    logits = torch.tensor(start, dtype=torch.float32)[None, None].requires_grad_()
    loss, targets = TopologyLoss(settings), TopologyTargets.from_masks(real[None], settings)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    first = None
    for _ in range(200):
        optimizer.zero_grad()
        loss(logits, targets).backward()
        first = -logits.grad.numpy()[0, 0].copy() if first is None else first
        optimizer.step()
    return first, torch.sigmoid(logits.detach()).numpy()[0, 0]


def logits_of(mask: np.ndarray) -> np.ndarray:
    """What a generator that is not very sure of a mask puts out."""
    return np.where(mask, 0.6, -0.6) + np.random.default_rng(0).normal(0.0, 0.05, mask.shape)


def losses() -> plt.Figure:
    """Where each mode pulls at first, and where that ends."""
    filled = logits_of(binary_fill_holes(ring()))
    filled[12:18, 12:18] -= 0.3
    paper, likelihood = TopologySettings(mode="paper"), TopologySettings()
    rows = [
        ("paper: close", logits_of(ring(gap=3)), ring(), paper),
        ("paper: open", logits_of(ring()), ring(gap=3), paper),
        ("likelihood: close", logits_of(ring(gap=3)), ring(), likelihood),
        ("likelihood: make a hole", filled, ring(), likelihood),
    ]
    figure, axes = plt.subplots(len(rows), 4, figsize=(10.5, 12.5))
    for (name, start, real, settings), panels in zip(rows, axes, strict=True):
        pull, end = descend(start, real, settings)
        show(panels[0], start >= 0, f"{name}\nstart")
        show(panels[1], real, "real mask")
        strongest = np.abs(pull).max()
        panels[2].imshow(pull, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
        panels[2].contour(start, levels=[0.0], colors="k", linewidths=0.6)
        panels[2].set_title("first pull: to structure (red)\nor to background (blue)", fontsize=9)
        bare(panels[2], start.shape)
        show(panels[3], end >= 0.5, "after 200 steps")
    return figure


def main() -> None:
    """Draw all of them."""
    OUT.mkdir(exist_ok=True)
    for draw in (filtration, connectivity, border, losses):
        figure = draw()
        figure.tight_layout()
        figure.savefig(OUT / f"{draw.__name__}.png", dpi=80, bbox_inches="tight")
        plt.close(figure)


if __name__ == "__main__":
    main()
