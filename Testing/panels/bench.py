"""Works a panel as a user does, and waits as an event loop does."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from standin import StandIn

REPOSITORY = Path(__file__).resolve().parents[2]
PANEL_WIDTH = 400
_ARROW_WIDTH = 26
# Of the frame of a line, and of the letters in it.
_LINE_MARGINS = 10


class Bench:
    """The application with both modules loaded."""

    def __init__(self, application: StandIn) -> None:
        self.application = application
        self.modules = {
            name: application.load(REPOSITORY / name / f"{name}.py") for name in ("TopoGANTrain", "TopoGANSynth")
        }

    def open(self, name: str) -> Any:
        """Choose a module as in the application's menu; return its Python widget."""
        slicer.util.selectModule(name)
        representation = self.modules[name].widgetRepresentation()
        representation.resize(PANEL_WIDTH, 900)
        representation.show()
        return representation.self()

    def picture(self, name: str, state: str) -> None:
        """Grab a panel at its usual width, and see that nothing is cut off.

        The pictures go to the folder in the variable PANEL_PICTURES, if there is one.
        """
        panel = self.modules[name].widgetRepresentation()
        panel.show()
        settle()
        # As the scrolled area of the application does it: texts that wrap make a panel higher the narrower it is.
        wrapped = QtWidgets.QWidget.layout(panel).totalHeightForWidth(PANEL_WIDTH)
        panel.resize(PANEL_WIDTH, max(300, QtWidgets.QWidget.sizeHint(panel).height(), wrapped))
        settle()
        cut = [describe(widget) for widget in shown_children(panel) if is_cut(widget) or is_outside(widget, panel)]
        assert not cut, f"cut off at {PANEL_WIDTH} pixels: {cut}"
        assert QtWidgets.QWidget.minimumSizeHint(panel).width() <= PANEL_WIDTH
        folder = os.environ.get("PANEL_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            panel.grab().save(str(Path(folder) / f"{name}-{state}.png"))


def import_scene(path: Path, folder: Path) -> None:
    """Add a scene's .mrb to the scene that is open, as *Add data* does; ``folder`` is for what is unpacked."""
    from TopoGANLib.headless.application import unpacking_into

    scene = slicer.mrmlScene
    scene.SetURL(scene.UnpackSlicerDataBundle(str(path), str(folder), slicer.vtkMRMLMessageCollection()))
    scene.SetDataIOManager(unpacking_into(str(folder)))
    imported = scene.Import()
    scene.SetDataIOManager(None)
    assert imported
    scene.SetURL("")


@contextmanager
def font_of(points: int) -> Iterator[None]:
    """Show everything in letters of another size, as the application does for a user who asks for it."""
    before = QtWidgets.QApplication.font()
    font = QtGui.QFont(before)
    font.setPointSize(points)
    QtWidgets.QApplication.setFont(font)
    try:
        yield
    finally:
        QtWidgets.QApplication.setFont(before)


_DARK = {
    "Window": "#323232", "WindowText": "#ffffff", "Base": "#1e1e1e", "AlternateBase": "#323232",
    "ToolTipBase": "#ffffff", "ToolTipText": "#323232", "Text": "#ffffff", "PlaceholderText": "#c0c0c0",
    "Button": "#323232", "ButtonText": "#ffffff", "BrightText": "#ff4444", "Light": "#828284", "Midlight": "#5a5a5b",
    "Dark": "#232323", "Mid": "#2b2b2b", "Shadow": "#141414", "Highlight": "#3ca4ff", "HighlightedText": "#ffffff",
    "Link": "#3ca4ff",
}  # fmt: skip
_DARK_DISABLED = {
    "WindowText": "#6d6d6d", "Base": "#1e1e1e", "Text": "#6d6d6d", "ButtonText": "#b4b4b4", "Highlight": "#505050",
    "HighlightedText": "#6d6d6d",
}  # fmt: skip


@contextmanager
def dark_theme() -> Iterator[None]:
    """Show everything in the colors of the application's *Dark Slicer* style (qSlicerStyle.cxx)."""
    before = QtWidgets.QApplication.palette()
    palette, roles = QtGui.QPalette(), QtGui.QPalette.ColorRole
    for name, color in _DARK.items():
        palette.setColor(roles[name], QtGui.QColor(color))
    for name, color in _DARK_DISABLED.items():
        palette.setColor(QtGui.QPalette.ColorGroup.Disabled, roles[name], QtGui.QColor(color))
    QtWidgets.QApplication.setPalette(palette)
    try:
        yield
    finally:
        QtWidgets.QApplication.setPalette(before)


def tab_order(panel: Any) -> list[Any]:
    """What the tabulator key goes through, in its order, of what is in sight."""
    kind, chain, focus = QtWidgets.QWidget, [], QtCore.Qt.FocusPolicy.TabFocus
    one = kind.nextInFocusChain(panel)
    while one is not panel:
        reached = kind.focusPolicy(one) & focus == focus and kind.isEnabled(one) and kind.focusProxy(one) is None
        if reached and kind.isAncestorOf(panel, one) and kind.isVisibleTo(one, panel):
            chain.append(one)
        one = kind.nextInFocusChain(one)
    return chain


def menu_of(line: Any) -> dict[str, Any]:
    """What the button beside a path offers: text → QAction."""
    found = QtCore.QObject.findChildren(line, QtWidgets.QToolButton)
    (button,) = (one for one in found if "Browse" in QtCore.QObject.objectName(one))
    return {QtGui.QAction.text(action): action for action in QtWidgets.QWidget.actions(button.menu())}


def shown_children(panel: Any) -> list[Any]:
    """Every visible widget of a panel."""
    children = QtCore.QObject.findChildren(panel, QtWidgets.QWidget)
    return [child for child in children if QtWidgets.QWidget.isVisibleTo(child, panel)]


def is_cut(widget: Any) -> bool:
    """Whether a text does not fit into its widget."""
    width, height = QtWidgets.QWidget.width(widget), QtWidgets.QWidget.height(widget)
    if isinstance(widget, QtWidgets.QLabel):
        if QtWidgets.QLabel.wordWrap(widget) and QtWidgets.QLabel.text(widget):
            return QtWidgets.QLabel.heightForWidth(widget, width) > height
        return QtWidgets.QLabel.sizeHint(widget).width() > width
    if isinstance(widget, QtWidgets.QLineEdit):
        hint = "" if QtWidgets.QLineEdit.text(widget) else QtWidgets.QLineEdit.placeholderText(widget)
        return bool(hint) and QtWidgets.QWidget.fontMetrics(widget).horizontalAdvance(hint) + _LINE_MARGINS > width
    if isinstance(widget, QtWidgets.QComboBox) and not QtWidgets.QComboBox.isEditable(widget):
        text = QtWidgets.QComboBox.currentText(widget)
        return QtWidgets.QWidget.fontMetrics(widget).horizontalAdvance(text) + _ARROW_WIDTH > width
    if isinstance(widget, sys.modules["ctk"].ctkCollapsibleButton):
        # The header has to fit; what is below it wraps its rows, and is looked at for itself.
        header = QtWidgets.QWidget.fontMetrics(widget).horizontalAdvance(QtWidgets.QAbstractButton.text(widget))
        return max(header + _ARROW_WIDTH, type(widget).minimumSizeHint(widget).width()) > width
    plain = isinstance(widget, QtWidgets.QAbstractButton) and not isinstance(widget, QtWidgets.QToolButton)
    return plain and type(widget).sizeHint(widget).width() > width


def is_outside(widget: Any, panel: Any) -> bool:
    """Whether a widget reaches over the right edge of the panel, which the application cuts off."""
    right = QtWidgets.QWidget.mapTo(widget, panel, QtCore.QPoint(QtWidgets.QWidget.width(widget), 0)).x()
    return right > QtWidgets.QWidget.width(panel)


def describe(widget: Any) -> str:
    """A widget's name and text."""
    text = widget.property("text")
    return f"{QtCore.QObject.objectName(widget)}: {text}"


def settle() -> None:
    """Let Qt finish its layouts."""
    for _ in range(3):
        QtCore.QCoreApplication.processEvents()


@contextmanager
def watched(what: str) -> Iterator[None]:
    """Mark what must not hold up the application; Testing/benchmarks/panels.py measures in this one's place."""
    yield


def pump(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Run the application's event loop until something holds; ``seconds`` only keeps a test from hanging.

    Raises:
        TimeoutError: it does not come to hold.
    """
    loop = QtCore.QEventLoop()
    deadline = time.monotonic() + seconds
    timer = QtCore.QTimer()
    timer.timeout.connect(lambda: loop.quit() if condition() or time.monotonic() > deadline else None)
    timer.start(10)
    loop.exec()
    timer.stop()
    if not condition():
        raise TimeoutError
