"""Slicer module: learn masks with their topology and CT texture from segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest

from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.module import PanelWidget, chosen_engine
from TopoGANLib.forms.settings import parameter_node_class, read_settings
from TopoGANTrainLib.data.data_form import data_parameters
from TopoGANTrainLib.data.train_inputs import FromScene
from TopoGANTrainLib.sample_hearts import SampleHearts, register
from TopoGANTrainLib.settings.settings_form import settings_parameters
from TopoGANTrainLib.train_logic import TrainLogic
from TopoGANTrainLib.train_panel import FORMS, TrainPanel


class TopoGANTrain(ScriptedLoadableModule):
    """What the application lists."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("TopoGAN Train")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        parent.dependencies = []
        parent.contributors = ["The TopoGAN for 3D Slicer maintainers"]
        parent.helpText = _(
            "Learns from CT volumes and segmentations what a structure looks like and what its topology is "
            "(how many pieces, how many holes), for making synthetic cases with the TopoGAN Synth module. "
            "Training runs in the background and can go on without Slicer. "
            "Research use only; not a medical device."
        )
        parent.acknowledgementText = _(
            "After F. Wang, H. Liu, D. Samaras and C. Chen, TopoGAN: A Topology-Aware Generative Adversarial "
            "Network, ECCV 2020. Textures by pix2pix (P. Isola et al., CVPR 2017). Persistence by GUDHI."
        )
        self._hearts: SampleHearts | None = None
        # Not before all modules are there.
        self._connections = Connections()
        self._connections.add(slicer.app, "startupCompleted()", self._offer_hearts)
        self._connections.add(slicer.app, "aboutToQuit()", self._close)

    def _offer_hearts(self) -> None:
        self._hearts = SampleHearts(chosen_engine, slicer.util.showStatusMessage, slicer.util.errorDisplay)
        register(self._hearts)

    def _close(self) -> None:
        self._connections.close()
        if self._hearts is not None:
            self._hearts.close()


TopoGANTrainParameterNode = parameter_node_class(
    "TopoGANTrainParameterNode", read_settings("prepare", "train"), **data_parameters(), **settings_parameters()
)


class TopoGANTrainWidget(PanelWidget):
    """The panel."""

    formNames = FORMS

    def makeLogic(self) -> TopoGANTrainLogic:
        """The module's logic."""
        return TopoGANTrainLogic()

    def makePanel(self) -> TrainPanel:
        """The widgets' behavior."""
        engine = EnginePanel(self.ui, self.onModified)
        return TrainPanel(self.ui, self.logic, engine, _open_in_synth)


class TopoGANTrainLogic(TrainLogic):
    """Training from Python: see :class:`TopoGANTrainLib.train_logic.TrainLogic`."""

    def __init__(self) -> None:
        super().__init__(TopoGANTrainParameterNode)


def _open_in_synth(model: Path) -> None:
    slicer.util.selectModule("TopoGANSynth")
    slicer.util.getModuleWidget("TopoGANSynth").panel.choose_model(model)


class TopoGANTrainTest(ScriptedLoadableModuleTest):
    """Run by ctest, and by Reload and Test; needs no package of the engine."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def test_parameters(self) -> None:
        """Every setting of the engine is a parameter with its default."""
        parameters = TopoGANTrainLogic().getParameterNode()
        for setting in read_settings("prepare", "train"):
            if setting.attribute not in data_parameters():
                self.assertEqual(getattr(parameters, setting.attribute), setting.parameter()[1], setting.name)

    def test_refusal(self) -> None:
        """An empty segment is refused in words before anything starts."""
        segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        segment = segmentation.GetSegmentation().AddEmptySegment("", "Nothing")
        with self.assertRaisesRegex(ValueError, "Nothing is empty"):
            TopoGANTrainLogic().train(FromScene(segmentation, segment), Path(slicer.app.temporaryPath))
