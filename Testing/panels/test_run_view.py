"""A training is watched: words, plots, samples, the engine's lines, and how little a look at it costs."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import tell
from test_plots import charts, history, legend, points
from test_samples_view import sheet, write
from train_bench import ready, status

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.history import History
    from TopoGANLib.engine.process import Engine


def write_history(run: Path, curves: History) -> None:
    """As the engine does it, in one step."""
    content = {name: {"steps": c.steps.tolist(), "values": c.values.tolist()} for name, c in curves.curves.items()}
    partial = run / ".history.json.partial"
    partial.write_text(json.dumps({"schema": "topogan.history/1", "curves": content}), encoding="utf-8")
    os.replace(partial, run / "history.json")


@pytest.fixture
def running(bench: Bench, scene: Any, engine: Engine) -> Iterator[tuple[Any, Path]]:
    """The panel and the folder of a run that waits at step 5 of 60 until there is a file ``go`` in it."""
    from bench import pump

    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step 5 of 60" in status(widget))
    yield widget, widget.logic.session.run


def test_plots_are_shown_on_a_click_and_go_on(running: tuple[Any, Path], bench: Bench) -> None:
    import slicer
    from bench import pump

    widget, run = running
    scene, ui = slicer.mrmlScene, widget.ui
    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutConventionalView)
    assert not ui.plotsSection.visible, "there are no curves yet"
    write_history(run, history(50, textures=False))
    pump(lambda: ui.plotsSection.visible)
    assert ui.figuresLabel.text == "Newest samples: 90 % valid, Betti error 0.10 on validation."
    assert not charts(scene), "nobody has asked for them"
    ui.showPlotsButton.click()
    assert layout.GetViewArrangement() == layout.SlicerLayoutConventionalPlotView
    chart = charts(scene)["losses"]
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActivePlotChartID() == chart.GetID()
    assert legend(chart) == ["masks: discriminator", "masks: generator"]
    bench.picture("TopoGANTrain", "running with plots")
    nodes = scene.GetNumberOfNodes()
    write_history(run, history(60, textures=False))
    pump(lambda: points(chart.GetNthPlotSeriesNode(0))[0][-1] == 60)
    assert scene.GetNumberOfNodes() == nodes
    ui.plotComboBox.setCurrentIndex(1)
    assert selection.GetActivePlotChartID() == charts(scene)["topology"].GetID()
    selection.SetActivePlotChartID(None)
    ui.plotComboBox.setCurrentIndex(2)
    assert not selection.GetActivePlotChartID(), "the user looks at something else"


def test_the_last_curves_are_read_though_nothing_runs_any_more(running: tuple[Any, Path], tmp_path: Path) -> None:
    import slicer
    from bench import pump

    widget, run = running
    write_history(run, history(50))
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.showPlotsButton.click()
    write_history(run, history(60))
    (run / "go").touch()
    pump(lambda: "Finished" in status(widget))
    chart = charts(slicer.mrmlScene)["losses"]
    pump(lambda: points(chart.GetNthPlotSeriesNode(0))[0].max() == 60)


def test_two_runs_are_compared_while_one_goes_on(running: tuple[Any, Path], tmp_path: Path) -> None:
    import slicer
    from bench import pump

    widget, run = running
    other = tmp_path / "results" / "Other-1" / "run"
    other.mkdir(parents=True)
    write_history(other, history(30))
    write_history(run, history(50, textures=False))
    pump(lambda: widget.ui.plotsSection.visible)
    widget.panel.plots.compare([run, other])
    found = charts(slicer.mrmlScene)
    pump(lambda: found["topology"].GetNumberOfPlotSeriesNodes() == 4)
    name = run.parent.name
    assert found["losses"].GetTitle() == f"Losses: {name} and Other-1"
    write_history(run, history(60, textures=False))
    pump(lambda: points(found["losses"].GetNthPlotSeriesNode(0))[0].max() == 60)
    assert found["losses"].GetTitle() == f"Losses: {name} and Other-1"
    widget.ui.showPlotsButton.click()
    assert found["losses"].GetTitle() == f"Losses: {name}"


def test_plots_are_found_again_after_a_reload(running: tuple[Any, Path]) -> None:
    import slicer
    from bench import pump

    widget, run = running
    write_history(run, history(50))
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.showPlotsButton.click()
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    slicer.util.reloadScriptedModule("TopoGANTrain")
    fresh = slicer.modules.TopoGANTrainWidget
    pump(lambda: fresh.ui.plotsSection.visible)
    assert fresh.ui.plotComboBox.count == 3
    write_history(run, history(60))
    pump(lambda: points(charts(slicer.mrmlScene)["losses"].GetNthPlotSeriesNode(0))[0].max() == 60)
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes


def test_plots_are_made_anew_after_the_scene_was_closed(running: tuple[Any, Path]) -> None:
    import slicer
    from bench import pump

    widget, run = running
    write_history(run, history(50))
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.showPlotsButton.click()
    slicer.mrmlScene.Clear(False)
    write_history(run, history(60))
    pump(lambda: not widget.panel.plots._feed.busy)
    assert not charts(slicer.mrmlScene), "an empty scene stays empty until somebody asks"
    widget.ui.showPlotsButton.click()
    assert len(charts(slicer.mrmlScene)) == 3


def test_samples_are_shown_and_renewed(running: tuple[Any, Path], bench: Bench) -> None:
    import slicer
    from bench import pump

    widget, run = running
    write(run, "masks-00000010", sheet())
    pump(lambda: widget.ui.previewLabel.visible)
    widget.ui.showSamplesButton.click()
    volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLVectorVolumeNode")
    write(run, "masks-00000020", 255 - sheet())
    pump(lambda: slicer.util.arrayFromVolume(volume)[0, 0, 0].tolist() == [0, 255, 255])
    bench.picture("TopoGANTrain", "running with samples")


def test_the_engines_lines_are_seen_while_it_works(running: tuple[Any, Path], bench: Bench) -> None:
    from bench import pump

    widget, _run = running
    section, text = widget.ui.logCollapsibleButton, widget.ui.logTextEdit
    assert section.visible
    assert section.collapsed
    widget.logic.session.log.write_text("masks 1/60  loss\n" * 50 + "masks 51/60  loss", encoding="utf-8")
    assert text.plainText == "", "nobody looks at it"
    section.collapsed = False
    pump(lambda: "masks 51/60" in text.plainText)
    assert len(text.plainText.splitlines()) == 20
    bench.picture("TopoGANTrain", "running with the log")
    widget.logic.session.log.unlink()
    pump(lambda: text.plainText == "Began.")


def test_for_how_long_it_has_been_working(running: tuple[Any, Path]) -> None:
    from bench import pump

    from TopoGANLib.engine.run_monitor import RunMonitor
    from TopoGANTrainLib.run.run_view import elapsed_seconds

    widget, run = running
    now = (run / "status.json").stat().st_mtime
    os.utime(run / "run.lock", (now - 3700, now - 3700))
    widget.panel.refresh()
    assert status(widget) == "Training masks, step 5 of 60, 1 h 02 min so far, 1 s left"
    os.utime(run / "run.lock", (now + 50, now + 50))
    assert elapsed_seconds(run) is None, "the clock was set"
    widget.panel.refresh()
    assert status(widget) == "Training masks, step 5 of 60, 1 s left"
    assert elapsed_seconds(run / "nowhere") is None
    RunMonitor(run).kill()
    shutil.rmtree(run)
    pump(lambda: True)
    assert elapsed_seconds(run) is None


def test_damaged_curves_are_no_curves(running: tuple[Any, Path]) -> None:
    from bench import pump

    widget, run = running
    (run / "history.json").write_text('{"schema": "topogan.history/1", "cur')
    pump(lambda: not widget.panel.plots._feed.busy)
    widget.panel.refresh()
    assert not widget.ui.plotsSection.visible
    write_history(run, history(50))
    pump(lambda: widget.ui.plotsSection.visible)


def test_a_look_costs_little(running: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """However fast the events come: one small file is read, and curves, pictures and lines only if they are new."""
    from bench import pump

    from TopoGANTrainLib.run import history_feed, run_view, samples_view

    widget, run = running
    write_history(run, history(50))
    write(run, "masks-00000010", sheet())
    widget.ui.logCollapsibleButton.collapsed = False
    pump(lambda: widget.ui.plotsSection.visible and widget.ui.previewLabel.visible)
    widget.ui.showPlotsButton.click()
    pump(lambda: not widget.panel.plots._feed.busy)

    done: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *arguments: done.update([name]) or real(*arguments))

    for module, name in ((history_feed, "read_history"), (samples_view, "_newest"), (run_view, "last_lines")):
        count(module, name)
    parsed: list[str] = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text, **how: parsed.append(text) or loads(text, **how))
    events = (run / "events.jsonl").open("a", encoding="utf-8")
    ticks = 30
    for _tick in range(ticks):
        for step in range(20):  # 200 a second, at ten ticks a second
            events.write(json.dumps({"kind": "step", "stage": "masks", "step": step, "values": {"loss": 1.0}}) + "\n")
        events.flush()
        widget.logic._tick()
    events.close()
    assert not done, "nothing of it is new"
    assert len(parsed) == ticks, "the status alone"
    assert max(map(len, parsed)) < 1000
    write_history(run, history(51))
    pump(lambda: done["read_history"] == 1)
    pump(lambda: not widget.panel.plots._feed.busy)
    widget.logic._tick()
    assert done == {"read_history": 1}


def test_memory_holds_the_newest_curves_alone(tmp_path: Path) -> None:
    from fake_engine import wait_until

    from TopoGANTrainLib.run.history_feed import HistoryFeed

    runs = [tmp_path / name / "run" for name in ("a", "b", "c")]
    feed = HistoryFeed()
    for run in runs:
        run.mkdir(parents=True)
        write_history(run, history())
        wait_until(lambda run=run: feed.tick([run]) and run in feed.histories)
        assert list(feed.histories) == [run]
    assert np.isfinite(feed.histories[runs[-1]].last("masks/loss_generator"))
    assert feed.tick([])
    assert not feed.histories
