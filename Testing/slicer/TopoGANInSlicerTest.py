"""Runs inside Slicer, by ctest: what the stand-in of the panel tests claims of the application is true there."""

from __future__ import annotations

import csv
import unittest
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer

_TABLE = Path(__file__).resolve().parents[1] / "panels" / "api_table.csv"
_MODULES = ("TopoGANTrain", "TopoGANSynth")


class TopoGANInSlicerTest(unittest.TestCase):
    """Needs no package of the engine."""

    def setUp(self) -> None:
        """Start with an empty scene."""
        slicer.mrmlScene.Clear()

    def test_names_of_python(self) -> None:
        """Every function and class of the table is there."""
        import slicer.packaging
        import slicer.parameterNodeWrapper

        for name in self._rows():
            if name.startswith(("slicer.", "qt.")):
                found: Any = {"slicer": slicer, "qt": qt}[name.split(".")[0]]
                for part in name.split(".")[1:]:
                    found = getattr(found, part)

    def test_members_of_widgets(self) -> None:
        """Every property and signal of the table is there, under the name that PythonQt gives it."""
        for name in self._rows():
            kind, _, member = name.partition(".")
            maker = next((getattr(m, kind) for m in (qt, ctk, slicer) if hasattr(m, kind)), None)
            if kind.startswith(("Q", "ctk", "qMRML")) and member:
                widget = maker()
                self.assertTrue(hasattr(widget, member.partition("(")[0]), name)
                if "(" in member:
                    self.assertTrue(widget.connect(member, self._slot), name)

    def test_members_of_mrml(self) -> None:
        """Every method and constant of the table is there."""
        for name in self._rows():
            kind, _, member = name.partition(".")
            if kind.startswith("vtkMRML") and member and hasattr(slicer, kind):
                self.assertTrue(hasattr(getattr(slicer, kind), member), name)

    def test_panels(self) -> None:
        """Both panels open, survive the closing of the scene, and keep their parameters in it."""
        for name in _MODULES:
            widget = slicer.util.getNewModuleWidget(name)
            node = widget.logic.getParameterNode().parameterNode
            wanted = {setting.attribute for setting in widget.logic.settings}
            self.assertLessEqual(wanted, set(node.GetParameterNames()))
            self.assertEqual(node.GetSingletonTag(), name)
            slicer.mrmlScene.Clear()
            widget.initializeParameterNode()
            self.assertIsNotNone(slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLScriptedModuleNode"))
            self.assertTrue(widget.ui.reasonLabel.text, "it says what is missing")
            widget.cleanup()

    @staticmethod
    def _slot() -> None:
        """Connected, never called."""

    @staticmethod
    def _rows() -> list[str]:
        with _TABLE.open(encoding="utf-8", newline="") as file:
            return [row["name"] for row in csv.DictReader(file)]
