"""What the table of samples says of each: Betti numbers, verdicts, and how many real samples have the same topology."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import slicer
import vtk

from topogan_contract.synthesis import VALID, real_column, region_columns, size_column

# Of version 0.1, whose only structure is not named.
_FIRST = ("b0", "b1", "verdict")


@dataclass(frozen=True)
class Judgement:
    """On one structure, or union of some, of one sample."""

    region: str
    betti: tuple[int, ...]
    """Pieces and holes, of volumes pieces, tunnels and cavities."""
    said: str
    """The engine's verdict: "valid", "no hole", "2 pieces instead of 1" …"""
    real_percent: float | None
    """Of real samples (slices of the same level) how many have these Betti numbers; None where nobody knows."""
    milliliters: float | None
    """None of slices."""

    @property
    def valid(self) -> bool:
        """Whether nothing is wrong."""
        return self.said.startswith(VALID)


@dataclass(frozen=True)
class SampleTable:
    """The node of samples.csv."""

    node: slicer.vtkMRMLTableNode
    regions: tuple[str, ...]
    axes: int

    def betti(self, sample: int, region: int) -> tuple[int, ...]:
        """Betti numbers of a region; none where the table lacks them."""
        for columns in (region_columns(self.regions[region], self.axes)[:-1], _FIRST[:-1]):
            cells = [self._cell(sample, column) for column in columns]
            if all(cell is not None for cell in cells):
                return tuple(cell.ToInt() for cell in cells)
        return ()

    def judgements(self, sample: int) -> list[Judgement]:
        """On each region, where the table has verdicts."""
        found = []
        for number, region in enumerate(self.regions):
            betti = self.betti(sample, number)
            said = self._cell(sample, region_columns(region, self.axes)[-1]) or self._cell(sample, _FIRST[-1])
            if betti and said is not None:
                share = self._number(sample, real_column(region))
                size = self._number(sample, size_column(region, self.axes)) if self.axes == 3 else None
                found.append(Judgement(region, betti, said.ToString(), share, size))
        return found

    def caption(self, sample: int, region: int) -> str:
        """One line about a sample: its number and, where the table has them, a region's Betti numbers."""
        betti = self.betti(sample, region)
        name = f", {self.regions[region]}" if len(self.regions) > 1 else ""
        numbers = ", ".join(f"b{dimension} = {number}" for dimension, number in enumerate(betti))
        return f"sample {sample}{name}" + (f" ({numbers})" if betti else "")

    def short_caption(self, sample: int) -> str:
        """The same for small pictures: number (b0, b1); of several structures, how many are valid."""
        if len(self.regions) > 1:
            valid = [one.valid for one in self.judgements(sample)]
            return f"{sample}: {sum(valid)} of {len(valid)} valid" if valid else f"{sample}"
        betti = self.betti(sample, 0)
        return f"{sample}" + (f" ({', '.join(map(str, betti))})" if betti else "")

    def are_valid(self, samples: Sequence[int]) -> list[bool]:
        """Whether nothing is wrong with any region of each; yes, where the table has no verdicts."""
        table = self.node.GetTable()
        names = [region_columns(region, self.axes)[-1] for region in self.regions]
        own = [column for column in map(table.GetColumnByName, names) if column is not None]
        first = table.GetColumnByName(_FIRST[-1])
        columns = own or ([] if first is None else [first])
        return [
            all(column.GetVariantValue(sample).ToString().startswith(VALID) for column in columns) for sample in samples
        ]

    @staticmethod
    def usual_betti(metrics: slicer.vtkMRMLTableNode, region: int) -> tuple[int, ...] | None:
        """The most frequent Betti numbers of real samples, from the node of report.json; None where it lacks them."""
        names = metrics.GetTable().GetColumnByName("metric")
        row = -1 if names is None else names.LookupValue(f"model: betti: modal: {region}")
        if row < 0:
            return None
        words = metrics.GetTable().GetColumnByName("value").GetValue(row).split(", ")
        return tuple(int(word) for word in words) if all(word.isdecimal() for word in words) else None

    def _number(self, sample: int, name: str) -> float | None:
        cell = self._cell(sample, name)
        return None if cell is None or not cell.IsNumeric() else float(cell.ToDouble())

    def _cell(self, sample: int, name: str) -> vtk.vtkVariant | None:
        column = self.node.GetTable().GetColumnByName(name)
        return None if column is None else column.GetVariantValue(sample)
