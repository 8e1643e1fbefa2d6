"""Works the training panel as a user does."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench


def ready(bench: Bench) -> Any:
    """Open the panel, wait for the engine's answer, and list the scene's patient, if there is one."""
    import slicer
    from bench import pump

    widget = bench.open("TopoGANTrain")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    if slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode") and not widget.ui.patientsTable.rowCount:
        widget.ui.addPatientButton.click()
    return widget


def tick_segments(widget: Any, *names: str) -> None:
    """Learn these segments and no others, by ticking them one by one."""
    from PySide6.QtCore import Qt

    box = widget.ui.segmentsList
    items = {box.item(row).text(): box.item(row) for row in range(box.count)}
    assert set(names) <= set(items), list(items)
    for name, item in items.items():
        item.setCheckState(Qt.CheckState.Checked if name in names else Qt.CheckState.Unchecked)


def ticked_segments(widget: Any) -> list[str]:
    """Names of the segments that are learned."""
    from PySide6.QtCore import Qt

    box = widget.ui.segmentsList
    items = [box.item(row) for row in range(box.count)]
    return [item.text() for item in items if item.checkState() == Qt.CheckState.Checked]


def listed_patients(widget: Any) -> list[Any]:
    """The rows of the table."""
    from TopoGANTrainLib.data.patients import PatientList

    return PatientList(widget.logic.getParameterNode().parameterNode).patients


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


def asked_for(
    widget: Any, monkeypatch: pytest.MonkeyPatch, read: Callable[[dict[str, Any]], None] = lambda request: None
) -> dict[str, Any]:
    """Press Start; return what the engine is asked to prepare, which then does not start.

    Args:
        widget: of the module.
        monkeypatch: keeps the engine from starting.
        read: is called with the request while its files are there.
    """
    from bench import pump

    requests: list[dict[str, Any]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        folder = Path(arguments[arguments.index("--prepare") + 1])
        requests.append(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        read(requests[-1])
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
