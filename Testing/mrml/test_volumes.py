"""A synthesis of volumes in a scene: built, played, saved, loaded by another process, rendered, removed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import volume_writers
from volume_writers import SIZE, TOPOLOGIES, VOXEL, cups, write_volumes
from vtk.util.numpy_support import vtk_to_numpy

from topogan_contract.synthesis import mask_file, texture_file
from TopoGANLib.headless import demo_scene
from TopoGANLib.headless.application import HeadlessSlicer, save_scene, start_headless
from TopoGANLib.headless.charts import draw_chart
from TopoGANLib.headless.rendering import ThreeDViewPicture
from TopoGANLib.scene.barcode import ROWS_PER_BAR, barcode_table
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.sequences import sequences_of
from TopoGANLib.scene.synthesis_folder import SynthesisFolderError, read_synthesis_folder
from TopoGANLib.scene.tables import number_columns
from TopoGANLib.scene.views import show_in_views

H2_GREEN = (0, 158, 115)
COUNT = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_volumes(tmp_path_factory.mktemp("volumes") / "synthesis", COUNT)


@pytest.fixture
def nodes(headless: HeadlessSlicer, folder: Path) -> SynthesisNodes:
    return build_scene(headless.scene, read_synthesis_folder(folder))


def labels_of(node: slicer.vtkMRMLSegmentationNode) -> np.ndarray:
    """uint8 [slice, row, column], the number of the segment at each voxel."""
    labels = np.zeros((SIZE,) * 3, np.uint8)
    for number in range(node.GetSegmentation().GetNumberOfSegments()):
        labelmap = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(node.GetSegmentation().GetNthSegmentID(number), labelmap)
        inside = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
        x0, _, y0, _, z0, _ = labelmap.GetExtent()
        depth, height, width = inside.shape
        labels[z0 : z0 + depth, y0 : y0 + height, x0 : x0 + width][inside > 0] = number + 1
    return labels


def test_a_folder_of_volumes_is_read(folder: Path) -> None:
    synthesis = read_synthesis_folder(folder)
    assert synthesis.axes == 3
    assert np.array_equal(synthesis.masks, cups(COUNT))
    assert synthesis.textures is not None and synthesis.textures.shape == (COUNT, SIZE, SIZE, SIZE)
    assert np.allclose(synthesis.ijk_to_ras, np.diag([-VOXEL, -VOXEL, VOXEL, 1]))
    assert synthesis.regions == ("lv_cavity", "myocardium")
    assert len(synthesis.diagrams) == COUNT * 2
    assert synthesis.diagrams[1].birth_index.shape == (2, 3)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / mask_file(3)).unlink(), "00003_mask.seg.nrrd is missing"),
        (lambda folder: (folder / texture_file(2)).unlink(), "00002_texture.nrrd is missing"),
        (lambda folder: (folder / mask_file(3)).write_bytes(b"NRRD"), "cannot be read as a volume"),
        (
            lambda folder: shutil.copy(folder / texture_file(1), folder / mask_file(1)),
            "is not a stack of such pictures",
        ),
        (lambda folder: renamed(folder / mask_file(1)), "00001_mask.seg.nrrd names other structures than the first"),
        (lambda folder: told(folder, axes=4), "tells of no slices or volumes"),
        (lambda folder: told(folder, count=4), "4 masks of 2 structures and unions, 10 diagrams and 5 rows"),
        (lambda folder: told(folder, count=1 << 40), "tells of no volumes that a synthesis holds"),
        (lambda folder: told(folder, size=48), "is no volume of 48 voxels"),
    ],
)
def test_a_damaged_folder_is_named(folder: Path, tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    spoil(damaged)
    with pytest.raises(SynthesisFolderError, match=said):
        read_synthesis_folder(damaged)


def told(folder: Path, **other: Any) -> None:
    """Change what the report says."""
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**report, **other}))


def renamed(mask: Path) -> None:
    """Give a structure another name in one file."""
    mask.write_bytes(mask.read_bytes().replace(b"Name:=myocardium", b"Name:=pericardium"))


def test_one_browser_drives_pictures_and_segmentations(nodes: SynthesisNodes, folder: Path) -> None:
    synthesis = read_synthesis_folder(folder)
    assert nodes.axes == 3 and nodes.count == COUNT
    assert nodes.browser is not None
    names = [sequence.GetName() for sequence in sequences_of(nodes.browser)]
    assert names == [f"TopoGAN lv_cavity, myocardium {kind} sequence" for kind in ("CT", "segmentation")]
    for sample in (3, 1):
        nodes.browser.SetSelectedItemNumber(sample)  # as Slicer's own controls do
        assert np.array_equal(slicer.util.arrayFromVolume(nodes.image), synthesis.textures[sample])
        assert np.array_equal(labels_of(nodes.segmentation), synthesis.masks[sample])
        assert nodes.image.GetName() == "TopoGAN lv_cavity, myocardium CT", "the proxies keep their names"
        assert (nodes.chosen_sample, nodes.shown_sample) == (sample, 0)
    assert nodes.image.GetSpacing() == (VOXEL,) * 3
    assert nodes.image.GetDisplayNode().GetWindowLevelMin() == -200


def test_a_structure_is_a_colored_segment_with_a_surface_in_every_sample(nodes: SynthesisNodes) -> None:
    for sample in range(COUNT):
        nodes.show_sample(sample)
        segments = [nodes.segmentation.GetSegmentation().GetNthSegment(number) for number in range(2)]
        assert [segment.GetName() for segment in segments] == ["lv_cavity", "myocardium"]
        assert np.allclose(segments[1].GetColor(), np.array([0xE6, 0x9F, 0x00]) / 255)
        surface = segments[1].GetRepresentation("Closed surface")
        assert surface.GetNumberOfCells() > 1000
        left, *_ = np.array(surface.GetBounds()).reshape(3, 2)
        x = np.nonzero((cups(sample + 1)[sample] == 2).any(axis=(0, 1)))[0] * VOXEL
        assert np.allclose(left, [-x.max(), -x.min()], atol=VOXEL), "the patient's left is negative in RAS"
    assert nodes.segmentation.GetDisplayNode().GetVisibility3D()


def test_context_has_no_surface_around_the_others_and_moves_no_view(headless: HeadlessSlicer, folder: Path) -> None:
    synthesis = read_synthesis_folder(folder)
    table = {"structures": [{"name": "lv_cavity"}, {"name": "myocardium", "context": True}]}
    around = type(synthesis)(**{**vars(synthesis), "report": {**synthesis.report, "table": table}})
    nodes = build_scene(headless.scene, around)
    for sample in (0, 3):
        nodes.show_sample(sample)
        display, segments = nodes.segmentation.GetDisplayNode(), nodes.segmentation.GetSegmentation()
        ids = [segments.GetNthSegmentID(number) for number in range(segments.GetNumberOfSegments())]
        assert [display.GetSegmentVisibility3D(one) for one in ids] == [True, False]
        assert [display.GetSegmentVisibility(one) for one in ids] == [True, True], "in slices it is shown"
        places = np.argwhere(cups(sample + 1)[sample] == 1)[:, ::-1]
        middle = (places.min(axis=0) + places.max(axis=0)) / 2 * [-1, -1, 1]
        assert np.allclose(nodes.sample_position(sample), middle * VOXEL, atol=VOXEL)


def test_a_known_structure_keeps_its_code_with_every_sample(headless: HeadlessSlicer, folder: Path) -> None:
    synthesis = read_synthesis_folder(folder)
    first, *others = synthesis.structures
    named = type(synthesis)(**{**vars(synthesis), "structures": (first._replace(name="left ventricle"), *others)})
    nodes = build_scene(headless.scene, named)
    nodes.show_sample(4)
    assert "87878005" in nodes.segmentation.GetSegmentation().GetNthSegment(0).GetTerminology()


def test_choosing_a_sample_moves_all_views(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    show_in_views(nodes, headless.application_logic)
    before = headless.scene.GetNumberOfNodes()
    nodes.show_sample(2, 1)
    nodes.jump_to_sample(2)
    assert nodes.browser.GetSelectedItemNumber() == 2
    assert nodes.barcode.GetTitle() == "Barcode of sample 2, myocardium (b0 = 2, b1 = 0, b2 = 0)"
    _, wall = nodes.judgements(2)
    assert (wall.region, wall.betti, wall.said) == ("myocardium", (2, 0, 0), "2 pieces instead of 1")
    assert wall.milliliters == pytest.approx((cups(3)[2] == 2).sum() * VOXEL**3 / 1000, rel=1e-3)
    z, y, x = (np.nonzero(cups(3)[2])[axis] for axis in range(3))
    middle = [-(x.min() + x.max()) / 2, -(y.min() + y.max()) / 2, (z.min() + z.max()) / 2]
    assert np.allclose(nodes.sample_position(2), np.array(middle) * VOXEL, atol=VOXEL)
    red = headless.scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    assert red.GetSliceOffset() == pytest.approx(nodes.sample_position(2)[2])
    assert headless.scene.GetNumberOfNodes() == before
    layout = headless.scene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()
    assert layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView, "slices, 3-D and the barcode"
    with pytest.raises(IndexError, match=f"There is no sample {COUNT}: the synthesis has {COUNT}"):
        nodes.show_sample(COUNT)


def test_barcode_has_a_bar_for_each_dimension(nodes: SynthesisNodes) -> None:
    nodes.show_sample(3, 1)
    series = [nodes.barcode.GetNthPlotSeriesNode(n) for n in range(nodes.barcode.GetNumberOfPlotSeriesNodes())]
    assert [one.GetName() for one in series[1:4]] == ["H0 (pieces)", "H1 (tunnels)", "H2 (cavities)"]
    assert len({one.GetColor() for one in series}) == len(series)
    shown = number_columns(barcode_table(nodes.barcode), ["dimension", "death (mm)", "death i", "death j", "death k"])
    assert shown["dimension"][::ROWS_PER_BAR].tolist() == [0, 2]
    assert shown["death (mm)"][::ROWS_PER_BAR].tolist() == [np.inf, 5 * VOXEL]
    assert [int(shown[f"death {axis}"][ROWS_PER_BAR]) for axis in "ijk"] == [18, 15, 14], "column, row, slice"
    assert [int(shown[f"death {axis}"][0]) for axis in "ijk"] == [-1, -1, -1]
    picture = draw_chart(nodes.barcode, 900, 500)
    green = np.abs(picture[120:].astype(int) - H2_GREEN).max(axis=2) < 30
    assert green.sum(axis=1).max() > 200


def test_masks_alone_of_one_structure(headless: HeadlessSlicer, tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "masks", 2, textures=False, structures=("myocardium",))
    nodes = build_scene(headless.scene, read_synthesis_folder(folder))
    show_in_views(nodes, headless.application_logic)
    assert nodes.image.GetName() == "TopoGAN myocardium masks"
    nodes.show_sample(1)
    assert np.array_equal(slicer.util.arrayFromVolume(nodes.image), cups(2)[1] == 2)
    assert not nodes.image.GetDisplayNode().GetInterpolate()
    assert nodes.caption(1) == "sample 1 (b0 = 1, b1 = 1, b2 = 0)"
    assert nodes.short_caption(1) == "1 (1, 1, 0)"
    assert nodes.segmentation.GetDisplayNode().GetOpacity3D() == 1


def test_an_empty_sample_is_shown_in_the_middle_of_its_volume(headless: HeadlessSlicer, folder: Path) -> None:
    synthesis = read_synthesis_folder(folder)
    synthesis.masks[1] = 0
    nodes = build_scene(headless.scene, synthesis)
    nodes.show_sample(1)
    assert np.allclose(nodes.sample_position(1), np.array([-1, -1, 1]) * (SIZE - 1) / 2 * VOXEL)
    assert not labels_of(nodes.segmentation).any()


@pytest.fixture
def rendering(headless: HeadlessSlicer, tmp_path: Path) -> Any:
    """Slicer's volume rendering with one preset."""
    (tmp_path / "presets.xml").write_text(
        '<MRML version="Slicer4.4.0" userTags="">\n <VolumeProperty name="CT-Cardiac" id="vtkMRMLVolumePropertyNode5" '
        'interpolation="1" shade="1" scalarOpacity="4 -77 0 260 0.8" gradientOpacity="4 0 1 255 1" '
        'colorTransfer="8 -77 0.5 0.2 0.1 260 0.6 0 0"/>\n</MRML>\n'
    )
    logic = slicer.vtkSlicerVolumeRenderingLogic()
    logic.SetModuleShareDirectory(str(tmp_path))
    logic.SetMRMLApplicationLogic(headless.application_logic)
    logic.SetMRMLScene(headless.scene)
    headless.application_logic.SetModuleLogic("VolumeRendering", logic)
    return logic


