"""The stand-in itself: as strict as PythonQt, and loud where it knows nothing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn


@pytest.fixture
def qt(application: StandIn) -> Any:
    return sys.modules["qt"]


def test_a_property_is_an_attribute_and_hides_its_method(qt: Any) -> None:
    label = qt.QLabel("a")
    label.text = "b"
    assert label.text == "b"
    with pytest.raises(TypeError, match="not callable"):
        label.text()
    box = qt.QSpinBox()
    box.setValue(7)
    assert box.value == 7
    box.value = 8
    assert box.value == 8
    assert box.isEnabled()
    assert box.enabled
    box.objectName = "box"
    assert box.name == "box"


@pytest.mark.parametrize(
    ("member", "value"), [("text", None), ("text", 3), ("enabled", "yes"), ("visible", None), ("nonsense", 1)]
)
def test_what_pythonqt_refuses(qt: Any, member: str, value: object) -> None:
    with pytest.raises(AttributeError):
        setattr(qt.QPushButton(), member, value)


def test_nothing_unknown(application: StandIn, qt: Any) -> None:
    import ctk
    import slicer

    for thing in (qt, ctk, slicer, slicer.app, slicer.modules, qt.QLabel("a")):
        with pytest.raises(AttributeError):
            _ = thing.nonsense
    with pytest.raises(NotImplementedError):
        ctk.ctkRangeWidget()


def test_slots_get_as_many_arguments_as_they_take(qt: Any) -> None:
    got: list[tuple[object, ...]] = []
    button = qt.QPushButton("a")
    button.checkable = True

    def none() -> None:
        got.append(())

    def one(checked: bool) -> None:
        got.append((checked,))

    def any_number(*arguments: object) -> None:
        got.append(arguments)

    for slot in (none, one, any_number):
        button.connect("clicked(bool)", slot)
    button.click()
    assert got == [(), (True,), (True,)]
    for slot in (none, one, any_number):
        assert button.disconnect("clicked(bool)", slot)
    button.click()
    assert len(got) == 3
    button.clicked.connect(none)
    button.click()
    assert got[-1] == ()


def test_an_unknown_signal_is_an_error(qt: Any) -> None:
    with pytest.raises(AttributeError, match=r"clicked\(QString\)"):
        qt.QPushButton().connect("clicked(QString)", print)
    with pytest.raises(RuntimeError, match="not connected"):
        qt.QPushButton().disconnect("clicked()", print)


def test_errors_in_slots_are_kept(application: StandIn, qt: Any) -> None:
    def fail() -> None:
        raise ValueError("in a slot")

    button = qt.QPushButton()
    button.connect("clicked()", fail)
    button.click()
    errors = application.take_slot_errors()
    assert len(errors) == 1
    assert "in a slot" in errors[0]


def test_a_timer(qt: Any) -> None:
    timer = qt.QTimer()
    assert not timer.active
    timer.setInterval(5)
    assert timer.interval == 5
    assert callable(timer.singleShot), "a static function, not the property"


_FORM = """<ui version="4.0"><class>Form</class><widget class="qMRMLWidget" name="Form">
 <layout class="QVBoxLayout"><item><widget class="qMRMLNodeComboBox" name="volume">
   <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
   <property name="{property}"><bool>true</bool></property></widget></item>
  <item><widget class="{kind}" name="path">
   <property name="filters"><set>ctkPathLineEdit::Dirs|ctkPathLineEdit::Writable</set></property>
  </widget></item></layout>
