"""Samples that are volumes, as two sequences that one browser plays: pictures, and segmentations with their surfaces.

The browser copies the chosen sample into two ordinary nodes, its proxies, which is what views and modules see. With the
content it copies attributes and description, so that nothing else may be kept in those of a proxy.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from TopoGANLib.scene.segments import add_segments, is_context
from TopoGANLib.scene.synthesis_folder import Synthesis

_PRESET = "TopoGAN.renderingPreset"
# Slicer's own, for contrast-enhanced CT of the heart.
_CT_PRESET = "CT-Cardiac"


def add_sequences(
    scene: slicer.vtkMRMLScene,
    name: str,
    synthesis: Synthesis,
    pictures: np.ndarray,
    image: slicer.vtkMRMLScalarVolumeNode,
    segmentation: slicer.vtkMRMLSegmentationNode,
) -> slicer.vtkMRMLSequenceBrowserNode:
    """Add a sequence of pictures and one of segmentations, and the browser that shows a sample of both at a time.

    Args:
        scene: where the nodes go; it must know sequences, as it does in Slicer.
        name: what the names of the nodes begin with.
        synthesis: of volumes.
        pictures: int16 or uint8 [sample, slice, row, column], what ``image`` shows of each sample.
        image: becomes the proxy of the pictures.
        segmentation: becomes the proxy of the segmentations.
    """
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", scene.GenerateUniqueName(f"{name} browser"))
    browser.SetIndexDisplayFormat("%.0f")
    if synthesis.is_ct:
        browser.SetAttribute(_PRESET, _CT_PRESET)
    # Plainly named: the names become names of files in the scene's.
    volume, segments = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLSegmentationNode()
    volume.SetName("sample")
    segments.SetName("sample")
    volume.SetDescription(image.GetDescription())
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(synthesis.ijk_to_ras))
    images, masks = (_add_sequence(scene, f"{node.GetName()} sequence") for node in (image, segmentation))
    for sample, picture in enumerate(pictures):
        slicer.util.updateVolumeFromArray(volume, picture)
        images.SetDataNodeAtValue(volume, str(sample))
        segments.GetSegmentation().RemoveAllSegments()
        add_segments(segments, synthesis.structures, synthesis.masks[sample], synthesis.ijk_to_ras, synthesis.context)
        # With each sample, so that whatever moves the browser shows it in 3-D; Slicer makes it anew when it loads one.
        segments.CreateClosedSurfaceRepresentation()
        masks.SetDataNodeAtValue(segments, str(sample))
    for sequence, proxy in ((images, image), (masks, segmentation)):
        # Not after adding the sequence, upon which the browser makes a proxy of its own.
        browser.AddProxyNode(proxy, sequence, False)
        browser.SetOverwriteProxyName(sequence, False)
        browser.SetSaveChanges(sequence, False)
    browser.SetSelectedItemNumber(0)
    return browser


def sequences_of(browser: slicer.vtkMRMLSequenceBrowserNode) -> list[slicer.vtkMRMLSequenceNode]:
    """The sequences that a browser plays."""
    found = vtk.vtkCollection()
    browser.GetSynchronizedSequenceNodes(found, True)
    return [found.GetItemAsObject(number) for number in range(found.GetNumberOfItems())]


def middle_of_structures(segmentation: slicer.vtkMRMLSegmentationNode) -> tuple[float, float, float] | None:
    """Middle of the box around all structures but context, RAS, mm; None where there is nothing.

    Args:
        segmentation: one of a sequence, with its closed surfaces.
    """
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    box = vtk.vtkBoundingBox()
    segments = segmentation.GetSegmentation()
    for number in range(segments.GetNumberOfSegments()):
        segment = segments.GetNthSegment(number)
        polygons = segment.GetRepresentation(surface)
        if polygons is not None and polygons.GetNumberOfPoints() and not is_context(segment):
            box.AddBounds(polygons.GetBounds())
    if not box.IsValid():
        return None
    middle = [0.0, 0.0, 0.0]
    box.GetCenter(middle)
    return middle[0], middle[1], middle[2]


def prepare_volume_rendering(
    browser: slicer.vtkMRMLSequenceBrowserNode,
    image: slicer.vtkMRMLScalarVolumeNode,
    application_logic: slicer.vtkMRMLApplicationLogic,
) -> None:
    """Make CT ready to be rendered in the 3-D view, where the application can render volumes; it stays hidden.

    The surfaces are there: who wants the volume instead has one eye to open.
    """
    wanted = browser.GetAttribute(_PRESET)
    logic = application_logic.GetModuleLogic("VolumeRendering")
    if wanted is None or logic is None or logic.GetFirstVolumeRenderingDisplayNode(image) is not None:
        return
    preset = logic.GetPresetByName(wanted)
    display = logic.CreateDefaultVolumeRenderingNodes(image)
    display.SetVisibility(False)
    if preset is not None:
        display.GetVolumePropertyNode().Copy(preset)


def _add_sequence(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLSequenceNode:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", scene.GenerateUniqueName(name))
    sequence.SetIndexName("sample")
    sequence.SetIndexUnit("")
    return sequence