def test_volume_rendering_is_ready_but_hidden(
    headless: HeadlessSlicer, rendering: Any, nodes: SynthesisNodes, tmp_path: Path
) -> None:
    for _ in range(2):
        show_in_views(nodes, headless.application_logic)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLVolumeRenderingDisplayNode") == 1
    display = rendering.GetFirstVolumeRenderingDisplayNode(nodes.image)
    assert not display.GetVisibility()
    opacity = display.GetVolumePropertyNode().GetVolumeProperty().GetScalarOpacity()
    assert opacity.GetValue(260) == pytest.approx(0.8)
    nodes.remove()
    for kind in ("vtkMRMLVolumeRenderingDisplayNode", "vtkMRMLVolumePropertyNode", "vtkMRMLMarkupsROINode"):
        assert headless.scene.GetNumberOfNodesByClass(kind) == 0
    masks = write_volumes(tmp_path / "masks", 1, textures=False)
    show_in_views(build_scene(headless.scene, read_synthesis_folder(masks)), headless.application_logic)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLVolumeRenderingDisplayNode") == 0, "labels are no HU"


# Runs in a new process: loads the scene and tells what it finds.
_REPORT = """
import json, sys
from pathlib import Path
import numpy as np, slicer
sys.path.insert(0, sys.argv[3])
from test_volumes import labels_of
from TopoGANLib.headless.application import load_scene, start_headless
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.sequences import sequences_of

headless = start_headless()
load_scene(headless.scene, Path(sys.argv[1]))
scene = headless.scene
(nodes,) = SynthesisNodes.find_all(scene)
hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
dangling = []
for node in slicer.util.getNodesByClass("vtkMRMLNode", scene):
    for role in [node.GetNthNodeReferenceRole(n) for n in range(node.GetNumberOfNodeReferenceRoles())]:
        for n in range(node.GetNumberOfNodeReferences(role)):
            if node.GetNthNodeReference(role, n) is None:
                dangling.append(f"{node.GetName()}: {role}")
found = {
    "sample": nodes.chosen_sample, "region": nodes.shown_region, "regions": nodes.regions, "count": nodes.count,
    "title": nodes.barcode.GetTitle(), "verdict": nodes.judgements(3)[1].said,
    "background": [node.GetBackgroundVolumeID() == nodes.image.GetID()
                   for node in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene)],
    "plot": scene.GetFirstNodeByClass("vtkMRMLPlotViewNode").GetPlotChartNodeID() == nodes.barcode.GetID(),
    "camera": scene.GetFirstNodeByClass("vtkMRMLCameraNode").GetFocalPoint(),
    "folders": len({hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in nodes._all()}),
    "dangling": dangling, "masks": [], "images": [], "surfaces": [], "colors": [],
}
for sample in range(nodes.count):
    nodes.browser.SetSelectedItemNumber(sample)
    segment = nodes.segmentation.GetSegmentation().GetNthSegment(1)
    found["masks"].append(labels_of(nodes.segmentation))
    found["images"].append(slicer.util.arrayFromVolume(nodes.image).copy())
    found["surfaces"].append(segment.GetRepresentation("Closed surface").GetNumberOfCells())
    found["colors"].append([round(255 * part) for part in segment.GetColor()])
np.savez(sys.argv[2], masks=found.pop("masks"), images=found.pop("images"))
print(json.dumps(found))
"""


