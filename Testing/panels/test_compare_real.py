"""Samples beside a segmentation of the scene, with the engine's own functions; and the scene saved and loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from synth_bench import writers

if TYPE_CHECKING:
    from standin import StandIn

SLICES = 60


@pytest.fixture
def heart(application: StandIn) -> tuple[Any, Any]:
    """A cavity in a ring of muscle, 60 slices of 72² pixels of 1.5 mm that grow narrower, and their CT."""
    import slicer

    row, column = np.mgrid[:72, :72]
    radius = np.hypot(row - 34, column - 36) * (1 + np.arange(SLICES)[:, None, None] / 200)
    masks = {"Cavity": radius < 10, "Myocardium": (radius >= 10) & (radius < 16)}
    ct = np.where(radius < 10, 350, np.where(radius < 16, 100, -50)).astype(np.int16)
    volume = slicer.util.addVolumeFromArray(ct, np.diag([-1.5, -1.5, 2.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in masks.items():
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, identifier, volume)
    return segmentation, volume


def compared_with(synthesis: Path, segmentation: Any, volume: Any, work: Path) -> Any:
    """What the engine's process would find."""
    from topogan.dataset.request import prepare_as_requested
    from topogan.evaluation import evaluate
    from topogan_contract.comparison import read_comparison
    from TopoGANLib.scene.synthesis_folder import read_pictures
    from TopoGANSynthLib.compare.compare_request import read_form, scene_request
    from TopoGANSynthLib.compare.comparing import Compared
    from TopoGANSynthLib.paint.painting import match

    form = read_form(synthesis)
    assert form is not None
    (work / "request").mkdir(parents=True)
    scene_request(form, segmentation, match(form.names, segmentation), volume)(work / "request")
    prepare_as_requested(work / "request", work / "set", None, lambda event: None, reference=True)
    evaluate(synthesis, work / "set", comparison=work / "out")
    report = json.loads((synthesis / "report.json").read_text())
    return Compared(read_comparison(work / "out"), read_pictures(work / "out" / "nearest", report), work / "none")


@pytest.mark.parametrize(
    ("told", "cut"),
    [
        ({}, "slice"),  # of samples from before there was a choice
        ({"center": "slice"}, "slice"),
        ({"center": "volume"}, "volume"),
    ],
)
def test_real_patches_lie_as_samples_do(heart: tuple[Any, Any], tmp_path: Path, told: dict[str, str], cut: str) -> None:
    from topogan.training_set import TrainingSet

    synthesis = writers().write_structures(tmp_path / "samples")
    path = synthesis / "report.json"
    report = json.loads(path.read_text())
    assert report.pop("center", "slice") == "slice"
    path.write_text(json.dumps(report | told))
    compared_with(synthesis, *heart, tmp_path / "work")
    assert TrainingSet.open(tmp_path / "work" / "set").center.value == cut


@pytest.mark.timeout(300)
def test_a_segmentation_of_the_scene_stands_beside_samples_in_a_saved_scene(
    heart: tuple[Any, Any], tmp_path: Path
) -> None:
    import slicer

    from TopoGANLib.headless.application import load_scene, save_scene
    from TopoGANLib.scene.build import build_scene
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.synthesis_folder import read_synthesis_folder
    from TopoGANSynthLib.compare.compare_nodes import ComparisonNodes

    synthesis = writers().write_structures(tmp_path / "samples")
    compared = compared_with(synthesis, *heart, tmp_path / "work")
    comparison = compared.comparison
    assert not (tmp_path / "work" / "request").exists(), "the copy of the patient's data is gone"
    assert [warning.partition(",")[0] for warning in comparison.warnings] == [
        "All real slices here are of one patient",
        "The model was trained on another training set than this one: the test slices here may have been trained on",
    ]
    assert [region.name for region in comparison.regions] == ["cavity", "myocardium", "cavity + myocardium"]
    assert comparison.regions[1].topologies[0][2] == 1.0, "each real slice has a ring of muscle"
    assert all(0.5 < row.dice_to_training < 1 for row in comparison.samples)
    assert {row.training_row % 2 for row in comparison.samples} != {row.test_row % 2 for row in comparison.samples}
    brightness = next(row for row in comparison.metrics if row.name == "Mean HU in cavity")
    assert brightness.real == pytest.approx(350, abs=5)

    nodes = build_scene(slicer.mrmlScene, read_synthesis_folder(synthesis))
    found = ComparisonNodes.add(nodes, compared)
    found.show(nodes, True, slicer.app.applicationLogic())
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    (nodes,) = SynthesisNodes.find_all(slicer.mrmlScene)
    loaded = ComparisonNodes.find(nodes)
    assert loaded is not None
    assert loaded.read() == comparison
    assert (slicer.util.arrayFromVolume(loaded.image) == compared.nearest.textures).all()
    assert loaded.segmentation.GetSegmentation().GetNumberOfSegments() == 2
    assert loaded.sizes.GetNthNodeReference("TopoGAN.series", 1).GetTableNode() is not None
    nodes.remove()
    names = [node.GetName() or "" for node in slicer.util.getNodesByClass("vtkMRMLNode")]
    # The gallery's view has names that begin likewise.
    assert not [name for name in names if name.startswith("TopoGAN cavity")]
