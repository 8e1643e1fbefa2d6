"""Works the training panel as a user does."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench


def ready(bench: Bench) -> Any:
    """Open the panel and wait for the engine's answer."""
    from bench import pump

    widget = bench.open("TopoGANTrain")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    return widget


def choose(box: Any, text: str) -> None:
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count)]
    box.setCurrentIndex(index)
    box.activated.emit(index)


def status(widget: Any) -> str:
    return widget.ui.statusLabel.text


def lines_for_paths(ui: Any) -> dict[str, Any]:
    return {name.removesuffix("PathLineEdit"): line for name, line in vars(ui).items() if name.endswith("PathLineEdit")}


def another_python(folder: Path) -> Path:
    """A program of its own name that can run the engine."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


def asked_for(widget: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Press Start; return what the engine is asked to prepare, which then does not start."""
    from bench import pump

    requests: list[dict[str, Any]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        folder = Path(arguments[arguments.index("--prepare") + 1])
        requests.append(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        raise FileNotFoundError(2, "not today")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "start", refuse)
        widget.ui.statusLabel.text = ""
        widget.ui.startButton.click()
        pump(lambda: "cannot be started (not today)" in status(widget))
    return requests[0]


def sizes_offered(box: Any) -> list[str]:
    """Entries that the user sees, and that wheel and keys stop at."""
    from PySide6 import QtCore

    rows = range(box.count)
    enabled = [row for row in rows if box.model().flags(box.model().index(row, 0)) & QtCore.Qt.ItemIsEnabled]
    assert enabled == [row for row in rows if not box.view().isRowHidden(row)]
    return [box.itemText(row) for row in enabled]