def test_another_process_finds_every_link(
    headless: HeadlessSlicer, nodes: SynthesisNodes, folder: Path, tmp_path: Path
) -> None:
    nodes.show_sample(3, 1)
    show_in_views(nodes, headless.application_logic)
    save_scene(headless.scene, tmp_path / "scene.mrb")
    done = subprocess.run(
        [sys.executable, "-c", _REPORT, tmp_path / "scene.mrb", tmp_path / "found.npz", Path(__file__).parent],
        env={**os.environ, "PYTHONPATH": str(Path(volume_writers.__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ERR|" not in done.stderr and "WARN|" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    assert all(cells > 1000 for cells in found.pop("surfaces"))
    middle = (SIZE - 1) / 2 * VOXEL
    assert np.allclose(found.pop("camera"), [-middle, -middle, middle], atol=VOXEL)
    assert found == {
        "sample": 3,
        "region": 1,
        "regions": ["lv_cavity", "myocardium"],
        "count": COUNT,
        "title": "Barcode of sample 3, myocardium (b0 = 1, b1 = 0, b2 = 1)",
        "verdict": TOPOLOGIES[3][3],
        "background": [True, True, True],
        "plot": True,
        "folders": 1,
        "dangling": [],
        "colors": [[0xE6, 0x9F, 0x00]] * COUNT,
    }
    synthesis, arrays = read_synthesis_folder(folder), np.load(tmp_path / "found.npz")
    assert np.array_equal(arrays["masks"], synthesis.masks)
    assert np.array_equal(arrays["images"], synthesis.textures)


def test_no_path_of_this_computer_is_in_the_file(
    headless: HeadlessSlicer, nodes: SynthesisNodes, folder: Path, tmp_path: Path
) -> None:
    save_scene(headless.scene, tmp_path / "scene.mrb")
    with zipfile.ZipFile(tmp_path / "scene.mrb") as bundle:
        (inner,) = [name for name in bundle.namelist() if name.endswith(".seq.mrb")]
        bundle.extract(inner, tmp_path)
        contents = [bundle.read(name) for name in bundle.namelist()]
    with zipfile.ZipFile(tmp_path / inner) as bundle:
        contents += [bundle.read(name) for name in bundle.namelist()]
    for trace in (str(folder), str(tmp_path), str(Path.home())):
        assert trace.encode() not in b"".join(contents)


def test_slices_and_volumes_stand_side_by_side(
    headless: HeadlessSlicer, nodes: SynthesisNodes, make_folder: Callable[..., Path]
) -> None:
    slices = build_scene(headless.scene, read_synthesis_folder(make_folder("slices")))
    assert SynthesisNodes.find_all(headless.scene) == [slices, nodes]
    nodes.show_sample(2)
    assert slices.shown_sample == 0


def test_removing_leaves_nothing(folder: Path) -> None:
    headless = start_headless()

    def present() -> set[str]:
        return {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode", headless.scene)}

    before = present()
    nodes = build_scene(headless.scene, read_synthesis_folder(folder))
    show_in_views(nodes, headless.application_logic)
    nodes.show_sample(2)
    other = build_scene(headless.scene, read_synthesis_folder(folder))
    nodes.remove()
    assert "vtkMRMLCameraNode1" in present(), "the other volumes are looked at through it"
    other.remove()
    assert present() - {"vtkMRMLPlotViewNodePlotView1"} == before


def test_surface_is_drawn_in_the_colors_of_the_structures(headless: HeadlessSlicer, tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "one", 2, structures=("myocardium",))
    nodes = build_scene(headless.scene, read_synthesis_folder(folder))
    show_in_views(nodes, headless.application_logic)
    view = ThreeDViewPicture(headless.scene, headless.application_logic, 200, 200)
    first = view.draw()
    red, _, blue = (first[..., channel].astype(int) for channel in range(3))
    orange = red > blue + 60
    assert 0.05 < orange.mean() < 0.6
    assert not orange[[0, -1]].any() and not orange[:, [0, -1]].any(), "nothing is cut off"
    nodes.show_sample(1)
    assert (view.draw() != first).any(axis=2).mean() > 0.01, "it follows the browser"


def test_pictures_of_the_demo(folder: Path, tmp_path: Path) -> None:
    written = demo_scene.make_demo_scene(folder, tmp_path / "out")
    assert [path.name for path in written.values()] == [
        "scene.mrb",
        "volumes.png",
        "barcode.png",
        "diagram.png",
        "gallery.png",
    ]
    for path in list(written.values())[1:]:
        drawn = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        assert drawn.shape[1] >= 800 and drawn.std() > 10
    planes = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / "volumes.png")))
    side = (planes.shape[1] - 4) // 4
    tiles = [planes[4:side, 4 + side * column : side * (column + 1)] for column in range(4)]
    assert all(tile.std() > 10 for tile in tiles), "no plane is empty"
