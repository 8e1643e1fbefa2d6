"""The figures of a comparison as a table: samples beside real against real, structure by structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qt
from slicer.i18n import tr as _

from TopoGANLib.forms.tables import fix_rows, stretch_first_column

if TYPE_CHECKING:
    from topogan_contract.comparison import Comparison, MetricRow

_MOST_ROWS_IN_SIGHT = 12
_COLUMNS = 3


class CompareTable:
    """Works with a QTableWidget."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._shown: Comparison | None = None
        table.setColumnCount(_COLUMNS)
        table.setHorizontalHeaderLabels([_("Figure"), _("Samples"), _("Real")])
        table.verticalHeader().setVisible(False)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        stretch_first_column(table)

    def show(self, comparison: Comparison) -> None:
        """Fill it, unless it shows that already."""
        if comparison is self._shown:
            return
        self._shown = comparison
        rows: list[MetricRow | str] = []
        before = ""
        for metric in comparison.metrics:
            if metric.structure != before:
                rows.append(metric.structure or _("All structures"))
                before = metric.structure
            rows.append(metric)
        table = self._table
        table.clearSpans()
        table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            if isinstance(row, str):
                self._put(number, [row, "", ""], "")
                table.setSpan(number, 0, 1, _COLUMNS)
                table.item(number, 0).setTextAlignment(qt.Qt.AlignHCenter | qt.Qt.AlignVCenter)
            else:
                cells = [row.name, with_unit(row.samples, row.unit), with_unit(row.real, row.unit)]
                self._put(number, cells, what_it_means(row))
        fix_rows(table, _MOST_ROWS_IN_SIGHT)

    def _put(self, row: int, cells: list[str], tip: str) -> None:
        for column, text in enumerate(cells):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip)
            if column > 0:
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            self._table.setItem(row, column, item)


def with_unit(value: float | None, unit: str) -> str:
    """Three significant digits with a short unit; a dash where there is no value. Long units are in the tool tip."""
    if value is None:
        return "–"
    number = f"{value:.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"
    # A typographic minus, as wide as a digit.
    number = number.replace("-", "−")
    return f"{number} {unit}" if unit and " " not in unit else number


def what_it_means(row: MetricRow) -> str:
    """Meaning, unit, which way is better, and how both stand to each other, line by line."""
    better = {
        "lower": _("Lower is better."),
        "higher": _("Higher is better."),
        "equal to real": _("Best as in real data."),
    }[row.better]
    unit = _("In {unit}.").format(unit=row.unit) if " " in row.unit else ""
    beside = _("Samples: {beside}.").format(beside=row.beside) if row.beside != "–" else ""
    return "\n".join(filter(None, (row.meaning, unit, better, beside)))
