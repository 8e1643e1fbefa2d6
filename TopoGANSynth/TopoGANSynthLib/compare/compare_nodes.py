"""A comparison in the scene: what was found, as text and tables, its charts, and the nearest training images.

All of it lies in the folder of its synthesis and is saved with it; a synthesis has one comparison at most. Whoever
shares the scene removes the real images: the rest stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _

from topogan_contract.comparison import Comparison, comparison_of, text_of
from TopoGANLib.scene.build import add_pictures
from TopoGANLib.scene.folders import put_beside
from TopoGANLib.scene.own import added_whole, comparison_texts, family, remove_nodes
from TopoGANLib.scene.tables import add_table
from TopoGANSynthLib.compare.compare_charts import add_charts

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.synthesis_folder import Synthesis
    from TopoGANSynthLib.compare.comparing import Compared

# The text refers to the other nodes, and to the segmentation of the synthesis.
_PREFIX = "TopoGAN.comparison."
_OF = f"{_PREFIX}of"
_NEAREST = ("image", "segmentation")
_NEEDED = ("metrics", "samples", "topology", "sizes")
_BROWSER, _PART = f"{_PREFIX}browser", f"{_PREFIX}part"
# A name of chance, not a path: IDs are used again by the next scene, and paths tell where a user's files are.
_PAGE = f"{_PREFIX}page"
# Fitting would turn the views, one of which may be the plane of a patient.
_NO_FIT = 0
# Between a sample and the image beside it, of the width.
_GAP = 0.06


@dataclass(frozen=True)
class ComparisonNodes:
    """What a scene holds of one comparison.

    Usage::

        found = ComparisonNodes.find(nodes) or ComparisonNodes.add(nodes, job.result)
        found.read().order[0]  # the most real sample
    """

    text: slicer.vtkMRMLTextNode
    """The engine's ``comparison.json``."""
    metrics: slicer.vtkMRMLTableNode
    samples: slicer.vtkMRMLTableNode
    topology: slicer.vtkMRMLPlotChartNode
    sizes: slicer.vtkMRMLPlotChartNode
    image: slicer.vtkMRMLScalarVolumeNode | None
    """The nearest training images, in the order of the samples and beside them; of volumes, one of them. None where
    the user has removed a part of them."""
    segmentation: slicer.vtkMRMLSegmentationNode | None
    """Their masks; None where the images are."""
    browser: slicer.vtkMRMLSequenceBrowserNode | None = None
    """Of volumes."""

    @classmethod
    def find(cls, nodes: SynthesisNodes) -> ComparisonNodes | None:
        """That of a synthesis; None where there is none, or the user has removed more of it than the real images."""
        for text in _texts(nodes):
            needed, nearest = (
                {role: text.GetNodeReference(f"{_PREFIX}{role}") for role in roles} for roles in (_NEEDED, _NEAREST)
            )
            browser = text.GetNodeReference(_BROWSER)
            if None in nearest.values() or (browser is None) != (nodes.axes == 2):
                nearest, browser = dict.fromkeys(_NEAREST), None
            if None not in needed.values():
                return cls(text, **needed, **nearest, browser=browser)
        return None

    @classmethod
    def add(cls, nodes: SynthesisNodes, compared: Compared) -> ComparisonNodes:
        """Put a comparison beside its synthesis, in the place of what is left of older ones.

        They stay, and nothing of the new one does, where an error ends it.
        """
        older = [node for text in _texts(nodes) for node in family(text, nodes.segmentation)]
        with added_whole(nodes.image.GetScene()):
            found = cls._add(nodes, compared)
        remove_nodes(older)
        return found

    @classmethod
    def _add(cls, nodes: SynthesisNodes, compared: Compared) -> ComparisonNodes:
        scene = nodes.image.GetScene()
        name = nodes.segmentation.GetName().replace(" segmentation", "")
        comparison = compared.comparison
        text = scene.AddNewNodeByClass("vtkMRMLTextNode", scene.GenerateUniqueName(f"{name} comparison"))
        text.SetText(text_of(comparison))
        text.SetAttribute(_PAGE, compared.page.name)
        text.SetNodeReferenceID(_OF, nodes.segmentation.GetID())
        # Whoever shares the scene must know.
        nature = (
            _("Real images of patients, for each sample the nearest one. Remove before sharing.")
            if comparison.foreign
            else _("Real images of training patients, for each sample the nearest one. Remove before sharing.")
        )
        kind = "real" if comparison.foreign else "training"
        real = add_pictures(scene, f"{name} nearest {kind}", _beside(nodes, compared.nearest), nature)
        topology, sizes = add_charts(scene, f"{name} comparison")
        found = cls(
            text,
            add_table(scene, f"{name} comparison metrics", _metric_columns(comparison)),
            add_table(scene, f"{name} comparison samples", _sample_columns(comparison)),
            topology,
            sizes,
            real.image,
            real.segmentation,
            real.browser,
        )
        for role in (*_NEEDED, *_NEAREST):
            text.SetNodeReferenceID(f"{_PREFIX}{role}", getattr(found, role).GetID())
        if found.browser is not None:
            text.SetNodeReferenceID(_BROWSER, found.browser.GetID())
        for number, node in enumerate(family(text, nodes.segmentation)):
            put_beside(nodes.segmentation, node)
            # So that it is found also when the browser or the chart is gone that knows it.
            if node is not text:
                text.SetNthNodeReferenceID(_PART, number - 1, node.GetID())
        found.show(nodes, False)
        return found

    def read(self) -> Comparison:
        """What was found.

        Raises:
            ValueError: the text was changed, or is of another version.
        """
        return comparison_of(self.text.GetText() or "")

    @property
    def page_name(self) -> str:
        """Of the report for a browser, which the session that has compared keeps; empty if there was none."""
        return self.text.GetAttribute(_PAGE) or ""

    @property
    def wanted(self) -> bool:
        """Whether the nearest image is to be seen; the scene remembers it as the masks' visibility."""
        return self.segmentation is not None and bool(self.segmentation.GetDisplayNode().GetVisibility())

    def keep_shown(self, nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
        """Show it again where it is wanted, and a view that shows the samples has lost it."""
        if self.image is None:
            return
        views = [view for view in _views(self.image.GetScene()) if _has(view, nodes.image)]
        if self.wanted and any(view.GetForegroundVolumeID() != self.image.GetID() for view in views):
            self.show(nodes, True, application_logic)

    def show(
        self, nodes: SynthesisNodes, wanted: bool, application_logic: slicer.vtkMRMLApplicationLogic | None = None
    ) -> None:
        """Show the nearest image beside the sample in the slice views that show the samples, or no longer.

        Args:
            nodes: the samples; where no view shows them, all do from now on.
            wanted: whether it is to be seen.
            application_logic: inside Slicer, ``slicer.app.applicationLogic()``; with it, both are brought into sight.
        """
        if self.image is None or self.segmentation is None:
            return
        views = _views(self.image.GetScene())
        if wanted and application_logic is not None and not any(_has(view, nodes.image) for view in views):
            application_logic.GetSelectionNode().SetActiveVolumeID(nodes.image.GetID())
            application_logic.PropagateVolumeSelection(_NO_FIT)
        for view in views:
            if wanted and _has(view, nodes.image):
                view.SetForegroundVolumeID(self.image.GetID())
                view.SetForegroundOpacity(1.0)
            elif not wanted and view.GetForegroundVolumeID() == self.image.GetID():
                view.SetForegroundVolumeID(None)
                view.SetForegroundOpacity(0.0)
        self.segmentation.GetDisplayNode().SetVisibility(wanted)
        if application_logic is not None:
            _fit(nodes.image, application_logic)
            nodes.jump_to_sample(nodes.chosen_sample)

    def follow(self, sample: int) -> None:
        """Let volumes be those of a sample; slices lie beside their samples anyway."""
        if self.browser is not None and self.browser.GetSelectedItemNumber() != sample:
            self.browser.SetSelectedItemNumber(sample)


def _texts(nodes: SynthesisNodes) -> list[Any]:
    """Of the comparisons of a synthesis, whole or not."""
    return [text for text in comparison_texts(nodes.segmentation) if text.GetNodeReference(_OF) is nodes.segmentation]


def _views(scene: slicer.vtkMRMLScene) -> list[Any]:
    return list(slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode", scene))


def _has(view: slicer.vtkMRMLSliceCompositeNode, image: slicer.vtkMRMLScalarVolumeNode) -> bool:
    return bool(view.GetBackgroundVolumeID() == image.GetID())


def _fit(image: slicer.vtkMRMLScalarVolumeNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Let the slice views that show an image show all that lies in them."""
    logics = application_logic.GetSliceLogics()
    for number in range(logics.GetNumberOfItems()):
        logic = logics.GetItemAsObject(number)
        if _has(logic.GetSliceCompositeNode(), image):
            logic.FitSliceToAll()


def _beside(nodes: SynthesisNodes, nearest: Synthesis) -> Synthesis:
    """The same pictures, moved along the rows so that each lies beside its sample."""
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(matrix)
    step = np.eye(4)
    step[0, 3] = round(nearest.masks.shape[-1] * (1 + _GAP))
    return replace(nearest, ijk_to_ras=slicer.util.arrayFromVTKMatrix(matrix) @ step)


def _metric_columns(comparison: Comparison) -> dict[str, Any]:
    rows = comparison.metrics
    return {
        "metric": [row.name for row in rows],
        "structure": [row.structure for row in rows],
        "samples": np.array([np.nan if row.samples is None else row.samples for row in rows]),
        "real": np.array([np.nan if row.real is None else row.real for row in rows]),
        "unit": [row.unit for row in rows],
        "better": [row.better for row in rows],
        "beside real": [row.beside for row in rows],
        "meaning": [row.meaning for row in rows],
    }


def _sample_columns(comparison: Comparison) -> dict[str, Any]:
    rows = comparison.samples
    return {
        "sample": np.arange(len(rows)),
        "rank": np.array([row.rank for row in rows]),
        "verdict": [row.verdict for row in rows],
        "possible copy": ["yes" if row.copy else "no" for row in rows],
        "training row": np.array([row.training_row for row in rows]),
        "Dice to training": np.array([row.dice_to_training for row in rows]),
        "test row": np.array([row.test_row for row in rows]),
        "Dice to test": np.array([row.dice_to_test for row in rows]),
    }
