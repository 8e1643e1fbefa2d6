"""A scene saved by one process and loaded by another holds the same: nodes, references, arrays."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer

from TopoGANLib.headless.application import (
    HeadlessSlicer,
    SceneError,
    add_slice_logic,
    load_scene,
    save_scene,
    start_headless,
)
from TopoGANLib.scene.barcode import ROWS_PER_BAR
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.gallery import show_gallery
from TopoGANLib.scene.layouts import GALLERY_VIEW, ResultLayout
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import Synthesis, read_synthesis_folder
from TopoGANLib.scene.views import show_in_views

MakeFolder = Callable[..., Path]

# Runs in a new process: loads the scene and tells what it finds.
_REPORT = """
import json, sys
from pathlib import Path
import numpy as np, slicer, vtk
from vtk.util.numpy_support import vtk_to_numpy
from TopoGANLib.scene.barcode import barcode_table
from TopoGANLib.headless.application import load_scene, start_headless
from TopoGANLib.scene.gallery import sample_in_gallery, update_gallery
from TopoGANLib.scene.nodes import SynthesisNodes

out = Path(sys.argv[2])
headless = start_headless()
load_scene(headless.scene, Path(sys.argv[1]))
scene = headless.scene
(nodes,) = SynthesisNodes.find_all(scene)
labelmap = slicer.vtkOrientedImageData()
segmentation = nodes.segmentation.GetSegmentation()
nodes.segmentation.GetBinaryLabelmapRepresentation(segmentation.GetNthSegmentID(0), labelmap)
marks = nodes.companion("gallery marks")
tiles = [sample_in_gallery(nodes, marks.GetPolyData().GetPoint(0))] if marks else []
nodes.show_sample(3)
update_gallery(nodes)
tiles += [sample_in_gallery(nodes, marks.GetPolyData().GetPoint(0))] if marks else []
hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
dangling = []
for node in slicer.util.getNodesByClass("vtkMRMLNode", scene):
    for role in [node.GetNthNodeReferenceRole(n) for n in range(node.GetNumberOfNodeReferenceRoles())]:
        for n in range(node.GetNumberOfNodeReferences(role)):
            if node.GetNthNodeReference(role, n) is None:
                dangling.append(f"{node.GetName()}: {role}")
