"""The syntheses in the scene: which one is looked at, and which of its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import slicer
import vtk
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANSynthLib.result.bar_words import bar_words
from TopoGANSynthLib.result.barcode_link import BarcodeLink
from TopoGANSynthLib.result.result_layout import ResultViews, View
from TopoGANSynthLib.result.verdict_words import sample_words

if TYPE_CHECKING:
    from TopoGANLib.scene.barcode import Bar
    from TopoGANLib.scene.nodes import SynthesisNodes


class ResultView:
    """Works with the widgets in the section ``resultCollapsibleButton`` of ``TopoGANSynthResult.ui``."""

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._found: list[SynthesisNodes] = []
        self._showing = False
        # A new synthesis waits for the user to come back from another panel.
        self._due = False
        # Of volumes: the browser that is listened to, and the observer's number.
        self._browser: tuple[slicer.vtkMRMLSequenceBrowserNode, int] | None = None
        self._connections = Connections()
        self._connections.add(ui.synthesisComboBox, "currentIndexChanged(int)", self._choose)
        self._connections.add(ui.sampleSlider, "valueChanged(double)", self._show_sample)
        self._connections.add(ui.regionComboBox, "currentIndexChanged(int)", self._show_sample)
        self._connections.add(ui.plotComboBox, "currentIndexChanged(int)", self._show_plot)
        self._connections.add(ui.showButton, "clicked()", self._show)
        self._link = BarcodeLink(self.chosen, self._tell_bar)
        self._views = ResultViews(self.chosen, self._choose_sample)
        self._parameters: Any = None
        self.look()

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none: then the user has his own layout again."""
        if self._parameters is not None:
            self._parameters.resultShown = self._views.shown is not None
        self._views.leave()
        self._parameters = parameters
        self.look()
        if parameters is None:
            return
        due, self._due = self._due or parameters.resultShown, False
        if due and self.chosen() is not None:
            self._show()

    def refresh(self) -> None:
        """The parameters have changed."""
        if self._parameters is not None and self._views.shown not in (None, self._parameters.view):
            self._show()

    def show(self, nodes: SynthesisNodes) -> None:
        """Choose a synthesis that is new, and show it in the views."""
        self.look(nodes)
        if self._parameters is None:
            # The user looks at another panel, and the views are his until he comes back.
            self._due = True
        else:
            self._show()

    def look(self, newest: SynthesisNodes | None = None) -> None:
        """Look what the scene holds, and choose the newest, or what was chosen before."""
        before = newest or self.chosen()
        self._found = _find_all()
        self._showing = True
        self._ui.synthesisComboBox.clear()
        for nodes in self._found:
            # The nodes of one synthesis differ in the word for what they are; all begin with the same.
            name = nodes.segmentation.GetName().replace(" segmentation", "").removeprefix("TopoGAN ")
            self._ui.synthesisComboBox.addItem(name)
        segmentations = [nodes.segmentation for nodes in self._found]
        known = before is not None and before.segmentation in segmentations
        index = segmentations.index(before.segmentation) if known else len(segmentations) - 1
        self._ui.synthesisComboBox.currentIndex = index
        self._showing = False
        self._ui.resultCollapsibleButton.visible = bool(self._found)
        self._choose()
        self._link.listen()

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()
        self._views.leave()
        self._link.close()
        self._listen_to(None)

    def chosen(self) -> SynthesisNodes | None:
        """The synthesis that is looked at; None if there is none."""
        index = self._ui.synthesisComboBox.currentIndex
        nodes = self._found[index] if 0 <= index < len(self._found) else None
        if nodes is None or None in (nodes.image.GetScene(), nodes.segmentation.GetScene()):
            # The user may have removed it in the Data module.
            return None
        return nodes

    def _choose(self) -> None:
        nodes = self.chosen()
        if self._showing or nodes is None:
            return
        self._listen_to(nodes.browser)
        self._showing = True
        self._ui.sampleSlider.maximum = float(nodes.count - 1)
        self._ui.sampleSlider.value = float(nodes.shown_sample)
        self._ui.regionComboBox.clear()
        for region in nodes.regions:
            self._ui.regionComboBox.addItem(region)
        self._ui.regionComboBox.currentIndex = nodes.shown_region
        self._ui.regionComboBox.visible = self._ui.regionComboBoxLabel.visible = len(nodes.regions) > 1
        self._ui.plotComboBox.currentIndex = int(nodes.plots.shows_persistence)
        self._showing = False
        self._ui.sampleLabel.text = sample_words(nodes, nodes.shown_sample)
        self._ui.barLabel.text = _hint(nodes)
        self._follow_browser()
        if self._views.shown is not None:
            self._show()

    def _listen_to(self, browser: slicer.vtkMRMLSequenceBrowserNode | None) -> None:
        """Slicer's own controls move it, too."""
        if self._browser is not None:
            before, number = self._browser
            before.RemoveObserver(number)
        self._browser = None
        if browser is not None:
            self._browser = browser, browser.AddObserver(vtk.vtkCommand.ModifiedEvent, self._follow_browser)

    def _follow_browser(self, caller: Any = None, event: Any = None) -> None:
        nodes = self.chosen()
        if not self._showing and nodes is not None and nodes.chosen_sample >= 0:
            # Which shows the sample, if it is another.
            self._ui.sampleSlider.value = float(nodes.chosen_sample)

    def _show_sample(self) -> None:
        nodes = self.chosen()
        if self._showing or nodes is None:
            return
        sample = round(self._ui.sampleSlider.value)
        nodes.show_sample(sample, self._ui.regionComboBox.currentIndex)
        nodes.jump_to_sample(sample)
        self._views.update(nodes)
        self._ui.sampleLabel.text = sample_words(nodes, sample)
        self._ui.barLabel.text = _hint(nodes)

    def _choose_sample(self, sample: int) -> None:
        self._ui.sampleSlider.value = float(sample)

    def _show_plot(self, index: int) -> None:
        nodes = self.chosen()
        if self._showing or nodes is None:
            return
        nodes.show_plot(persistence=index == 1)
        self._ui.barLabel.text = _hint(nodes)

    def _show(self) -> None:
        nodes = self.chosen()
        if nodes is None:
            self.look()
            self._ui.sampleLabel.text = _("This synthesis is no longer in the scene.")
            return
        self._views.show(nodes, View.gallery if self._parameters is None else self._parameters.view)
        if self._parameters is not None:
            self._parameters.resultShown = True
        # The layout may have a plot view now.
        self._link.listen()

    def _tell_bar(self, bar: Bar) -> None:
        from TopoGANLib.scene.standing import standing

        nodes = self.chosen()
        self._ui.barLabel.text = "" if nodes is None else bar_words(bar, nodes.axes, standing(nodes, bar))


def _hint(nodes: SynthesisNodes) -> str:
    if nodes.plots.shows_persistence:
        return _("Click on a point to see its pixels, and again for the next one at the same place.")
    return _("Click on a bar to see its pixels.")


def view_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters of the views."""
    return {"view": (View, View.gallery), "resultShown": (bool, False)}


def _find_all() -> list[SynthesisNodes]:
    # Nothing of MRML's tables and charts is loaded as long as there is no segmentation.
    if slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0:
        return []
    from TopoGANLib.scene.nodes import SynthesisNodes

    return SynthesisNodes.find_all(slicer.mrmlScene)
