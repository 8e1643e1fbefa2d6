"""The forms: every parameter bound, every control explained, every selector fed with the scene, nothing unused."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import slicer_calls as calls

if TYPE_CHECKING:
    from bench import Bench

_CONTROLS = {
    "QPushButton", "QCheckBox", "QComboBox", "QSpinBox", "QDoubleSpinBox", "QLineEdit", "QPlainTextEdit",
    "QProgressBar", "ctkPathLineEdit", "ctkSliderWidget", "qMRMLNodeComboBox", "QTableWidget", "QListWidget",
}  # fmt: skip
# Parameters without a widget of their own, each for a reason.
_UNBOUND = {
    "TopoGANTrain": {
        "train_textures_decay": "0 is for comparing with pix2pix alone",
        "train_textures_gradient_penalty": "0 is for comparing with pix2pix alone",
        "train_condition": "auto is right for one structure and for several",
    },
    "TopoGANSynth": {
        "resultShown": "whether the views show a synthesis: Show, and what the user does with Slicer's layouts",
        "synthesize_betti": "asked for in words: topology and topologies",
        "topologies": "a row of topologiesTable for each structure",
    },
}


@pytest.fixture(params=calls.MODULES)
def module(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=sorted(calls.FORMS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def forms_of(module: str) -> list[str]:
    return [name for name in calls.FORMS if calls.module_of(name) == module]


def form_widgets(name: str) -> list[ET.Element]:
    return list(ET.parse(calls.FORMS[name]).iter("widget"))


def value(widget: ET.Element, member: str) -> str:
    found = widget.find(f"property[@name='{member}']/*")
    return "" if found is None else found.text or ""


def bound(name: str) -> dict[str, str]:
    """Parameter → widget."""
    pairs = [(value(widget, "SlicerParameterName"), widget.attrib["name"]) for widget in form_widgets(name)]
    return {parameter: widget for parameter, widget in pairs if parameter}


def test_every_parameter_is_bound_and_every_binding_exists(module: str, bench: Bench) -> None:
    import sys

    parameters = set(getattr(sys.modules[module], f"{module}ParameterNode").allParameters)
    found = {parameter for name in forms_of(module) for parameter in bound(name)}
    assert found <= parameters
    assert parameters - found == set(_UNBOUND[module])


def test_a_parameter_is_bound_once(module: str) -> None:
    found = [value(widget, "SlicerParameterName") for name in forms_of(module) for widget in form_widgets(name)]
    found = [parameter for parameter in found if parameter]
    assert len(found) == len(set(found))


def test_names_are_unique(module: str) -> None:
    """Slicer gives the forms' widgets to the code by name: of two with one name, one would be out of reach."""
    trees = [ET.parse(calls.FORMS[name]) for name in forms_of(module)]
    names = [element.attrib["name"] for tree in trees for tag in ("widget", "layout") for element in tree.iter(tag)]
    assert len(names) == len(set(names))


def test_a_module_shows_all_of_its_forms(module: str, bench: Bench) -> None:
    assert {module, *bench.open(module).formNames} == set(forms_of(module))


def test_what_is_folded_from_the_first_is_hidden_with_what_is_around_it() -> None:
    """CTK shows what is in a collapsed button that was shown before its window was."""
    widgets = [widget for name in calls.FORMS for widget in form_widgets(name)]
    folded = [widget.attrib["name"] for widget in widgets if value(widget, "collapsed") == "true"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in calls.sources())
    assert "logCollapsibleButton" in folded
    assert [name for name in folded if f"{name}.visible = " in code] == []


def test_every_control_has_a_tool_tip(name: str) -> None:
    """In the form, or with the setting that it is bound to."""
    for widget in form_widgets(name):
        if widget.attrib["class"] in _CONTROLS:
            parameter = value(widget, "SlicerParameterName")
            from_schema = parameter.startswith(("prepare_", "train_", "synthesize_"))
            assert value(widget, "toolTip") or from_schema, widget.attrib["name"]


def test_tool_tips_are_there_when_the_panel_is_open(name: str, bench: Bench) -> None:
    panel = bench.open(calls.module_of(name))
    for widget_name, kind in calls.widgets(calls.FORMS[name]).items():
        if kind in _CONTROLS:
            assert len(getattr(panel.ui, widget_name).toolTip) > 10, widget_name


def test_names_of_nodes_do_not_widen_a_panel(name: str) -> None:
    """A selector of nodes, left alone, is never narrower than the longest name in the scene."""
    for widget in form_widgets(name):
        if widget.attrib["class"] == "qMRMLNodeComboBox":
            policy = widget.find("property[@name='sizePolicy']/sizepolicy")
            assert policy is not None, widget.attrib["name"]
            assert policy.attrib["hsizetype"] == "Ignored", widget.attrib["name"]


def test_selectors_are_fed_with_the_scene(name: str) -> None:
    root = ET.parse(calls.FORMS[name]).getroot()
    top = root.find("widget")
    assert top.attrib["class"] == "qMRMLWidget"
    assert top.attrib["name"] == name
    fed = {connection.findtext("receiver") for connection in root.iter("connection")}
    selectors = {w.attrib["name"] for w in form_widgets(name) if w.attrib["class"].startswith("qMRML")} - {name}
    assert fed == selectors
    for connection in root.iter("connection"):
        assert connection.findtext("sender") == name
        assert connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        assert connection.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"


def test_custom_widgets_are_declared(name: str) -> None:
    root = ET.parse(calls.FORMS[name]).getroot()
    declared = {element.findtext("class") for element in root.iter("customwidget")}
    used = {w.attrib["class"] for w in form_widgets(name) if w.attrib["class"].startswith(("ctk", "qMRML"))}
    assert declared == used


def test_the_code_uses_what_the_forms_have() -> None:
    known = calls.all_widgets()
    used = {name for path in calls.sources() for name in ui_names(path)}
    assert not {name for name in used if name not in known}, "named in the code, in no form"
    bound_widgets = {widget for form in calls.FORMS for widget in bound(form).values()}
    dead = {n for n, kind in known.items() if kind in _CONTROLS} - used - bound_widgets
    assert not dead, "in a form, but neither bound nor used"


def ui_names(path: Path) -> set[str]:
    """What the code takes from a form, as in ``ui.startButton`` and ``self._ui.startButton``."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            owner_name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if owner_name in ("ui", "_ui"):
                names.add(node.attr)
    return names


def test_texts_of_the_forms_are_short_and_end_alike(name: str) -> None:
    for widget in form_widgets(name):
        tip = value(widget, "toolTip")
        assert not tip or tip.endswith("."), tip
        if widget.attrib["name"].endswith("Label") and widget.attrib["class"] == "QLabel" and value(widget, "text"):
            assert value(widget, "text").endswith(":"), value(widget, "text")


def test_translated_texts_are_no_f_strings() -> None:
    """Translators see the text with its placeholders, so it must stand in the source as it is."""
    for path in calls.sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_":
                text: Any = node.args[0]
                assert isinstance(text, ast.Constant), f"{path.name}: line {node.lineno}"
                assert not re.search(r"\{\}", text.value), "placeholders have names"


def test_labels_that_show_what_files_say_take_it_for_plain_text(module: str) -> None:
    labels = [w for name in forms_of(module) for w in form_widgets(name) if w.get("class") == "QLabel"]
    # A label without a text of its own is filled by the panel.
    filled = [label for label in labels if not label.findtext("property[@name='text']/string")]
    assert filled
    for label in filled:
        assert label.findtext("property[@name='textFormat']/enum") == "Qt::PlainText", label.get("name")
