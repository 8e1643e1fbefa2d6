"""A list of names to tick, for the segments that are learned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt

from TopoGANLib.forms.connections import Connections


class SegmentsList:
    """Works with a QListWidget."""

    def __init__(self, box: Any, chosen: Callable[[list[str]], None]) -> None:
        """Show nothing.

        Args:
            box: the widget.
            chosen: is called with the ticked names when the user has ticked another.
        """
        self._box, self._chosen = box, chosen
        self._showing = False
        # Qt draws the frame of a box to tick in a shade of the window, which in the dark theme is that of the list.
        palette = qt.QPalette()
        palette.setColor(qt.QPalette.Window, palette.color(qt.QPalette.Light))
        box.setPalette(palette)
        self._connections = Connections()
        self._connections.add(box, "itemChanged(QListWidgetItem*)", self._take)

    def show(self, known: Sequence[str], chosen: Sequence[str]) -> None:
        """List the names that there are, and those that are chosen though there are none."""
        names = [*known, *(name for name in chosen if name not in known)]
        if [(name, name in chosen) for name in names] == self._listed():
            return
        self._showing = True
        if names != [name for name, _ticked in self._listed()]:
            self._box.clear()
            for name in names:
                self._box.addItem(name)
        for row, name in enumerate(names):
            item = self._box.item(row)
            item.setFlags(item.flags() | qt.Qt.ItemIsUserCheckable)
            item.setCheckState(qt.Qt.Checked if name in chosen else qt.Qt.Unchecked)
            item.setToolTip(name)
        self._showing = False

    def close(self) -> None:
        """Let go of the widget."""
        self._connections.close()

    def _listed(self) -> list[tuple[str, bool]]:
        items = [self._box.item(row) for row in range(self._box.count)]
        return [(item.text(), item.checkState() == qt.Qt.Checked) for item in items]

    def _take(self) -> None:
        if not self._showing:
            self._chosen([name for name, ticked in self._listed() if ticked])
