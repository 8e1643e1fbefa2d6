"""Works the synthesis panel as a user does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench import Bench

_WRITERS = Path(__file__).resolve().parents[1] / "mrml" / "conftest.py"


def writers() -> Any:
    """The module that writes synthesis folders."""
    spec = importlib.util.spec_from_file_location("synthesis_writers", _WRITERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ready(bench: Bench) -> Any:
    from bench import pump

    widget = bench.open("TopoGANSynth")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    return widget


def choose(box: Any, text: str) -> None:
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count)]
    box.setCurrentIndex(index)


def generate(widget: Any, until: str = "Finished.") -> None:
    from bench import pump

    widget.ui.generateButton.click()
    pump(lambda: until in widget.ui.statusLabel.text)
