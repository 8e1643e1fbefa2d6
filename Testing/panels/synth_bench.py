"""Works the synthesis panel as a user does."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fake_engine import tell

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

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


def generated(bench: Bench, engine: Engine, model: Path, folder: Path) -> Any:
    """The panel with six samples of two structures and a union, with textures, of which the third is open."""
    tell(engine, "serve", f"folder={writers().write_structures(folder / 'structures')}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "Finished: ")
    return widget


def to_compare(bench: Bench, engine: Engine, model: Path, folder: Path) -> Any:
    """The same, ready to be compared."""
    widget = generated(bench, engine, model, folder)
    widget.ui.compareCollapsibleButton.collapsed = False
    return widget
