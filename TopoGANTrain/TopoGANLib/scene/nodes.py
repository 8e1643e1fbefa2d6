"""The nodes of one synthesis in a scene: find them, change the shown sample, go to it, remove them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from topogan_contract.synthesis import VALID, region_columns
from TopoGANLib.scene.barcode import show_barcode
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import number_columns

# The segmentation refers to the other nodes by these roles. References are saved with the scene and survive new ids.
_ROLES = ("image", "barcode", "diagrams", "samples", "metrics")
_ROLE_PREFIX = "TopoGAN."
_SHOWN_SAMPLE = "TopoGAN.shownSample"
_SHOWN_REGION = "TopoGAN.shownRegion"
_REGIONS = "TopoGAN.regions"


@dataclass(frozen=True)
class SynthesisNodes:
    """What :func:`TopoGANLib.scene.build.build_scene` made, or what a loaded scene holds of it.

    Usage::

        nodes, *_ = SynthesisNodes.find_all(slicer.mrmlScene)
        nodes.show_sample(7)
        nodes.jump_to_sample(7)
    """

    segmentation: slicer.vtkMRMLSegmentationNode
    """One segment a structure."""
    image: slicer.vtkMRMLScalarVolumeNode
    """Textures, or the masks as gray values."""
    barcode: slicer.vtkMRMLPlotChartNode
    """Chart of the shown sample; its table is ``TopoGANLib.scene.barcode.barcode_table``."""
    diagrams: slicer.vtkMRMLTableNode
    """Births and deaths of all samples and regions."""
    samples: slicer.vtkMRMLTableNode
    """samples.csv."""
    metrics: slicer.vtkMRMLTableNode
    """report.json, one row a value."""

    @classmethod
    def connect(
        cls, segmentation: slicer.vtkMRMLSegmentationNode, regions: Sequence[str], **others: slicer.vtkMRMLNode
    ) -> SynthesisNodes:
        """Let the segmentation know the regions and refer to the other nodes, named as this class's fields."""
        segmentation.SetAttribute(_REGIONS, json.dumps(list(regions)))
        for role in _ROLES:
            segmentation.SetNodeReferenceID(_ROLE_PREFIX + role, others[role].GetID())
        return cls(segmentation, **others)

    @classmethod
    def find_all(cls, scene: slicer.vtkMRMLScene) -> list[SynthesisNodes]:
        """Every synthesis that the scene holds whole, in the order of its nodes."""
        found = []
        for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene):
            others = {role: segmentation.GetNodeReference(_ROLE_PREFIX + role) for role in _ROLES}
            if all(node is not None for node in others.values()):
                found.append(cls(segmentation, **others))
        return found

    @property
    def count(self) -> int:
        """Number of samples."""
        return self.image.GetImageData().GetDimensions()[2]

    @property
    def shown_sample(self) -> int:
        """Number of the sample in the barcode."""
        return int(self.segmentation.GetAttribute(_SHOWN_SAMPLE))

    @property
    def shown_region(self) -> int:
        """Number of the region in the barcode."""
        return int(self.segmentation.GetAttribute(_SHOWN_REGION) or 0)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the structures and of unions of them; scenes of version 0.1 have one structure."""
        names = self.segmentation.GetAttribute(_REGIONS)
        return tuple(json.loads(names)) if names else (self.segmentation.GetSegmentation().GetNthSegment(0).GetName(),)

    def show_sample(self, sample: int, region: int | None = None) -> None:
        """Put a barcode into the chart; no node is added.

        Args:
            sample: 0 … ``count`` − 1.
            region: number among ``regions``; None is that which is shown.

        Raises:
            IndexError: there is no such sample or region.
        """
        self._check(sample)
        region = self.shown_region if region is None else region
        if not 0 <= region < len(self.regions):
            raise IndexError(f"There is no region {region}: the synthesis has {len(self.regions)}, the first is 0.")
        columns = number_columns(self.diagrams, ("sample", "dimension", "birth (mm)", "death (mm)"))
        pixels = number_columns(self.diagrams, ("birth row", "birth column", "death row", "death column"))
        everything = Diagram(
            dimension=columns["dimension"],
            birth=columns["birth (mm)"],
            death=columns["death (mm)"],
            birth_index=np.stack([pixels["birth row"], pixels["birth column"]], axis=1),
            death_index=np.stack([pixels["death row"], pixels["death column"]], axis=1),
        )
        mine = columns["sample"] == sample
        if len(self.regions) > 1:
            mine &= number_columns(self.diagrams, ("region",))["region"] == region
        values = np.concatenate([columns["birth (mm)"], columns["death (mm)"]])
        longest = float(values[np.isfinite(values)].max(initial=0.0))
        title = f"Barcode of {self.caption(sample, region)}"
        show_barcode(self.barcode, everything.rows(mine), sample, title, longest)
        self.segmentation.SetAttribute(_SHOWN_SAMPLE, str(sample))
        self.segmentation.SetAttribute(_SHOWN_REGION, str(region))

    def caption(self, sample: int, region: int | None = None) -> str:
        """One line about a sample: its number and, where the table has them, a region's Betti numbers."""
        region = self.shown_region if region is None else region
        betti = self._betti(sample, region)
        name = f", {self.regions[region]}" if len(self.regions) > 1 else ""
        return f"sample {sample}{name}" + (f" (b0 = {betti[0]}, b1 = {betti[1]})" if betti else "")

    def short_caption(self, sample: int) -> str:
        """The same for small pictures: number (b0, b1); of several structures, how many are valid."""
        if len(self.regions) > 1:
            valid = [said.startswith(VALID) for *_, said in self._judged(sample)]
            return f"{sample}: {sum(valid)} of {len(valid)} valid" if valid else f"{sample}"
        betti = self._betti(sample, 0)
        return f"{sample}" + (f" ({betti[0]}, {betti[1]})" if betti else "")

    def verdicts(self, sample: int) -> list[str]:
        """One line for each region: Betti numbers and what is said of them, where the table has both."""
        return [f"{region} ({b0}, {b1}): {said}" for region, b0, b1, said in self._judged(sample)]

    def sample_position(self, sample: int) -> tuple[float, float, float]:
        """Center of the slice of ``sample``, RAS, mm, as long as nobody puts the image under a transform.

        Raises:
            IndexError: there is no such sample.
        """
        self._check(sample)
        columns, rows, _ = self.image.GetImageData().GetDimensions()
        ijk_to_ras = vtk.vtkMatrix4x4()
        self.image.GetIJKToRASMatrix(ijk_to_ras)
        r, a, s, _ = ijk_to_ras.MultiplyPoint(((columns - 1) / 2, (rows - 1) / 2, sample, 1))
        return r, a, s

    def sample_offset(self, sample: int) -> float:
        """Slice offset, mm, at which a view along the stack (Slicer's axial view) shows ``sample``.

        Raises:
            IndexError: there is no such sample.
        """
        directions = np.zeros((3, 3))
        self.image.GetIJKToRASDirections(directions)
        return float(directions[:, 2] @ self.sample_position(sample))

    def jump_to_sample(self, sample: int) -> None:
        """Move every slice view to the slice of ``sample``, as far as its plane allows.

        Raises:
            IndexError: there is no such sample.
        """
        slicer.vtkMRMLSliceNode.JumpAllSlices(
            self.image.GetScene(), *self.sample_position(sample), slicer.vtkMRMLSliceNode.OffsetJumpSlice
        )

    def put_into_folder(self, name: str) -> None:
        """Put all nodes into a new folder of the subject hierarchy; ``name`` is made unique there."""
        hierarchy = self._hierarchy()
        folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), hierarchy.GenerateUniqueItemName(name))
        for node in self._all():
            hierarchy.CreateItem(folder, node)

    def remove(self) -> None:
        """Take all nodes and their folder out of the scene."""
        hierarchy = self._hierarchy()
        folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(self.segmentation))
        scene = self.image.GetScene()
        for node in self._all():
            for helper in _helpers(node):
                scene.RemoveNode(helper)
            # The application does this itself; without it the item would outlive its node.
            hierarchy.RemoveItem(hierarchy.GetItemByDataNode(node), False, False)
            scene.RemoveNode(node)
        # Not by removing the folder's branch: nodes that the user has put there are not ours.
        if folder != hierarchy.GetSceneItemID() and hierarchy.GetNumberOfItemChildren(folder) == 0:
            hierarchy.RemoveItem(folder)

    def _judged(self, sample: int) -> list[tuple[str, int, int, str]]:
        found = []
        for number, region in enumerate(self.regions):
            betti, said = self._betti(sample, number), self._cell(sample, region_columns(region)[2])
            if betti and said is not None:
                found.append((region, *betti, said.ToString()))
        return found

    def _betti(self, sample: int, region: int) -> tuple[int, int] | None:
        # The only structure of version 0.1 is not named.
        for columns in (region_columns(self.regions[region])[:2], ("b0", "b1")):
            b0, b1 = (self._cell(sample, column) for column in columns)
            if b0 is not None and b1 is not None:
                return b0.ToInt(), b1.ToInt()
        return None

    def _cell(self, sample: int, name: str) -> vtk.vtkVariant | None:
        column = self.samples.GetTable().GetColumnByName(name)
        return None if column is None else column.GetVariantValue(sample)

    def _all(self) -> list[slicer.vtkMRMLNode]:
        series = [self.barcode.GetNthPlotSeriesNode(n) for n in range(self.barcode.GetNumberOfPlotSeriesNodes())]
        return [
            self.image, self.segmentation, self.barcode, *series, series[0].GetTableNode(),
            self.diagrams, self.samples, self.metrics,
        ]  # fmt: skip

    def _hierarchy(self) -> slicer.vtkMRMLSubjectHierarchyNode:
        return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(self.image.GetScene())

    def _check(self, sample: int) -> None:
        if not 0 <= sample < self.count:
            raise IndexError(f"There is no sample {sample}: the synthesis has {self.count}, the first is 0.")


def _helpers(node: slicer.vtkMRMLNode) -> list[slicer.vtkMRMLNode]:
    """The display and storage nodes of a node, which stay behind when only the node goes."""
    roles = [role for role in ("display", "storage") for _ in range(node.GetNumberOfNodeReferences(role))]
    return [helper for helper in map(node.GetNodeReference, roles) if helper is not None]


def show_in_views(nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show picture and barcode in the views of the application, which gets a layout with a plot if it has none.

    Args:
        nodes: what to show, at its shown sample.
        application_logic: inside Slicer, ``slicer.app.applicationLogic()``.
    """
    selection = application_logic.GetSelectionNode()
    selection.SetActiveVolumeID(nodes.image.GetID())
    selection.SetSecondaryVolumeID(None)
    selection.SetActiveLabelVolumeID(None)
    application_logic.PropagateVolumeSelection()
    nodes.jump_to_sample(nodes.shown_sample)
    application_logic.GetModuleLogic("Plots").ShowChartInLayout(nodes.barcode)
