"""Turns a synthesis into MRML nodes: CT volume, segmentation, barcode, tables, all in one folder of the hierarchy."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import slicer

from TopoGANLib.scene.barcode import add_barcode
from TopoGANLib.scene.diagram_table import diagram_columns
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.own import added_whole, mark_own
from TopoGANLib.scene.segments import add_segments, hide_surfaces
from TopoGANLib.scene.sequences import add_sequences, sequences_of
from TopoGANLib.scene.synthesis_folder import Synthesis
from TopoGANLib.scene.tables import Column, add_table, typed_column

_FILL_OPACITY = 0.2
_OUTLINE_PIXELS = 2
# Of several structures one may lie in another.
_SURFACE_OPACITY = 0.5

_OF_REAL_BARS = re.compile("regions: [0-9]+: real")
_NATURE = {
    2: "A stack of independent synthetic samples, one in each slice: neighboring slices are unrelated.",
    3: "One of a sequence of independent synthetic samples: the browser chooses which.",
}


def build_scene(scene: slicer.vtkMRMLScene, synthesis: Synthesis) -> SynthesisNodes:
    """Add the nodes of a synthesis to the scene and show its first sample in the barcode.

    Every node gets a fresh name, so that a second synthesis stands beside the first; to replace it, call
    :meth:`SynthesisNodes.remove` of the first. Where it fails, no node of it stays.

    Args:
        scene: where the nodes go; inside Slicer, ``slicer.mrmlScene``.
        synthesis: from :func:`TopoGANLib.scene.synthesis_folder.read_synthesis_folder`.
    """
    name = f"TopoGAN {synthesis.structure}"
    with added_whole(scene):
        return _build(scene, name, synthesis)


def _build(scene: slicer.vtkMRMLScene, name: str, synthesis: Synthesis) -> SynthesisNodes:
    pictures = add_pictures(scene, name, synthesis, _NATURE[synthesis.axes])
    nodes = SynthesisNodes.connect(
        synthesis.regions,
        pictures.browser,
        segmentation=pictures.segmentation,
        image=pictures.image,
        barcode=add_barcode(scene, f"{name} barcode", synthesis.axes, any(synthesis.real)),
        diagrams=add_table(scene, f"{name} diagrams", diagram_columns(synthesis.diagrams, len(synthesis.regions))),
        samples=add_table(scene, f"{name} samples", _sample_columns(synthesis.samples)),
        metrics=add_table(scene, f"{name} metrics", _metric_columns(synthesis.report)),
    )
    nodes.plots.keep_real(synthesis.real)
    nodes.show_sample(0)
    nodes.put_into_folder(name)
    return nodes


class PictureNodes(NamedTuple):
    """Pictures and masks of samples."""

    image: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    browser: slicer.vtkMRMLSequenceBrowserNode | None
    """Of volumes, of which it shows one."""


def add_pictures(scene: slicer.vtkMRMLScene, name: str, synthesis: Synthesis, nature: str) -> PictureNodes:
    """Add the pictures and the masks alone.

    Args:
        scene: where the nodes go.
        name: what their names begin with.
        synthesis: what to show.
        nature: what the pictures are, as the node says of itself.
    """
    # Gray masks, so that the colors of the segmentation show on them.
    pictures = synthesis.masks if synthesis.textures is None else synthesis.textures
    volumes = synthesis.axes == 3
    image = _add_image(scene, name, synthesis, pictures[0] if volumes else pictures, nature)
    segmentation = _add_segmentation(scene, name, synthesis, image)
    browser = add_sequences(scene, name, synthesis, pictures, image, segmentation) if volumes else None
    for sequence in [] if browser is None else sequences_of(browser):
        # The items, too: the browser copies their attributes into its proxies.
        mark_own(sequence, *(sequence.GetNthDataNode(number) for number in range(sequence.GetNumberOfDataNodes())))
    mark_own(image, segmentation)
    return PictureNodes(image, segmentation, browser)


def _add_image(
    scene: slicer.vtkMRMLScene, name: str, synthesis: Synthesis, array: np.ndarray, nature: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """The picture under the segmentation: the textures, or where there are none the masks as gray values."""
    if synthesis.textures is None:
        title, window = "masks", (0.0, len(synthesis.structures) + 1.0)
    else:
        title, window = "CT" if synthesis.is_ct else "image", synthesis.window
    volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"{name} {title}"))
    volume.SetDescription(nature)
    volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(synthesis.ijk_to_ras))
    slicer.util.updateVolumeFromArray(volume, array)
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    # A mask between its pixels is no mask.
    display.SetInterpolate(synthesis.textures is not None)
    if window is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(*window)
    return volume


def _add_segmentation(
    scene: slicer.vtkMRMLScene, name: str, synthesis: Synthesis, image: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode:
    unique_name = scene.GenerateUniqueName(f"{name} segmentation")
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", unique_name)
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(image)
    display = segmentation.GetDisplayNode()
    display.SetOpacity2DFill(_FILL_OPACITY)
    display.SetSliceIntersectionThickness(_OUTLINE_PIXELS)
    if synthesis.axes == 2:
        add_segments(segmentation, synthesis.structures, synthesis.masks, synthesis.ijk_to_ras)
    elif len(synthesis.structures) > 1:
        display.SetOpacity3D(_SURFACE_OPACITY)
        if synthesis.context:
            # A body would stand around all others.
            add_segments(
                segmentation, synthesis.structures, synthesis.masks[0], synthesis.ijk_to_ras, synthesis.context
            )
            hide_surfaces(segmentation, synthesis.context)
    return segmentation


def _sample_columns(samples: dict[str, list[str]]) -> dict[str, Column]:
    return {name: typed_column(words) for name, words in samples.items()}


def _metric_columns(report: dict[str, Any]) -> dict[str, Column]:
    rows = [row for key, value in report.items() if key != "schema" for row in _flat(key, value)]
    # Hundreds of numbers, which the plots show.
    rows = [row for row in rows if not _OF_REAL_BARS.match(row[0])]
    return {"metric": [name for name, _ in rows], "value": [value for _, value in rows]}


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    """Rows for a value of JSON: one a leaf, named by its path; a list of plain values stays one row."""
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flat(f"{name}: {key}", inner)]
    if isinstance(value, list) and any(isinstance(inner, dict | list) for inner in value):
        return [row for index, inner in enumerate(value) for row in _flat(f"{name}: {index}", inner)]
    return [(name, _in_words(value))]


def _in_words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_in_words(inner) for inner in value)
    return str(value)