ijk_to_ras = vtk.vtkMatrix4x4()
nodes.image.GetIJKToRASMatrix(ijk_to_ras)
np.savez(
    out,
    image=slicer.util.arrayFromVolume(nodes.image),
    masks=vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1]),
    ijk_to_ras=slicer.util.arrayFromVTKMatrix(ijk_to_ras),
    death=slicer.util.arrayFromTableColumn(barcode_table(nodes.barcode), "death (mm)"),
    diagram_sample=slicer.util.arrayFromTableColumn(nodes.diagrams, "sample"),
    diagram_death=slicer.util.arrayFromTableColumn(nodes.diagrams, "death (mm)"),
)
print(json.dumps({
    "names": sorted(node.GetName() for node in vars(nodes).values() if node),
    "segment": segmentation.GetNthSegment(0).GetName(),
    "window": [nodes.image.GetDisplayNode().GetWindowLevelMin(), nodes.image.GetDisplayNode().GetWindowLevelMax()],
    "reference": nodes.segmentation.GetNodeReferenceID("referenceImageGeometryRef") == nodes.image.GetID(),
    "title": nodes.barcode.GetTitle(),
    "series": [nodes.barcode.GetNthPlotSeriesNode(n).GetName() for n in range(5)],
    "accepted": [nodes.metrics.GetCellText(row, 1) for row in range(nodes.metrics.GetNumberOfRows())
                 if nodes.metrics.GetCellText(row, 0) == "accepted_percent"],
    "folder": hierarchy.GetItemName(hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes.image))),
    "background": {node.GetLayoutName(): scene.GetNodeByID(node.GetBackgroundVolumeID()).GetName().split()[-1]
                   for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)},
    "tiles": tiles,
    "plot": scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNodeID() == nodes.barcode.GetID(),
    "layout": scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement(),
    "colors": scene.GetNumberOfNodesByClass("vtkMRMLColorNode"),
    "dangling": dangling,
}))
"""


@pytest.fixture
def saved(headless: HeadlessSlicer, nodes: SynthesisNodes, tmp_path: Path) -> Path:
    show_in_views(nodes, headless.application_logic)
    # As the panel leaves it: a gallery, in a layout that is the panel's alone.
    layout = ResultLayout(headless.scene)
    layout.show("gallery", nodes.axes)
    add_slice_logic(headless.scene, headless.application_logic, GALLERY_VIEW)
    nodes.show_sample(2)
    show_gallery(nodes, headless.application_logic)
    path = tmp_path / "scene.mrb"
    save_scene(headless.scene, path)
    return path


def _loaded_elsewhere(path: Path) -> tuple[dict[str, Any], Any]:
    arrays = path.with_suffix(".npz")
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, str(path), str(arrays)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ERR|" not in done.stderr, done.stderr
    return json.loads(done.stdout), np.load(arrays)


def test_another_process_finds_every_node_and_array(
    saved: Path, headless: HeadlessSlicer, nodes: SynthesisNodes, synthesis: Synthesis
) -> None:
    found, arrays = _loaded_elsewhere(saved)
    assert found.pop("names") == sorted(node.GetName() for node in vars(nodes).values() if node)
    assert found == {
        "segment": "myocardium",
        "window": [-200, 400],
        "reference": True,
        "title": "Barcode of sample 3 (b0 = 1, b1 = 1)",
        "series": ["chosen", "H0 (pieces)", "H1 (holes)", "under a pixel", "never ends"],
        "accepted": ["87.5"],
        "folder": "TopoGAN myocardium",
        "background": {"Red": "CT", "Green": "CT", "Yellow": "CT", "TopoGAN": "gallery"},
        "tiles": [2, 3],
        "plot": True,
        "layout": slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView,
        "colors": headless.scene.GetNumberOfNodesByClass("vtkMRMLColorNode"),
        "dangling": [],
    }
    assert np.array_equal(arrays["image"], synthesis.textures)
    assert np.array_equal(arrays["masks"], synthesis.masks)
    assert np.allclose(arrays["ijk_to_ras"], synthesis.ijk_to_ras)
    assert arrays["death"][::ROWS_PER_BAR].tolist() == [np.inf, 11 * 1.5]
    assert arrays["diagram_sample"].tolist() == np.repeat(range(6), 2).tolist()
    assert arrays["diagram_death"].tolist() == [d for one in synthesis.diagrams for d in one.death]


def test_a_loaded_scene_can_be_changed_and_saved_again(saved: Path, synthesis: Synthesis) -> None:
    second = saved.with_name("again.mrb")
    headless = start_headless()
    load_scene(headless.scene, saved)
    SynthesisNodes.find_all(headless.scene)[0].show_sample(5)
    save_scene(headless.scene, second)
    _, arrays = _loaded_elsewhere(second)
    assert np.array_equal(arrays["image"], synthesis.textures)
    assert np.array_equal(arrays["masks"], synthesis.masks)


def test_a_synthesis_is_added_to_a_loaded_scene_under_fresh_names(saved: Path, synthesis: Synthesis) -> None:
    headless = start_headless()
    load_scene(headless.scene, saved)
    build_scene(headless.scene, synthesis)
    first, second = SynthesisNodes.find_all(headless.scene)
    assert not {n.GetName() for n in vars(first).values() if n} & {n.GetName() for n in vars(second).values() if n}


def test_any_name_of_a_structure_survives(headless: HeadlessSlicer, make_folder: MakeFolder, tmp_path: Path) -> None:
    structure = "LV/myo: «apex» 50 % & <basal>"
    nodes = build_scene(headless.scene, read_synthesis_folder(make_folder("odd", structure=structure)))
    show_in_views(nodes, headless.application_logic)
    save_scene(headless.scene, tmp_path / "odd.mrb")
    found, _ = _loaded_elsewhere(tmp_path / "odd.mrb")
    assert found["segment"] == structure
    assert f"TopoGAN {structure} CT" in found["names"]


def test_no_path_of_this_computer_is_in_the_file(saved: Path, synthesis_folder: Path) -> None:
    with zipfile.ZipFile(saved) as bundle:
        text = b"".join(bundle.read(name) for name in bundle.namelist() if not name.endswith(".nrrd"))
        names = " ".join(bundle.namelist())
    for trace in (str(synthesis_folder), str(saved.parent), saved.parent.name, str(Path.home())):
        assert trace.encode() not in text
        assert trace not in names
    assert b'MRML version="Slicer 5.12.0 0"' in text, "Slicer warns of scenes from other applications"


def test_the_working_folder_stays(headless: HeadlessSlicer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_scene(headless.scene, Path("scene.mrb"))
    assert Path.cwd() == tmp_path
    load_scene(headless.scene, Path("scene.mrb"))
    assert Path.cwd() == tmp_path


def test_nothing_else_is_left_behind(saved: Path, synthesis_folder: Path) -> None:
    assert sorted(path.name for path in saved.parent.iterdir()) == ["scene.mrb", "synthesis"]


def test_a_scene_that_cannot_be_saved_is_named(headless: HeadlessSlicer, tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="nowhere cannot be written: choose another"):
        save_scene(headless.scene, tmp_path / "nowhere" / "scene.mrb")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(Path.unlink, "There is no scene"), (lambda path: path.write_bytes(b"PK"), "Slicer could not read the scene")],
)
def test_a_scene_that_cannot_be_loaded_is_named(saved: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(saved)
    with pytest.raises(SceneError, match=said) as caught:
        load_scene(start_headless().scene, saved)
    assert "\n" not in str(caught.value)
