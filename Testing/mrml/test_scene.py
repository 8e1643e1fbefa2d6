"""What the scene holds of a synthesis, and how its nodes hang together."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from topogan_contract.stacks import Segment, stack_header
from TopoGANLib.headless.application import HeadlessSlicer, load_scene, save_scene, start_headless
from TopoGANLib.scene.barcode import ROWS_PER_BAR, barcode_table
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.sample_table import Judgement
from TopoGANLib.scene.synthesis_folder import Synthesis, read_synthesis_folder
from TopoGANLib.scene.tables import number_columns, typed_column
from TopoGANLib.scene.views import show_in_views

MakeFolder = Callable[..., Path]


def segment_array(nodes: SynthesisNodes, number: int = 0) -> np.ndarray:
    segmentation = nodes.segmentation.GetSegmentation()
    labelmap = slicer.vtkOrientedImageData()
    nodes.segmentation.GetBinaryLabelmapRepresentation(segmentation.GetNthSegmentID(number), labelmap)
    return vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])


def table_rows(node: slicer.vtkMRMLTableNode) -> list[list[str]]:
    return [
        [node.GetCellText(row, column) for column in range(node.GetNumberOfColumns())]
        for row in range(node.GetNumberOfRows())
    ]


def test_volume_holds_the_textures_with_the_window_of_the_report(nodes: SynthesisNodes, synthesis: Synthesis) -> None:
    assert nodes.image.GetName() == "TopoGAN myocardium CT"
    assert np.array_equal(slicer.util.arrayFromVolume(nodes.image), synthesis.textures)
    assert nodes.image.GetSpacing() == (1.5, 1.5, 1.5)
    display = nodes.image.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-200, 400)
    assert not display.GetAutoWindowLevel()


def test_segmentation_holds_the_masks_on_the_grid_of_the_volume(nodes: SynthesisNodes, synthesis: Synthesis) -> None:
    segment = nodes.segmentation.GetSegmentation().GetNthSegment(0)
    assert nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 1
    assert segment.GetName() == "myocardium"
    assert np.array_equal(segment_array(nodes), synthesis.masks)
    reference = nodes.segmentation.GetNodeReference(
        slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    )
    assert reference is nodes.image
    to_ras, expected = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    segment.GetRepresentation("Binary labelmap").GetImageToWorldMatrix(to_ras)
    nodes.image.GetIJKToRASMatrix(expected)
    assert np.array_equal(slicer.util.arrayFromVTKMatrix(to_ras), slicer.util.arrayFromVTKMatrix(expected))


def test_masks_alone_are_shown_over_themselves(headless: HeadlessSlicer, make_folder: MakeFolder) -> None:
    synthesis = read_synthesis_folder(make_folder("masks", textures=False))
    nodes = build_scene(headless.scene, synthesis)
    assert nodes.image.GetName() == "TopoGAN myocardium masks"
    assert np.array_equal(slicer.util.arrayFromVolume(nodes.image), synthesis.masks)
    display = nodes.image.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 2)
    assert not display.GetInterpolate()
    assert np.array_equal(segment_array(nodes), synthesis.masks)


def test_an_image_that_is_not_hu_is_not_called_ct(headless: HeadlessSlicer, make_folder: MakeFolder) -> None:
    folder = make_folder("membrane", structure="membrane", intensity="arbitrary", window=None)
    nodes = build_scene(headless.scene, read_synthesis_folder(folder))
    assert nodes.image.GetName() == "TopoGAN membrane image"
    assert nodes.image.GetDisplayNode().GetAutoWindowLevel()


def test_empty_masks_make_an_empty_segment(headless: HeadlessSlicer, synthesis: Synthesis) -> None:
    synthesis.masks[:] = 0
    nodes = build_scene(headless.scene, synthesis)
    assert nodes.segmentation.GetSegmentation().GetNumberOfSegments() == 1


def test_a_known_structure_gets_its_standard_code(headless: HeadlessSlicer, make_folder: MakeFolder) -> None:
    folder = make_folder("atrium", structure="Left atrium")
    nodes = build_scene(headless.scene, read_synthesis_folder(folder))
    segment = nodes.segmentation.GetSegmentation().GetNthSegment(0)
    assert segment.GetName() == "Left atrium"
    # Slicer's own reader of entries understands it.
    logic, entry = slicer.vtkSlicerTerminologiesModuleLogic(), slicer.vtkSlicerTerminologyEntry()
    assert logic.DeserializeTerminologyEntry(segment.GetTerminology(), entry)
    assert entry.GetTypeObject().GetCodeValue() == "82471001"
    assert entry.GetTypeObject().GetCodeMeaning() == "Left atrium"


def test_tables_hold_report_and_samples(nodes: SynthesisNodes) -> None:
    metrics = dict(table_rows(nodes.metrics))
    assert metrics["accepted_percent"] == "87.5"
    assert metrics["betti_histogram: 1,1"] == "6"
    assert metrics["requested_betti"] == "1, 1"
    assert metrics["model: independent"] == "yes"
    assert "schema" not in metrics
    samples = table_rows(nodes.samples)
    assert len(samples) == 6
    assert samples[3][:5] == ["3", str(2**40 + 3), "1", "1", "valid"], "long seeds keep every digit"
    assert nodes.samples.GetTable().GetColumnByName("area_mm2").IsNumeric()
    assert all(table.GetLocked() for table in (nodes.metrics, nodes.samples, nodes.diagrams))


def test_numbers_are_recognized_in_words() -> None:
    assert typed_column(["1", "2"]).dtype == np.int32
    assert typed_column(["1", "2.5"]).tolist() == [1.0, 2.5]
    assert typed_column(["1", ""]) == ["1", ""]
    assert typed_column([str(2**63)]) == [str(2**63)]


def test_all_nodes_lie_in_one_folder(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
    series = [nodes.barcode.GetNthPlotSeriesNode(n) for n in range(5)]
    everything = [
        nodes.image, nodes.segmentation, nodes.barcode, *series, barcode_table(nodes.barcode),
        nodes.diagrams, nodes.samples, nodes.metrics,
    ]  # fmt: skip
    folders = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in everything}
    assert len(folders) == 1
    assert hierarchy.GetItemName(folders.pop()) == "TopoGAN myocardium"


def test_barcode_follows_the_chosen_sample_without_new_nodes(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    before = headless.scene.GetNumberOfNodes()
    assert nodes.shown_sample == 0
    nodes.show_sample(4)
    assert nodes.shown_sample == 4
    assert headless.scene.GetNumberOfNodes() == before
    assert nodes.barcode.GetTitle() == "Barcode of sample 4 (b0 = 1, b1 = 1)"
    shown = number_columns(barcode_table(nodes.barcode), ["death (mm)", "death i", "death j", "death k"])
    assert shown["death (mm)"][::ROWS_PER_BAR].tolist() == [np.inf, 12 * 1.5]
    assert [int(shown[f"death {axis}"][ROWS_PER_BAR]) for axis in "ijk"] == [32, 32, 4]


@pytest.mark.parametrize("sample", [-1, 6])
def test_a_sample_that_is_not_there_is_refused(nodes: SynthesisNodes, sample: int) -> None:
    for go in (nodes.show_sample, nodes.sample_offset, nodes.jump_to_sample):
        with pytest.raises(IndexError, match=f"There is no sample {sample}: the synthesis has 6"):
            go(sample)


def test_jump_moves_the_slice_view_to_the_slice_of_the_sample(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    show_in_views(nodes, headless.application_logic)
    red = headless.scene.GetSingletonNode("Red", "vtkMRMLSliceNode")
    for sample in (5, 2):
        nodes.jump_to_sample(sample)
        assert red.GetSliceOffset() == nodes.sample_offset(sample) == sample * 1.5


def test_views_show_picture_and_chart(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    show_in_views(nodes, headless.application_logic)
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", headless.scene):
        assert composite.GetBackgroundVolumeID() == nodes.image.GetID()
        assert composite.GetLabelVolumeID() is None
    (plot_view,) = slicer.util.getNodesByClass("vtkMRMLPlotViewNode", headless.scene)
    assert plot_view.GetPlotChartNodeID() == nodes.barcode.GetID()


def test_a_second_synthesis_stands_beside_the_first(
    headless: HeadlessSlicer, nodes: SynthesisNodes, synthesis: Synthesis
) -> None:
    colors = headless.scene.GetNumberOfNodesByClass("vtkMRMLColorNode")
    second = build_scene(headless.scene, synthesis)
    names = [node.GetName() for node in (*vars(nodes).values(), *vars(second).values()) if node]
    assert len(set(names)) == len(names)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLColorNode") == colors
    assert SynthesisNodes.find_all(headless.scene) == [nodes, second]
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
    folders = [hierarchy.GetItemParent(hierarchy.GetItemByDataNode(n.image)) for n in (nodes, second)]
    assert hierarchy.GetItemName(folders[0]) != hierarchy.GetItemName(folders[1])


def test_removing_leaves_the_scene_as_it_was(synthesis: Synthesis) -> None:
    headless = start_headless()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
    before = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode", headless.scene)}
    nodes = build_scene(headless.scene, synthesis)
    nodes.remove()
    after = {node.GetID() for node in slicer.util.getNodesByClass("vtkMRMLNode", headless.scene)}
    assert after == before
    assert SynthesisNodes.find_all(headless.scene) == []
    assert hierarchy.GetNumberOfItemChildren(hierarchy.GetSceneItemID()) == 0


def test_removing_keeps_what_the_user_put_into_the_folder(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
    folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(nodes.image))
    note = headless.scene.AddNewNodeByClass("vtkMRMLTextNode", "note")
    hierarchy.CreateItem(folder, note)
    nodes.remove()
    assert note.GetScene() is headless.scene
    assert hierarchy.GetItemName(folder) == "TopoGAN myocardium"


def test_samples_without_betti_numbers_have_a_plain_caption(headless: HeadlessSlicer, synthesis_folder: Path) -> None:
    (synthesis_folder / "samples.csv").write_text("sample\n" + "\n".join("012345") + "\n")
    report = json.loads((synthesis_folder / "report.json").read_text())
    del report["window"], report["structure"]
    (synthesis_folder / "report.json").write_text(json.dumps(report))
    nodes = build_scene(headless.scene, read_synthesis_folder(synthesis_folder))
    assert (nodes.caption(2), nodes.short_caption(2)) == ("sample 2", "2")
    assert nodes.segmentation.GetName() == "TopoGAN structure segmentation"


def test_each_structure_is_a_segment_in_its_color(several: SynthesisNodes, structures_folder: Path) -> None:
    synthesis = read_synthesis_folder(structures_folder)
    segmentation = several.segmentation.GetSegmentation()
    segments = [segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments())]
    assert [segment.GetName() for segment in segments] == ["cavity", "myocardium"]
    assert np.allclose(segments[0].GetColor(), np.array([0x56, 0xB4, 0xE9]) / 255)
    assert np.allclose(segments[1].GetColor(), np.array([0xE6, 0x9F, 0x00]) / 255)
    assert "87878005" in segments[0].GetTerminology()
    assert segmentation.GetNumberOfLayers() == 1, "one array for all"
    for number in range(2):
        assert np.array_equal(segment_array(several, number) > 0, synthesis.masks == number + 1)
    assert several.image.GetName() == "TopoGAN cavity, myocardium CT"


def test_the_barcode_is_of_the_chosen_region(headless: HeadlessSlicer, several: SynthesisNodes) -> None:
    before = headless.scene.GetNumberOfNodes()
    assert several.regions == ("cavity", "myocardium", "cavity + myocardium")
    assert several.barcode.GetTitle() == "Barcode of sample 0, cavity (b0 = 1, b1 = 0)"
    several.show_sample(2, 1)
    assert several.barcode.GetTitle() == "Barcode of sample 2, myocardium (b0 = 1, b1 = 0)"
    assert (several.shown_sample, several.shown_region) == (2, 1)
    shown = number_columns(barcode_table(several.barcode), ["birth (mm)", "death (mm)"])
    assert shown["birth (mm)"][::ROWS_PER_BAR].tolist() == [1.5, 1.5]
    assert shown["death (mm)"][::ROWS_PER_BAR].tolist() == [np.inf, 13.5]
    several.show_sample(3)
    assert several.barcode.GetTitle() == "Barcode of sample 3, myocardium (b0 = 1, b1 = 1)", "the region stays"
    several.show_sample(3, 2)
    assert number_columns(barcode_table(several.barcode), ["birth (mm)"])["birth (mm)"][::ROWS_PER_BAR].tolist() == [
        3.0
    ]
    assert headless.scene.GetNumberOfNodes() == before
    with pytest.raises(IndexError, match="There is no region 3: the synthesis has 3"):
        several.show_sample(0, 3)


def test_each_region_has_a_verdict(several: SynthesisNodes) -> None:
    assert several.judgements(2) == [
        Judgement("cavity", (1, 0), "valid", 97.5, None),
        Judgement("myocardium", (1, 0), "no hole", 0.0, None),
        Judgement("cavity + myocardium", (1, 0), "valid (as in 9 % of real slices)", 9.1, None),
    ]
    assert several.are_valid([1, 2]) == [True, False]
    assert (several.short_caption(1), several.short_caption(2)) == ("1: 3 of 3 valid", "2: 2 of 3 valid")


def test_several_structures_survive_in_a_scene(
    headless: HeadlessSlicer, several: SynthesisNodes, structures_folder: Path, tmp_path: Path
) -> None:
    several.show_sample(4, 1)
    save_scene(headless.scene, tmp_path / "scene.mrb")
    again = start_headless()
    load_scene(again.scene, tmp_path / "scene.mrb")
    (loaded,) = SynthesisNodes.find_all(again.scene)
    assert (loaded.regions, loaded.shown_region) == (("cavity", "myocardium", "cavity + myocardium"), 1)
    masks = read_synthesis_folder(structures_folder).masks
    for number in range(2):
        segment = loaded.segmentation.GetSegmentation().GetNthSegment(number)
        assert segment.GetName() == ("cavity", "myocardium")[number]
        assert np.array_equal(segment_array(loaded, number) > 0, masks == number + 1)
    loaded.show_sample(5, 2)
    assert loaded.barcode.GetTitle().startswith("Barcode of sample 5, cavity + myocardium")


def test_context_is_a_segment_without_barcode_and_verdict(
    headless: HeadlessSlicer, structures_folder: Path, tmp_path: Path
) -> None:
    found = read_synthesis_folder(structures_folder)
    labels = np.where(found.masks == 0, 3, found.masks).astype(np.uint8)
    header = stack_header("|u1", labels.shape[::-1], 1.5, "", (*found.structures, Segment("lungs", 3, "#c5a591")))
    (structures_folder / "masks.nrrd").write_bytes(header + gzip.compress(labels.tobytes()))
    report = json.loads((structures_folder / "report.json").read_text())
    report["table"]["structures"].append({"name": "lungs", "context": True})
    (structures_folder / "report.json").write_text(json.dumps(report))
    build_scene(headless.scene, read_synthesis_folder(structures_folder))
    save_scene(headless.scene, tmp_path / "scene.mrb")
    again = start_headless()
    load_scene(again.scene, tmp_path / "scene.mrb")
    for scene in (headless.scene, again.scene):
        (nodes,) = SynthesisNodes.find_all(scene)
        segmentation = nodes.segmentation.GetSegmentation()
        segments = [segmentation.GetNthSegment(number) for number in range(segmentation.GetNumberOfSegments())]
        assert [one.GetName() for one in segments] == ["cavity", "myocardium", "lungs"]
        assert np.array_equal(segment_array(nodes, 2) > 0, labels == 3)
        assert nodes.regions == ("cavity", "myocardium", "cavity + myocardium")
        assert [one.region for one in nodes.judgements(2)] == list(nodes.regions)


def test_a_scene_of_the_version_that_knew_one_structure(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    for name in ("TopoGAN.regions", "TopoGAN.shownRegion"):
        nodes.segmentation.RemoveAttribute(name)
    nodes.diagrams.RemoveColumn(1)
    nodes.show_sample(3)
    assert nodes.regions == ("myocardium",)
    assert nodes.barcode.GetTitle() == "Barcode of sample 3 (b0 = 1, b1 = 1)"


@pytest.mark.parametrize("volumes", [False, True])
def test_what_cannot_be_added_whole_leaves_nothing(
    headless: HeadlessSlicer, synthesis: Synthesis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, volumes: bool
) -> None:
    from volume_writers import write_volumes

    def contents() -> tuple[set[str], int]:
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(headless.scene)
        nodes = slicer.util.getNodesByClass("vtkMRMLNode", headless.scene)
        return {node.GetID() for node in nodes}, hierarchy.GetNumberOfItems()

    def full(*arguments: object) -> None:
        raise MemoryError

    content = read_synthesis_folder(write_volumes(tmp_path / "volumes")) if volumes else synthesis
    before = contents()
    with monkeypatch.context() as patch:
        # The last step.
        patch.setattr(SynthesisNodes, "put_into_folder", full)
        with pytest.raises(MemoryError):
            build_scene(headless.scene, content)
    assert contents() == before
    build_scene(headless.scene, content)
