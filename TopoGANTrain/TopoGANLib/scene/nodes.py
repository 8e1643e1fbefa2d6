"""The nodes of one synthesis in a scene: find them, change the shown sample, go to it, remove them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import slicer

from TopoGANLib.scene.cameras import remove_own_cameras
from TopoGANLib.scene.diagram_table import diagram_of, last_death
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.folders import folder_of, put_beside, put_into_folder, remove_if_empty
from TopoGANLib.scene.own import comparison_texts, family, mark_own, remove_nodes
from TopoGANLib.scene.places import Position, center_of_slice, jump_all_views, offset_along_stack
from TopoGANLib.scene.plots import SamplePlots
from TopoGANLib.scene.sample_table import Judgement, SampleTable
from TopoGANLib.scene.sequences import middle_of_structures, sequences_of

# The segmentation, of volumes the browser, refers to the other nodes by these roles. References are saved with the
# scene and survive new ids.
_ROLES = ("segmentation", "image", "barcode", "diagrams", "samples", "metrics")
_ROLE_PREFIX = "TopoGAN."
_MARK_PREFIX = f"{_ROLE_PREFIX}mark."
_COMPANION_PREFIX = f"{_ROLE_PREFIX}companion."
_MARKS = ("birth", "death")
_SHOWN_SAMPLE = "TopoGAN.shownSample"
_SHOWN_REGION = "TopoGAN.shownRegion"
_REGIONS = "TopoGAN.regions"

# Of pictures, and of segmentations.
_SEQUENCES = 2


@dataclass(frozen=True)
class SynthesisNodes:
    """What :func:`TopoGANLib.scene.build.build_scene` made, or what a loaded scene holds of it.

    Usage::

        nodes, *_ = SynthesisNodes.find_all(slicer.mrmlScene)
        nodes.show_sample(7)
        nodes.jump_to_sample(7)
    """

    segmentation: slicer.vtkMRMLSegmentationNode
    """One segment a structure; of volumes, in the chosen sample."""
    image: slicer.vtkMRMLScalarVolumeNode
    """Textures, or the masks as gray values; of volumes, of the chosen sample."""
    barcode: slicer.vtkMRMLPlotChartNode
    """Chart of the shown sample; its table is ``TopoGANLib.scene.barcode.barcode_table``."""
    diagrams: slicer.vtkMRMLTableNode
    """Births and deaths of all samples and regions."""
    samples: slicer.vtkMRMLTableNode
    """samples.csv."""
    metrics: slicer.vtkMRMLTableNode
    """report.json, one row a value."""
    browser: slicer.vtkMRMLSequenceBrowserNode | None = None
    """Chooses which volume image and segmentation show; None for slices, which lie in one stack."""

    @classmethod
    def connect(
        cls,
        regions: Sequence[str],
        browser: slicer.vtkMRMLSequenceBrowserNode | None = None,
        **others: slicer.vtkMRMLNode,
    ) -> SynthesisNodes:
        """Let the segmentation, of volumes the browser, know the regions and the other nodes, named as the fields."""
        nodes = cls(browser=browser, **others)
        nodes._keeper.SetAttribute(_REGIONS, json.dumps(list(regions)))
        for role in _ROLES:
            if others[role] is not nodes._keeper:
                nodes._keeper.SetNodeReferenceID(_ROLE_PREFIX + role, others[role].GetID())
        return nodes

    @classmethod
    def find_all(cls, scene: slicer.vtkMRMLScene) -> list[SynthesisNodes]:
        """Every synthesis that the scene holds whole: those of slices, then those of volumes, in the order of nodes."""
        found = []
        for keeper in (
            *slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene),
            *slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode", scene),
        ):
            others = {role: keeper.GetNodeReference(_ROLE_PREFIX + role) for role in _ROLES}
            volumes = keeper.IsA("vtkMRMLSequenceBrowserNode")
            if not volumes:
                others["segmentation"] = keeper
            whole = all(node is not None for node in others.values())
            if whole and (not volumes or len(sequences_of(keeper)) == _SEQUENCES):
                found.append(cls(**others, browser=keeper if volumes else None))
        return found

    @property
    def axes(self) -> int:
        """2 for slices, 3 for volumes."""
        return 2 if self.browser is None else 3

    @property
    def count(self) -> int:
        """Number of samples."""
        return self.image.GetImageData().GetDimensions()[2] if self.browser is None else self.browser.GetNumberOfItems()

    @property
    def shown_sample(self) -> int:
        """Number of the sample in the barcode."""
        return int(self._keeper.GetAttribute(_SHOWN_SAMPLE))

    @property
    def chosen_sample(self) -> int:
        """The same; of volumes the sample in the views, which Slicer's own controls may have changed."""
        return self.shown_sample if self.browser is None else self.browser.GetSelectedItemNumber()

    @property
    def shown_region(self) -> int:
        """Number of the region in the barcode."""
        return int(self._keeper.GetAttribute(_SHOWN_REGION) or 0)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the structures and of unions of them; scenes of version 0.1 have one structure."""
        names = self._keeper.GetAttribute(_REGIONS)
        return tuple(json.loads(names)) if names else (self.segmentation.GetSegmentation().GetNthSegment(0).GetName(),)

    @property
    def plots(self) -> SamplePlots:
        """The barcode and the persistence diagram of the shown sample."""
        return SamplePlots(self._keeper, self.barcode, self.axes, len(self.regions))

    def show_plot(self, persistence: bool) -> None:
        """Let views have the persistence diagram, or the barcode."""
        if self.plots.persistence is None:
            self.show_sample(self.shown_sample)
        self.plots.switch(persistence)

    def attribute(self, name: str) -> str | None:
        """What the scene remembers of this synthesis under a name."""
        return self._keeper.GetAttribute(name)

    def set_attribute(self, name: str, value: str) -> None:
        """Let the scene remember something."""
        self._keeper.SetAttribute(name, value)

    def show_sample(self, sample: int, region: int | None = None) -> None:
        """Put a barcode into the chart, and of volumes the sample into the views; no node is added.

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
        self.clear_marks()
        mine, caption = self.diagram(sample, region), self.caption(sample, region)
        self.plots.show(mine, sample, region, caption, last_death(self.diagrams), self._pixel)
        # In one step, so that who listens to the browser finds both moved.
        with slicer.util.NodeModify(self._keeper):
            self._keeper.SetAttribute(_SHOWN_SAMPLE, str(sample))
            self._keeper.SetAttribute(_SHOWN_REGION, str(region))
            if self.browser is not None:
                self.browser.SetSelectedItemNumber(sample)

    def mark(self, word: str) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """The node that marks the ``birth`` or the ``death`` of a bar, if one was ever chosen."""
        return self._keeper.GetNodeReference(f"{_MARK_PREFIX}{word}")

    def keep_mark(self, word: str, mark: slicer.vtkMRMLMarkupsFiducialNode) -> None:
        """Let it be known with the scene, too."""
        self._keeper.SetNodeReferenceID(f"{_MARK_PREFIX}{word}", mark.GetID())

    def companion(self, role: str) -> slicer.vtkMRMLNode | None:
        """A node that was made for looking at the samples, such as the ``gallery image``, if there is one."""
        return self._keeper.GetNodeReference(_COMPANION_PREFIX + role)

    def keep_companion(self, role: str, node: slicer.vtkMRMLNode) -> None:
        """Let it be known with the scene, in the folder of the others, and removed with them."""
        mark_own(node)
        self._keeper.SetNodeReferenceID(_COMPANION_PREFIX + role, node.GetID())
        put_beside(self.segmentation, node)

    def clear_marks(self) -> None:
        """Take the marks of a bar away; their nodes stay for the next one."""
        for word in _MARKS:
            mark = self.mark(word)
            if mark is not None:
                mark.RemoveAllControlPoints()

    def caption(self, sample: int, region: int | None = None) -> str:
        """One line about a sample: its number and, where the table has them, a region's Betti numbers."""
        return self._table.caption(sample, self.shown_region if region is None else region)

    def short_caption(self, sample: int) -> str:
        """The same for small pictures: number (b0, b1); of several structures, how many are valid."""
        return self._table.short_caption(sample)

    def judgements(self, sample: int) -> list[Judgement]:
        """What is said of each region of a sample; of nothing, where the table has no verdicts."""
        return self._table.judgements(sample)

    def usual_betti(self, region: int) -> tuple[int, ...] | None:
        """The most frequent Betti numbers of real samples, where report.json tells of its model's."""
        return SampleTable.usual_betti(self.metrics, region)

    def are_valid(self, samples: Sequence[int]) -> list[bool]:
        """Whether nothing is wrong with any structure of each; yes, where the table has no verdicts."""
        return self._table.are_valid(samples)

    def diagram(self, sample: int, region: int = 0) -> Diagram:
        """Births and deaths of a region of a sample."""
        return diagram_of(self.diagrams, sample, region if len(self.regions) > 1 else None, self.axes)

    def sample_position(self, sample: int) -> Position:
        """Center of the slice of ``sample``, or of the structures in a volume.

        RAS, mm, as long as nobody puts the image under a transform.

        Raises:
            IndexError: there is no such sample.
        """
        self._check(sample)
        if self.browser is not None:
            sequence = self.browser.GetSequenceNode(self.segmentation)
            middle = middle_of_structures(sequence.GetNthDataNode(sample))
            if middle is not None:
                return middle
        return center_of_slice(self.image, sample if self.browser is None else None)

    def sample_offset(self, sample: int) -> float:
        """Slice offset, mm, at which a view along the stack (Slicer's axial view) shows ``sample``, or its middle.

        Raises:
            IndexError: there is no such sample.
        """
        return offset_along_stack(self.image, self.sample_position(sample))

    def jump_to_sample(self, sample: int) -> None:
        """Move every slice view to the slice or the middle of ``sample``, as far as its plane allows.

        Raises:
            IndexError: there is no such sample.
        """
        self.jump_to(self.sample_position(sample))

    def jump_to(self, position: Sequence[float]) -> None:
        """Move every slice view to a place, RAS, mm, but that of the gallery, which lies elsewhere."""
        jump_all_views(self.image.GetScene(), position)

    def put_into_folder(self, name: str) -> None:
        """Put all nodes into a new folder of the subject hierarchy; ``name`` is made unique there."""
        put_into_folder(name, self._all(), self.image.GetScene())

    def remove(self) -> None:
        """Take all nodes, what they were compared with, and their folder out of the scene.

        With the last volumes goes the camera that was added for them.
        """
        scene, folder = self.image.GetScene(), folder_of(self.segmentation)
        # The real images of a comparison, too.
        compared = [node for text in comparison_texts(self.segmentation) for node in family(text, self.segmentation)]
        remove_nodes([*compared, *self._all()])
        remove_if_empty(folder, scene)
        if all(others.browser is None for others in SynthesisNodes.find_all(scene)):
            remove_own_cameras(scene)

    @property
    def _keeper(self) -> slicer.vtkMRMLNode:
        """What knows the others. Of volumes not the segmentation: a proxy loses its attributes with the next sample."""
        return self.segmentation if self.browser is None else self.browser

    @property
    def _pixel(self) -> float:
        """Edge of a pixel or voxel, mm."""
        return float(self.image.GetSpacing()[0])

    @property
    def _table(self) -> SampleTable:
        return SampleTable(self.samples, self.regions, self.axes)

    def _all(self) -> list[slicer.vtkMRMLNode]:
        marks = [mark for word in _MARKS if (mark := self.mark(word)) is not None]
        played = [] if self.browser is None else [self.browser, *sequences_of(self.browser)]
        keeper = self._keeper
        roles = [keeper.GetNthNodeReferenceRole(n) for n in range(keeper.GetNumberOfNodeReferenceRoles())]
        companions = [keeper.GetNodeReference(role) for role in roles if role.startswith(_COMPANION_PREFIX)]
        return [
            *played, *marks, *filter(None, companions), self.image, self.segmentation, *self.plots.nodes,
            self.diagrams, self.samples, self.metrics,
        ]  # fmt: skip

    def _check(self, sample: int) -> None:
        if not 0 <= sample < self.count:
            raise IndexError(f"There is no sample {sample}: the synthesis has {self.count}, the first is 0.")
