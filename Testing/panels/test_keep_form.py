"""Keeping samples and exporting them, by clicks, with an engine that writes what it was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import lives, tell, wait_until
from synth_bench import choose, generate, generated, ready, writers
from volume_writers import write_volumes

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.fixture
def made(bench: Bench, engine: Engine, model_of_several: Path, tmp_path: Path) -> Any:
    """The panel with a synthesis of six samples, of which the third is open."""
    from TopoGANLib.forms import user_settings

    user_settings.write(user_settings.EXPORT_FOLDER, str(tmp_path / "exports"))
    return generated(bench, engine, model_of_several, tmp_path)


def export(widget: Any, until: str = "Exported") -> None:
    from bench import pump

    widget.ui.exportButton.click()
    pump(lambda: until in widget.ui.exportStatusLabel.text)


def keep(widget: Any, *samples: int) -> None:
    for sample in samples:
        widget.ui.sampleSlider.value = float(sample)
        widget.ui.keepCheckBox.click()


def exported(tmp_path: Path, name: str) -> dict[str, Any]:
    content = json.loads((tmp_path / "exports" / name / "topogan.json").read_text())
    return {key: content[key] for key in ("layout", "samples")}


def work_folders(bench: Bench, kind: str) -> list[Path]:
    return list(Path(bench.application.application.temporaryPath).glob(f"TopoGAN/{kind}-*"))


def test_kept_samples_are_exported(bench: Bench, made: Any, tmp_path: Path) -> None:
    ui = made.ui
    assert ui.keptLabel.text == "Kept: 0 of 6."
    assert ui.exportReasonLabel.text == "No sample is kept: tick some, or export all."
    assert not ui.exportButton.enabled
    keep(made, 4, 1)
    assert ui.keptLabel.text == "Kept: 2 of 6."
    ui.sampleSlider.value = 2.0
    assert not ui.keepCheckBox.checked
    ui.sampleSlider.value = 4.0
    assert ui.keepCheckBox.checked
    bench.picture("TopoGANSynth", "kept")
    export(made, f"Exported 2 samples to {tmp_path / 'exports' / 'cavity-nnunet-1'}.")
    assert exported(tmp_path, "cavity-nnunet-1") == {"layout": "nnunet", "samples": [1, 4]}
    assert ui.exportStatusLabel.text.endswith(" Possible copies 17 %: look at them.")
    ui.keepCheckBox.click()
    assert ui.keptLabel.text == "Kept: 1 of 6."
    bench.picture("TopoGANSynth", "exported")
    assert work_folders(bench, "export") == []


def test_other_samples_in_other_layouts(made: Any, tmp_path: Path) -> None:
    choose(made.ui.exportSamplesComboBox, "All with the asked topology")
    choose(made.ui.exportLayoutComboBox, "DICOM")
    export(made, "Exported 5 samples")
    assert exported(tmp_path, "cavity-dicom-1") == {"layout": "dicom", "samples": [0, 1, 3, 4, 5]}
    choose(made.ui.exportSamplesComboBox, "All samples")
    for number, layout in enumerate(("NIfTI", "NRRD", "PNG"), start=1):
        choose(made.ui.exportLayoutComboBox, layout)
        export(made, f"cavity-{layout.lower()}-1")
        assert exported(tmp_path, f"cavity-{layout.lower()}-1")["samples"] == [], number
    made.ui.exportButton.click()
    wait_until(lambda: made.panel._keep._runner.job.tick().ended)
    assert exported(tmp_path, "cavity-png-2")["layout"] == "png"


def test_what_cannot_be_exported_is_said(bench: Bench, made: Any, engine: Engine, tmp_path: Path) -> None:
    ui = made.ui
    keep(made, 0)
    tell(engine, "export", "fail")
    export(made, "The disk is full: free some space and run it again.")
    (tmp_path / "file").touch()
    ui.exportPathLineEdit.currentPath = str(tmp_path / "file" / "exports")
    export(made, "cannot be written (")
    ui.exportPathLineEdit.currentPath = ""
    assert ui.exportReasonLabel.text == "Choose a folder for the exports."
    assert not (tmp_path / "exports").exists() or list((tmp_path / "exports").iterdir()) == []


def test_an_export_is_cancelled(bench: Bench, made: Any, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    tell(engine, "export", "sleep")
    keep(made, 0)
    made.ui.exportButton.click()
    pump(lambda: list((tmp_path / "exports").glob(".*.partial")))
    assert made.ui.exportButton.text == "Cancel"
    assert made.ui.exportStatusLabel.text == "Writing 1 sample …"
    bench.picture("TopoGANSynth", "exporting")
    made.ui.exportButton.click()
    pump(lambda: made.ui.exportStatusLabel.text == "Cancelled.")
    assert list((tmp_path / "exports").iterdir()) == []


def test_closing_ends_the_export_and_removes_the_samples(
    bench: Bench, made: Any, engine: Engine, tmp_path: Path
) -> None:
    from bench import pump

    assert len(work_folders(bench, "synthesis")) == 1
    tell(engine, "export", "sleep")
    keep(made, 0)
    made.ui.exportButton.click()
    pump(lambda: list((tmp_path / "exports").glob(".*.partial")))
    pid = made.panel._keep._runner.job._process.pid
    bench.application.close_application()
    wait_until(lambda: not lives(pid))
    assert list((tmp_path / "exports").iterdir()) == []
    assert work_folders(bench, "synthesis") == []


def test_a_loaded_scene_knows_what_is_kept_but_has_no_files(bench: Bench, made: Any, tmp_path: Path) -> None:
    import slicer
    from bench import import_scene

    keep(made, 1, 3)
    path = tmp_path / "scene.mrb"
    assert slicer.mrmlScene.WriteToMRB(str(path))
    made.logic._sources.clear()  # as in another session
    slicer.mrmlScene.Clear(False)
    assert not made.ui.keepCollapsibleButton.visible
    import_scene(path, tmp_path)
    assert made.ui.keptLabel.text == "Kept: 2 of 6."
    assert made.ui.exportReasonLabel.text.startswith("Generate these samples again to export them")
    assert not made.ui.exportButton.enabled
    bench.picture("TopoGANSynth", "kept in a loaded scene")


def test_nonsense_in_a_scene_keeps_nothing(made: Any) -> None:
    from TopoGANLib.scene.kept import kept_samples

    for nonsense in ("{", "3", '["a", true, 99, -1]', "[[1]]"):
        made.logic.nodes.set_attribute("TopoGAN.kept", nonsense)
        assert kept_samples(made.logic.nodes) == []


def test_volumes_are_kept(bench: Bench, engine: Engine, model: Path, tmp_path: Path) -> None:
    from TopoGANLib.scene.kept import kept_samples

    tell(engine, "serve", f"folder={write_volumes(tmp_path / 'volumes')}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "Finished")
    keep(widget, 1)
    assert kept_samples(widget.logic.nodes) == [1]
    widget.logic.nodes.browser.SetSelectedItemNumber(0)
    assert not widget.ui.keepCheckBox.checked
    widget.logic.nodes.browser.SetSelectedItemNumber(1)
    assert widget.ui.keepCheckBox.checked


@pytest.mark.parametrize("points", [9, 12])
def test_everything_fits(
    bench: Bench,
    engine: Engine,
    model_of_several: Path,
    tmp_path: Path,
    points: int,
) -> None:
    from bench import font_of

    tell(engine, "serve", f"folder={writers().write_structures(tmp_path / 'structures')}")
    with font_of(points):
        widget = ready(bench)
        widget.panel.choose_model(model_of_several)
        generate(widget, "Finished: ")
        keep(widget, 1)
        export(widget)
        bench.picture("TopoGANSynth", f"exported, {points} points")
