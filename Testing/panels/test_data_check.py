"""Checking the data: what is read of a training set, and the panel's part that makes one and shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import tell
from train_bench import choose, ready, status, tick_segments

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench

CHECK = {
    "schema": "topogan.check/1",
    "title": "Training set",
    "axes": 3,
    "noun": "volume",
    "size": 48,
    "pixel_size_mm": 1.5,
    "patients": [{"patient": "patient_001", "phases": 4, "train": 3, "validation": 1, "test": 0}],
    "regions": [{"name": "Blood", "color": "#ff0080", "betti": [{"topology": "1,0,0", "train": 3, "test": 1}]}],
    "verdict": "1 patient, 4 volumes: too few.",
    "remarks": ["One volume was left out."],
}


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def results(widget: Any) -> Path:
    return Path(widget.ui.resultsPathLineEdit.currentPath)


def checked(bench: Bench, widget: Any) -> Any:
    """Press Check data, and wait for its end."""
    from bench import pump

    widget.ui.checkDataButton.click()
    pump(lambda: not widget.panel._check.isRunning)
    return widget.ui


def confirmed(widget: Any) -> Path | None:
    """The checked training set as a start finds it; None where it is not true any more."""
    from bench import pump

    found: list[Path | None] = []
    widget.panel._check.confirm(found.append)
    pump(lambda: found)
    return found[0]


def test_a_check_is_read(tmp_path: Path) -> None:
    from TopoGANTrainLib.check.data_check import PatientRow, RegionRow, read_check

    assert read_check(tmp_path) is None, "a set of an older version"
    path = tmp_path / "check.json"
    path.write_text(json.dumps(CHECK))
    check = read_check(tmp_path)
    assert check is not None
    assert check.patients == (PatientRow("patient_001", 4, (3, 1, 0)),)
    assert check.regions == (RegionRow("Blood", (1.0, 0.0, 128 / 255), (("1,0,0", 4),)),)
    assert (check.axes, check.size, check.pixel_size, check.samples, check.training_samples) == (3, 48, 1.5, 4, 3)
    assert (check.verdict, check.remarks) == ("1 patient, 4 volumes: too few.", ("One volume was left out.",))


@pytest.mark.parametrize(
    "change",
    [
        {"patients": None, "regions": 3, "remarks": {}, "axes": "x", "size": -1, "pixel_size_mm": "wide"},
        {"patients": [None, {"patient": 7, "phases": True, "train": 1e99}], "regions": [{"betti": [[], {}]}]},
        {"regions": [{"name": ["x"], "color": "red; }", "betti": {"topology": 1}}], "verdict": None},
    ],
)
def test_what_strangers_write_is_harmless(tmp_path: Path, change: dict[str, Any]) -> None:
    from TopoGANTrainLib.check.data_check import read_check

    (tmp_path / "check.json").write_text(json.dumps({**CHECK, **change}))
    check = read_check(tmp_path)
    assert check is not None
    assert check.samples >= 0
    for broken in ("{", "[]", json.dumps({**CHECK, "schema": "other"})):
        (tmp_path / "check.json").write_text(broken)
        assert read_check(tmp_path) is None


def test_the_form_of_a_set(tmp_path: Path) -> None:
    from TopoGANTrainLib.check.data_check import SetForm, read_form

    assert read_form(tmp_path) == SetForm(64, 2, 1, 0)
    for content, form in (
        ({"size": 128, "counts": {"total": 5, "train": 3}}, SetForm(128, 2, 1, 5, 3)),
        ({"table": {"structures": [{}, {}]}, "axes": 3, "size": "x"}, SetForm(64, 3, 2, 0)),
        ([], SetForm()),
    ):
        (tmp_path / "dataset.json").write_text(json.dumps(content))
        assert read_form(tmp_path) == form


def test_data_are_checked_and_trained_on(
    bench: Bench, scene: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt
    from bench import pump

    tell(engine, "train", "steps=10")
    widget = ready(bench)
    assert not widget.ui.checkResults.visible
    bench.picture("TopoGANTrain", "not checked")
    ui = checked(bench, widget)
    folder = results(widget) / "Blood-1"
    assert files_below(results(widget)) == sorted(
        ["Blood-1", "Blood-1/training-set"]
        + [f"Blood-1/training-set/{name}" for name in ("check.json", "dataset.json", "preview.png")]
    )
    assert ui.checkStatusLabel.text == "Checked: Start trains on this training set."
    assert ui.verdictLabel.text == "3 patients, 48 slices: enough for masks."
    assert ui.checkRemarksLabel.text == "One slice was left out: it is too small."
    assert ui.topologiesLabel.text == "Pieces, holes:\nBlood: 1,0 in 92 %, 1,1 in 8 %"
    table = [[ui.checkTable.item(row, column).text() for column in range(5)] for row in range(ui.checkTable.rowCount)]
    assert table[0] == ["patient_001", "4", "30", "0", "0"]
    assert table[-1] == ["All", "6", "30", "10", "8"]
    opened: list[str] = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    assert ui.checkPreviewButton.visible
    ui.checkPreviewButton.click()
    assert opened == [str(folder / "training-set" / "preview.png")]
    bench.picture("TopoGANTrain", "checked")
    form = widget.panel._orders.form(widget.panel._check.known)
    assert (form.samples, form.training_samples) == (48, 30), "an estimate knows them"
    ui.startButton.click()
    pump(lambda: "Finished" in status(widget))
    assert widget.logic.session.run == folder / "run"
    assert widget.panel._check._loose is None, "the run keeps it, whatever is checked next"
    assert [path.name for path in results(widget).iterdir()] == ["Blood-1"]
    ui.startButton.click()
    pump(lambda: widget.logic.session.run == results(widget) / "Blood-2" / "run" and not widget.logic.isRunning)
    assert not (results(widget) / "Blood-2" / "training-set").exists(), "it learns from the first one's"


@pytest.mark.parametrize("points", [9, 12])
@pytest.mark.parametrize("dark", [False, True])
def test_what_it_looks_like(bench: Bench, scene: Any, engine: Engine, points: int, dark: bool) -> None:
    from contextlib import ExitStack

    import slicer
    from bench import dark_theme, font_of, pump

    with ExitStack() as stack:
        stack.enter_context(font_of(points))
        if dark:
            stack.enter_context(dark_theme())
        looks = f"{points} points{', dark' if dark else ''}"
        widget = ready(bench)
        ids = list(scene[1].GetSegmentation().GetSegmentIDs())
        mask = np.zeros((20, 24, 24), np.uint8)
        mask[2:18, 2:22, 2:22] = 1  # more than what lies over it
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, scene[1], ids[1], scene[0])
        tick_segments(widget, "Blood", "Myocardium")
        ui = checked(bench, widget)
        assert ui.verdictLabel.text
        ui.estimateButton.click()
        pump(lambda: ui.estimateButton.enabled)
        choose(ui.startFromComboBox, "A model to fine-tune")
        bench.picture("TopoGANTrain", f"checked, {looks}")
        ui.windowLowSpinBox.value = -300.0
        bench.picture("TopoGANTrain", f"check is stale, {looks}")
        ui.volumesCheckBox.click()
        ui.trainAdvancedCollapsibleButton.collapsed = False
        ui.engineCollapsibleButton.collapsed = False
        bench.picture("TopoGANTrain", f"everything, {looks}")
        tell(engine, "prepare", "sleep")
        ui.checkDataButton.click()
        pump(lambda: "asleep" in ui.checkStatusLabel.text)
        bench.picture("TopoGANTrain", f"checking, {looks}")


@pytest.mark.parametrize("what", ["form", "segment", "name", "selection", "volume", "view"])
def test_a_check_is_true_until_something_changes(bench: Bench, scene: Any, what: str) -> None:
    import slicer

    volume, segmentation = scene
    widget = ready(bench)
    widget.ui.volumeSelector.setCurrentNode(volume)
    ui = checked(bench, widget)
    stale = "Data or settings have changed since this check: check again, or Start prepares them anew."
    blood = segmentation.GetSegmentation().GetNthSegmentID(0)
    if what == "form":
        choose(ui.sizeComboBox, "128")
    elif what == "segment":
        mask = np.zeros((20, 24, 24), np.uint8)
        mask[3:9, 3:9, 3:9] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, blood, volume)
    elif what == "name":
        segmentation.GetSegmentation().GetSegment(blood).SetName("Lumen")
    elif what == "selection":
        tick_segments(widget, "Blood", "Myocardium")
    elif what == "volume":
        slicer.util.arrayFromVolume(volume)[:] = 7
        slicer.util.arrayFromVolumeModified(volume)
    elif what == "view":
        volume.GetDisplayNode() or volume.CreateDefaultDisplayNodes()
        segmentation.CreateDefaultDisplayNodes()
        segmentation.SetDisplayVisibility(False)
        ui.masksStepsSpinBox.value = 77
        widget.panel.refresh()
        assert ui.checkStatusLabel.text.startswith("Checked")
        assert confirmed(widget) is not None
        return
    widget.panel.refresh()
    assert ui.checkStatusLabel.text == stale
    assert confirmed(widget) is None
    if what == "form":
        choose(ui.sizeComboBox, "64")
        assert ui.checkStatusLabel.text.startswith("Checked")


def test_the_plane_of_the_red_view(bench: Bench, scene: Any, tmp_path: Path) -> None:
    """Samples that are shown there do not turn it, and a check knows at once when the user does."""
    import slicer
    from test_samples_view import sheet, write

    from TopoGANLib.scene.scene_input import plane_of

    red = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    red.GetSliceNode().SetOrientation("Coronal")
    widget = ready(bench)
    ui = widget.ui
    choose(ui.planeComboBox, "As the Red view")
    checked(bench, widget)
    plane = plane_of(widget.panel._data.inputs().slice_node)
    write(tmp_path, "masks-00000010", sheet())
    widget.panel._view._samples.follow(tmp_path)
    ui.showSamplesButton.click()
    red.SetSliceOffset(3.0)
    shown = plane_of(widget.panel._data.inputs().slice_node)
    assert [row[:3] for row in shown] == [row[:3] for row in plane]
    assert ui.checkStatusLabel.text.startswith("Checked")
    red.GetSliceNode().SetOrientation("Sagittal")
    assert ui.checkStatusLabel.text.startswith("Data or settings have changed")


def test_a_stale_check_is_not_trained_on(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "train", "steps=10")
    widget = ready(bench)
    ui = checked(bench, widget)
    choose(ui.sizeComboBox, "128")
    ui.startButton.click()
    pump(lambda: "Finished" in status(widget))
    assert (results(widget) / "Blood-2" / "training-set").is_dir()


def test_a_check_that_is_stopped_leaves_nothing(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "prepare", "sleep")
    widget = ready(bench)
    ui = widget.ui
    ui.checkDataButton.click()
    assert ui.checkDataButton.text == "Stop the check"
    assert ui.checkProgressBar.visible
    assert ui.reasonLabel.text == "The data are being checked: wait for the result, or stop the check."
    assert not ui.startButton.enabled
    pump(lambda: "asleep" in ui.checkStatusLabel.text)
    ui.checkDataButton.click()
    pump(lambda: not widget.panel._check.isRunning)
    assert ui.checkStatusLabel.text == "The check was stopped; nothing of it is left."
    assert ui.checkDataButton.text == "Check data" and ui.startButton.enabled
    assert files_below(results(widget)) == []
    assert not list(Path(bench.application.application.temporaryPath).glob("TopoGAN/input-*"))


def test_a_check_that_fails_says_why(bench: Bench, scene: Any, engine: Engine) -> None:
    tell(engine, "prepare", "fail")
    widget = ready(bench)
    ui = checked(bench, widget)
    assert ui.checkStatusLabel.text == "The segmentation is empty: choose another."
    assert not ui.checkResults.visible
    assert files_below(results(widget)) == []
    bench.picture("TopoGANTrain", "check failed")
    widget.ui.resultsPathLineEdit.currentPath = ""
    widget.ui.checkDataButton.click()
    assert ui.checkStatusLabel.text == "Choose a folder for the results."


def test_the_size_line_tells_the_pixel_of_what_was_checked(bench: Bench, scene: Any) -> None:
    widget = ready(bench)
    ui = widget.ui
    assert ui.sizeWordsLabel.text == "2.1 mm a pixel, for structures 100 mm wide."
    checked(bench, widget)
    assert ui.sizeWordsLabel.text == "0.63 mm a pixel: each slice shows 40 mm."
    bench.picture("TopoGANTrain", "size of checked data")
    choose(ui.sizeComboBox, "256")
    assert ui.sizeWordsLabel.text == "0.53 mm a pixel, for structures 100 mm wide.", "it was checked for another size"
    choose(ui.sizeComboBox, "64")
    assert ui.sizeWordsLabel.text == "0.63 mm a pixel: each slice shows 40 mm."
    ui.volumesCheckBox.click()
    checked(bench, widget)
    assert ui.sizeWordsLabel.text == "0.63 mm a voxel: each volume shows 40 mm."


def test_closing_ends_a_check(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "prepare", "deaf")
    widget = ready(bench)
    widget.ui.checkDataButton.click()
    pump(lambda: "asleep" in widget.ui.checkStatusLabel.text)
    folder = results(widget)
    bench.application.close_application()
    assert files_below(folder) == []
    assert not list(Path(bench.application.application.temporaryPath).glob("TopoGAN/input-*"))


def test_a_set_that_was_made_before_is_looked_at(bench: Bench, scene: Any) -> None:
    widget = ready(bench)
    checked(bench, widget)
    folder = results(widget) / "Blood-1" / "training-set"
    ui = widget.ui
    choose(ui.sourceComboBox, "A training set made before")
    ui.trainingSetPathLineEdit.currentPath = str(folder)
    assert ui.checkStatusLabel.text.startswith("Data or settings have changed")
    ui.checkDataButton.click()
    assert ui.verdictLabel.text == "3 patients, 48 slices: enough for masks."
    assert ui.checkStatusLabel.text == ""
    (folder / "check.json").unlink()
    ui.checkDataButton.click()
    assert ui.checkStatusLabel.text == "This training set was made by an older version and has not been checked."
    assert not ui.checkResults.visible
    ui.trainingSetPathLineEdit.currentPath = str(folder.parent)
    ui.checkDataButton.click()
    assert "is no training set" in ui.checkStatusLabel.text


def test_from_python(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    import slicer

    from TopoGANTrainLib.check.data_check import read_check
    from TopoGANTrainLib.data.train_inputs import FromScene, FromTrainingSet

    logic = slicer.util.getModuleLogic("TopoGANTrain")
    tell(engine, "train", "steps=10")
    training_set = logic.check(FromScene(scene[1], "Blood", scene[0]), tmp_path / "x", {"prepare_volumes": True})
    check = read_check(training_set)
    assert check is not None and check.verdict == "3 patients, 48 volumes: enough for masks."
    inputs = FromTrainingSet(training_set)
    assert logic.check(inputs, tmp_path / "x") == training_set
    model = logic.train(inputs, tmp_path / "x", wait=True)
    assert model == tmp_path / "x" / "Blood-1" / "run" / "model", "beside the training set"
    tell(engine, "prepare", "fail")
    with pytest.raises(RuntimeError, match="The segmentation is empty"):
        logic.check(FromScene(scene[1], "Blood"), tmp_path / "y")
    assert files_below(tmp_path / "y") == []
