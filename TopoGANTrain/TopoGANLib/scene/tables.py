"""MRML table nodes from columns of numbers and words, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

Column = np.ndarray | Sequence[str]


def set_table(node: slicer.vtkMRMLTableNode, columns: Mapping[str, Column]) -> None:
    """Replace the content of a table node in one step, so that no view ever sees half of it.

    Args:
        node: table to fill.
        columns: name → numbers [n] (whole ones of at most 32 bits) or words [n], all of one length.
    """
    table = vtk.vtkTable()
    for name, values in columns.items():
        column = _number_column(values) if isinstance(values, np.ndarray) else _word_column(values)
        column.SetName(name)
        table.AddColumn(column)
    node.SetAndObserveTable(table)


def add_table(scene: slicer.vtkMRMLScene, name: str, columns: Mapping[str, Column]) -> slicer.vtkMRMLTableNode:
    """Add a read-only table node with a fresh name."""
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(name))
    node.SetUseColumnTitleAsColumnHeader(True)
    set_table(node, columns)
    # The tables are results: a slip on the keyboard must not change one.
    node.SetLocked(True)
    return node


def number_columns(node: slicer.vtkMRMLTableNode, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Copy number columns [n] of a table node; empty ones where the table has no rows."""
    return {name: np.array(slicer.util.arrayFromTableColumn(node, name)) for name in names}


def typed_column(words: Sequence[str]) -> Column:
    """Turn words into whole numbers if all are, else into numbers if all are, else leave them.

    Whole numbers beyond 32 bits (seeds) stay words, which keep every digit.
    """
    try:
        whole = [int(word) for word in words]
    except ValueError:
        pass
    else:
        fits = all(abs(number) < 2**31 for number in whole)
        return np.array(whole, np.int32) if fits else list(words)
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return list(words)


def _number_column(values: np.ndarray) -> vtk.vtkDataArray:
    # vtkIntArray, not "long long", which Slicer's plots and table files treat as a stranger.
    if values.dtype.kind in "iu":
        return numpy_to_vtk(values.astype(np.int32), deep=True, array_type=vtk.VTK_INT)
    return numpy_to_vtk(values.astype(np.float64), deep=True, array_type=vtk.VTK_DOUBLE)


def _word_column(words: Sequence[str]) -> vtk.vtkStringArray:
    column = vtk.vtkStringArray()
    for word in words:
        column.InsertNextValue(word)
    return column
