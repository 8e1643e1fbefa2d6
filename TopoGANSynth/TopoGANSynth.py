"""Slicer module: make synthetic masks, CT and barcodes with a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest

from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms.module import PanelWidget
from TopoGANLib.forms.settings import parameter_node_class, read_settings
from TopoGANSynthLib.model.model_card import ModelRefused, read_model_card
from TopoGANSynthLib.synth_logic import SynthLogic
from TopoGANSynthLib.synth_panel import FORMS, SynthPanel, own_parameters


class TopoGANSynth(ScriptedLoadableModule):
    """What the application lists."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("TopoGAN Synth")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        # Its library lies in that module.
        parent.dependencies = ["TopoGANTrain"]
        parent.contributors = ["The TopoGAN for 3D Slicer maintainers"]
        parent.helpText = _(
            "Makes synthetic cases with a model of the TopoGAN Train module: segmentations with the topology of real "
            "ones, CT texture on them, and the barcode of each sample. Samples are independent slices, not a volume. "
            "Research use only; not a medical device."
        )
        parent.acknowledgementText = _(
            "After F. Wang, H. Liu, D. Samaras and C. Chen, TopoGAN: A Topology-Aware Generative Adversarial "
            "Network, ECCV 2020. Textures by pix2pix (P. Isola et al., CVPR 2017). Persistence by GUDHI."
        )


TopoGANSynthParameterNode = parameter_node_class(
    "TopoGANSynthParameterNode", read_settings("synthesize"), **own_parameters()
)


class TopoGANSynthWidget(PanelWidget):
    """The panel."""

    formNames = FORMS

    def makeLogic(self) -> TopoGANSynthLogic:
        """The module's logic."""
        return TopoGANSynthLogic()

    def makePanel(self) -> SynthPanel:
        """The widgets' behavior."""
        engine = EnginePanel(self.ui, self.onModified)
        return SynthPanel(self.ui, self.logic, engine)


class TopoGANSynthLogic(SynthLogic):
    """Synthesis from Python: see :class:`TopoGANSynthLib.synth_logic.SynthLogic`."""

    def __init__(self) -> None:
        super().__init__(TopoGANSynthParameterNode)


class TopoGANSynthTest(ScriptedLoadableModuleTest):
    """Run by ctest, and by Reload and Test; needs no package of the engine."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def test_parameters(self) -> None:
        """Every setting of the engine is a parameter with its default."""
        parameters = TopoGANSynthLogic().getParameterNode()
        for setting in read_settings("synthesize"):
            self.assertEqual(getattr(parameters, setting.attribute), setting.parameter()[1], setting.name)

    def test_no_model(self) -> None:
        """What is no model package is known as such."""
        with self.assertRaises(ModelRefused):
            read_model_card(Path(slicer.app.temporaryPath))
