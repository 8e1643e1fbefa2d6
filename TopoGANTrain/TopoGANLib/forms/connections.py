"""Signals that a panel has connected, so that it can let go of all of them when it is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Connections:
    """Usage::

    connections = Connections()
    connections.add(button, "clicked()", self.start)
    connections.close()
    """

    def __init__(self) -> None:
        self._made: list[tuple[Any, str, Callable[..., None]]] = []

    def add(self, sender: Any, signal: str, slot: Callable[..., None]) -> None:
        """Connect by the signal's signature, which is the same in Qt 5 and 6 and names one overload."""
        sender.connect(signal, slot)
        self._made.append((sender, signal, slot))

    def close(self) -> None:
        """Disconnect everything."""
        while self._made:
            sender, signal, slot = self._made.pop()
            sender.disconnect(signal, slot)
