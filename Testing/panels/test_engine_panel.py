"""What the panel says of its engine, in a line while all is well, and in words where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell_doctor
from train_bench import ready

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench

_IDLE = "NVIDIA X is there, but this torch (2.9) cannot use it: install a CUDA build of torch."
_SLOW = "This gudhi (3.9) lacks the fast routine for images: everything works, but slowly; install another version."


@pytest.mark.parametrize(
    ("found", "title", "words", "collapsed"),
    [
        (
            {"devices": ["cuda", "cpu"], "gpu": "NVIDIA X", "python": "3.12.10"},
            "Engine: ready, on the GPU",
            ["Ready: engine 1.2.3, torch 2.9, Python 3.12.10.", "It computes on the GPU: NVIDIA X."],
            True,
        ),
        (
            {"notes": [_SLOW]},
            "Engine: ready, on the CPU",
            ["Ready: engine 1.2.3, torch 2.9.", "No GPU was found: it computes on the CPU.", _SLOW],
            True,
        ),
        (
            {"gpu": "NVIDIA X", "problems": [_IDLE]},
            "Engine: ready, on the CPU",
            ["Ready: engine 1.2.3, torch 2.9.", _IDLE],
            False,
        ),
    ],
)
def test_a_usable_engine(
    bench: Bench, engine: Engine, found: dict[str, Any], title: str, words: list[str], collapsed: bool
) -> None:
    tell_doctor(engine, **found)
    widget = ready(bench)
    ui = widget.ui
    assert ui.engineCollapsibleButton.text == title
    assert ui.engineStatusLabel.text.splitlines() == words
    assert ui.engineCollapsibleButton.collapsed == collapsed
    ui.engineCollapsibleButton.collapsed = False
    assert not ui.installEngineButton.visible
    bench.picture("TopoGANTrain", f"engine, {title[8:]}, {len(words)}{' idle GPU' if not collapsed else ''}")


def test_an_engine_that_is_not_ready(bench: Bench, engine: Engine) -> None:
    from bench import pump

    tell_doctor(engine, packages={"torch": ""}, devices=[], problems=["torch is not installed."])
    widget = bench.open("TopoGANTrain")
    assert widget.ui.engineCollapsibleButton.text == "Engine"
    pump(lambda: widget.ui.engineCollapsibleButton.text == "Engine: not ready")
    assert widget.ui.installEngineButton.visible
    widget.ui.pythonPathLineEdit.currentPath = "/other/python"
    assert widget.ui.engineCollapsibleButton.text == "Engine", "nobody knows yet"