</widget><connections><connection><sender>Form</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
 <receiver>volume</receiver><slot>{slot}</slot></connection></connections></ui>"""


def load(folder: Path, **words: str) -> Any:
    import slicer

    known = {"property": "noneEnabled", "kind": "ctkPathLineEdit", "slot": "setMRMLScene(vtkMRMLScene*)"}
    path = folder / "form.ui"
    path.write_text(_FORM.format(**{**known, **words}))
    return slicer.util.loadUI(str(path))


def test_a_form_and_its_scene(application: StandIn, tmp_path: Path) -> None:
    import slicer

    form = load(tmp_path)
    ui = slicer.util.childWidgetVariables(form)
    assert ui.path.filters == 0x21
    form.setMRMLScene(slicer.mrmlScene)
    assert ui.volume.currentNode() is None
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    assert ui.volume.nodeCount() == 1
    chosen: list[object] = []
    ui.volume.connect("currentNodeChanged(vtkMRMLNode*)", chosen.append)
    ui.volume.setCurrentNode(node)
    assert ui.volume.currentNodeID == node.GetID()
    slicer.mrmlScene.RemoveNode(node)
    assert chosen == [node, None]


@pytest.mark.parametrize(
    "words",
    [{"property": "nonsense"}, {"kind": "ctkNonsense"}, {"slot": "setNonsense()"}],
    ids=["property", "class", "slot"],
)
def test_a_form_with_something_unknown(application: StandIn, tmp_path: Path, words: dict[str, str]) -> None:
    with pytest.raises(AttributeError, match=r"[nN]onsense"):
        load(tmp_path, **words)


def heard(line: Any) -> list[object]:
    """What a line for a path tells, from now on."""
    told: list[object] = []
    line.connect("currentPathChanged(QString)", told.append)
    line.connect("validInputChanged(bool)", told.append)
    return told


def test_an_emptied_path_is_no_changed_path(application: StandIn) -> None:
    """As ctkPathLineEdit::updateHasValidInput does; the box inside tells of every text."""
    import ctk

    line = ctk.ctkPathLineEdit()
    told = heard(line)
    texts: list[str] = []
    line.comboBox().connect("editTextChanged(QString)", texts.append)
    for path in ("/a", "/b", "", ""):
        line.currentPath = path
    assert told == ["/a", True, "/b", False]
    line.nameFilters = ["*.json"]
    for path in ("/a.txt", "/a/b.json", "/b"):
        line.currentPath = path
    assert told[4:] == ["/a/b.json", True, False], "and what the name filters refuse is as little one"
    assert texts == ["/a", "/b", "", "/a.txt", "/a/b.json", "/b"]


def test_the_history_of_a_path(application: StandIn) -> None:
    """It is empty until something is put there, and then fills in what is empty."""
    import ctk

    def line() -> Any:
        made = ctk.ctkPathLineEdit()
        made.settingKey = "Things"
        return made

    first = line()
    assert first.comboBox().count == 0
    for path in ("/a", "/b", "/a"):
        first.currentPath = path
        first.addCurrentPathToHistory()
    assert [first.comboBox().itemText(row) for row in range(2)] == ["/a", "/b"]
    first.comboBox().setCurrentIndex(1)
    told = heard(first)
    first.addCurrentPathToHistory()
    assert first.currentPath == "/b"
    assert told, "the line tells of texts that nobody chose"
    assert line().currentPath == "/b"


@pytest.mark.parametrize(("filters", "dialog"), [(0x13, "getOpenFileName"), (0x11, "getExistingDirectory")])
def test_the_dialog_of_a_path(
    application: StandIn, qt: Any, monkeypatch: pytest.MonkeyPatch, filters: int, dialog: str
) -> None:
    """Where files are allowed, it is never one for folders (ctkPathLineEdit::browse)."""
    import ctk

    line = ctk.ctkPathLineEdit()
    line.filters = filters
    monkeypatch.setattr(qt.QFileDialog, dialog, lambda *arguments: "/chosen")
    line.browse()
    assert line.currentPath == "/chosen"


def test_selectors_are_empty_for_a_moment_after_an_import(application: StandIn, tmp_path: Path) -> None:
    import slicer
    from bench import import_scene

    from TopoGANLib.headless.application import save_scene

    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.addEnabled = selector.removeEnabled = False
    selector.setMRMLScene(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "CT")
    assert selector.currentNode() is node, "the only item there is"
    chosen: list[object] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", chosen.append)
    import_scene(tmp_path / "scene.mrb", tmp_path)
    assert chosen == [None, node]


@pytest.mark.parametrize(
    ("chosen", "removed", "then", "told"),
    [(1, 1, 2, [2]), (2, 2, 1, [1]), (0, 0, 1, [1]), (2, 0, 2, [2]), (0, 2, 0, [])],
)
def test_a_selector_whose_node_is_removed_goes_to_a_neighbor(
    application: StandIn, chosen: int, removed: int, then: int, told: list[int]
) -> None:
    """Though None could be chosen; and of another row it tells as of another node."""
    import slicer

    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(slicer.mrmlScene)
    nodes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in "ABC"]
    assert selector.currentNode() is None
    selector.setCurrentNode(nodes[chosen])
    heard: list[object] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    slicer.mrmlScene.RemoveNode(nodes[removed])
    assert selector.currentNode() is nodes[then]
    assert heard == [nodes[number] for number in told]


def run_in_slicer_test(name: str) -> Any:
    """One of the tests that are for Slicer itself, which the stand-in should pass, too."""
    import importlib.util
    import unittest

    path = Path(__file__).parents[1] / "slicer" / "TopoGANInSlicerTest.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    result = unittest.TestResult()
    module.TopoGANInSlicerTest(name).run(result)
    return result


def test_the_test_of_the_panels_in_slicer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes, and fails where a setting is no parameter."""
    from TopoGANTrainLib import train_logic

    result = run_in_slicer_test("test_panels")
    assert result.wasSuccessful(), result
    settings = train_logic.read_settings("prepare", "train")
    more = [*settings, dataclasses.replace(settings[0], name="nonsense")]
    monkeypatch.setattr(train_logic, "read_settings", lambda *sections: more)
    result = run_in_slicer_test("test_panels")
    assert "prepare_nonsense" in str(result.failures)


def test_uninstalling_gives_slicer_core_back(tmp_path: Path) -> None:
    import subprocess

    code = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from pathlib import Path\n"
        "import slicer\n"
        "before, util = set(dir(slicer)), slicer.util\n"
        "from standin import install\n"
        "from TopoGANLib.headless.application import start_headless\n"
        "logic = start_headless().application_logic\n"
        "stand_in = install(logic, Path(sys.argv[1]))\n"
        "assert slicer.app.applicationName == 'Slicer'\n"
        "stand_in.uninstall()\n"
        "assert set(dir(slicer)) - {'mrmlScene'} == before, set(dir(slicer)) ^ before\n"
        "assert slicer.util is util and 'qt' not in sys.modules\n"
    )
    here = Path(__file__).parent
    command = [sys.executable, "-c", code, str(tmp_path), str(here), str(here.parents[1] / "TopoGANTrain")]
    subprocess.run(command, check=True)
