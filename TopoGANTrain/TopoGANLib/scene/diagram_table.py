"""The table of the diagrams of all samples and regions, from which a saved scene shows any without a folder."""

from __future__ import annotations

import numpy as np
import slicer

from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import Column

_SAMPLE, _REGION, _DIMENSION, _BIRTH, _DEATH = "sample", "region", "dimension", "birth (mm)", "death (mm)"


def diagram_columns(diagrams: list[Diagram], regions: int) -> dict[str, Column]:
    """The columns of the table, for diagrams that lie sample by sample and in a sample region by region."""
    both = [np.concatenate([d.birth_index, d.death_index], axis=1) for d in diagrams]
    pixels = np.concatenate(both)
    number = np.repeat(np.arange(len(diagrams)), [len(d.birth) for d in diagrams])
    return {
        _SAMPLE: number // regions,
        _REGION: number % regions,
        _DIMENSION: np.concatenate([d.dimension for d in diagrams]),
        _BIRTH: np.concatenate([d.birth for d in diagrams]),
        _DEATH: np.concatenate([d.death for d in diagrams]),
        **dict(zip(_pixel_columns(pixels.shape[1] // 2), pixels.T, strict=True)),
    }


def diagram_of(node: slicer.vtkMRMLTableNode, sample: int, region: int | None, axes: int) -> Diagram:
    """The diagram of a region of a sample of slices (2 axes) or volumes (3).

    ``region`` is None where there is but one: tables of version 0.1 do not name it.
    """

    def column(name: str) -> np.ndarray:
        return slicer.util.arrayFromTableColumn(node, name)

    mine = column(_SAMPLE) == sample
    if region is not None:
        mine &= column(_REGION) == region
    rows = np.flatnonzero(mine)
    pixels = [column(name)[rows] for name in _pixel_columns(axes)]
    return Diagram(
        dimension=column(_DIMENSION)[rows],
        birth=column(_BIRTH)[rows],
        death=column(_DEATH)[rows],
        birth_index=np.stack(pixels[:axes], axis=1),
        death_index=np.stack(pixels[axes:], axis=1),
    )


def last_death(node: slicer.vtkMRMLTableNode) -> float:
    """The latest finite death of all, mm.

    Births do not count: that of an empty mask is as far away as the picture is wide.
    """
    deaths = slicer.util.arrayFromTableColumn(node, _DEATH)
    return float(deaths[np.isfinite(deaths)].max(initial=0.0))


def _pixel_columns(axes: int) -> list[str]:
    """Where a class is born and dies: "birth row", "birth column" …"""
    names = ("slice", "row", "column")[-axes:]
    return [f"{event} {name}" for event in ("birth", "death") for name in names]
