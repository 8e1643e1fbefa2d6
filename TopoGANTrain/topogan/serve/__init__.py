"""Answering synthesis requests while a panel is open, with one model kept in memory.

Panel and engine meet in a folder: the panel puts ``requests/<id>.json``, the engine ``results/<id>/``. The panel starts
the engine with a fresh folder, creates ``requests/<id>.cancel`` to stop one request and ``stop`` to end the engine.
"""

from __future__ import annotations

from topogan.serve.loop import serve

__all__ = ["serve"]
