"""Painting and exporting with the real engine and the model that comes with the panel, by clicks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import SimpleITK as sitk
from synth_bench import choose, generate, ready
from test_paint_form import paint

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn


@pytest.fixture
def bench(application: StandIn, real_engine: None, tmp_path: Path) -> Bench:
    from bench import Bench

    from TopoGANLib.forms import user_settings

    user_settings.write(user_settings.EXPORT_FOLDER, str(tmp_path / "exports"))
    return Bench(application)


@pytest.fixture
def heart(application: StandIn) -> Any:
    """Blood in a ring of muscle, 30 slices of 48 × 48 pixels of 2.5 mm, as a segmentation with names of its own."""
    import slicer

    row, column = np.mgrid[:48, :48]
    radius = np.broadcast_to(np.hypot(row - 24, column - 22) * 2.5, (30, 48, 48)).copy()
    radius[:8] = radius[22:] = 999
    volume = slicer.util.addVolumeFromArray(np.zeros(radius.shape, np.int16), np.diag([-2.5, -2.5, 3.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "My heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in (("LV Cavity", radius < 20), ("Myocardium", (radius >= 20) & (radius < 31))):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, identifier, volume)
    return segmentation, radius


@pytest.mark.timeout(600)
def test_a_heart_gets_its_tissues(bench: Bench, heart: tuple[Any, np.ndarray]) -> None:
    import slicer

    segmentation, radius = heart
    widget = ready(bench)
    widget.ui.paintCollapsibleButton.collapsed = False
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    paint(widget, "Painted: My heart painted (synthetic).")
    (volume,) = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetName() == "My heart painted (synthetic)"
    ]
    values = slicer.util.arrayFromVolume(volume)
    assert values.shape == radius.shape
    # As far as the demo model knows them: enhanced blood is brighter than muscle, and both are than the lung.
    blood, muscle = values[radius < 18].mean(), values[(radius > 22) & (radius < 29)].mean()
    assert 300 < blood < 420
    assert 60 < muscle < 180
    assert values[0, 0, 0] == -1000
    bench.picture("TopoGANSynth", "painted with the real engine")


@pytest.mark.timeout(600)
def test_kept_samples_become_a_data_set(bench: Bench, tmp_path: Path) -> None:
    from bench import pump

    widget = ready(bench)
    widget.ui.countSpinBox.value = 5
    generate(widget, "Finished: ")
    for sample in (1, 3):
        widget.ui.sampleSlider.value = float(sample)
        widget.ui.keepCheckBox.click()
    for layout in ("nnU-Net", "NRRD"):
        choose(widget.ui.exportLayoutComboBox, layout)
        widget.ui.exportButton.click()
        pump(lambda: not widget.panel._keep._runner.isRunning)
        assert widget.ui.exportStatusLabel.text.startswith("Exported 2 samples to "), widget.ui.exportStatusLabel.text
    said = json.loads((tmp_path / "exports" / "lv-cavity-nnunet-1" / "topogan.json").read_text())
    assert said["samples"] == [1, 3]
    assert said["synthetic"] is True
    paths = sorted((tmp_path / "exports" / "lv-cavity-nrrd-1").rglob("*.nrrd"))
    assert len(paths) == 4, "a picture and labels of each"
    assert all(sitk.ReadImage(str(path)).GetSize()[:2] == (64, 64) for path in paths)
    bench.picture("TopoGANSynth", "exported with the real engine")
