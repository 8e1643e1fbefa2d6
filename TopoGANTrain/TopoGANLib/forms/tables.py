"""How tables of a form share their room."""

from __future__ import annotations

from typing import Any

import qt

_FRAME = 6
# Of a widget without a limit (QWIDGETSIZE_MAX).
_ANY_HEIGHT = 16777215


def stretch_first_column(table: Any) -> None:
    """Let each column be as wide as what it holds, and the first as wide as there is room.

    Where that does not suffice, it has two lines: rows follow its width, and the letters, whose size the user may
    change at any time.
    """
    table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    header = table.horizontalHeader()
    header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
    header.setSectionResizeMode(0, qt.QHeaderView.Stretch)


def limit_rows(table: Any, most: int) -> None:
    """Let a table that is as high as its rows, *AdjustToContents*, show about so many of them at once."""
    many = table.rowCount > most
    table.setMaximumHeight((1 + most) * _lowest(table) + _FRAME if many else _ANY_HEIGHT)


def fix_rows(table: Any, most: int) -> None:
    """Let a table show its rows, about so many at once, and no room below them."""
    # Rows and their header are equally high.
    table.setFixedHeight((1 + min(table.rowCount, most)) * _lowest(table) + _FRAME)


def _lowest(table: Any) -> int:
    return min(table.rowHeight(row) for row in range(max(1, table.rowCount)))
