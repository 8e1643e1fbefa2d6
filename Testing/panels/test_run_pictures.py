"""The panel during and after a training, in letters of two sizes: nothing of it is cut off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from test_plots import history
from test_run_view import write_history
from test_samples_view import sheet, write
from train_bench import ready, status

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.fixture(params=[9, 12])
def letters(request: pytest.FixtureRequest) -> Any:
    from bench import font_of

    with font_of(request.param):
        yield request.param


def test_running_stopped_and_finished(bench: Bench, scene: Any, engine: Engine, letters: int) -> None:
    from bench import pump

    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step 5 of 60" in status(widget))
    run = widget.logic.session.run
    write_history(run, history(50))
    write(run, "masks-00000010", sheet())
    pump(lambda: widget.ui.plotsSection.visible and widget.ui.previewLabel.visible)
    widget.ui.showPlotsButton.click()
    widget.ui.logCollapsibleButton.collapsed = False
    pump(lambda: widget.ui.logTextEdit.plainText != "")
    bench.picture("TopoGANTrain", f"{letters} points, running with plots")
    widget.ui.startButton.click()
    (run / "go").touch()
    pump(lambda: "Stopped" in status(widget))
    assert widget.ui.showPlotsButton.visible
    bench.picture("TopoGANTrain", f"{letters} points, stopped")
    widget.ui.resumeButton.click()
    pump(lambda: "Finished" in status(widget))
    assert widget.ui.previewLabel.visible
    bench.picture("TopoGANTrain", f"{letters} points, finished")


def test_failed_with_its_cause(bench: Bench, scene: Any, engine: Engine, letters: int) -> None:
    from bench import pump

    tell(engine, "train", "failing")
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: not widget.logic.isRunning)
    assert status(widget) == "The loss is not a number: lower the learning rate."
    widget.ui.logCollapsibleButton.collapsed = False
    bench.picture("TopoGANTrain", f"{letters} points, failed")
