"""Works a panel as a user does, waits as an event loop does, and looks whether the application was ever held up."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets
from standin import StandIn

REPOSITORY = Path(__file__).resolve().parents[2]
PANEL_WIDTH = 400
_ARROW_WIDTH = 26
_SCHEDULE = Path("/proc/self/task")


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
        panel.resize(PANEL_WIDTH, max(300, QtWidgets.QWidget.sizeHint(panel).height()))
        settle()
        cut = [describe(widget) for widget in shown_children(panel) if is_cut(widget)]
        assert not cut, f"cut off at {PANEL_WIDTH} pixels: {cut}"
        assert QtWidgets.QWidget.minimumSizeHint(panel).width() <= PANEL_WIDTH
        folder = os.environ.get("PANEL_PICTURES")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            panel.grab().save(str(Path(folder) / f"{name}-{state}.png"))


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
    if isinstance(widget, QtWidgets.QComboBox) and not QtWidgets.QComboBox.isEditable(widget):
        text = QtWidgets.QComboBox.currentText(widget)
        return QtWidgets.QWidget.fontMetrics(widget).horizontalAdvance(text) + _ARROW_WIDTH > width
    if isinstance(widget, QtWidgets.QAbstractButton) and not isinstance(widget, QtWidgets.QToolButton):
        return type(widget).sizeHint(widget).width() > width
    return False


def describe(widget: Any) -> str:
    """A widget's name and text."""
    text = widget.property("text")
    return f"{QtCore.QObject.objectName(widget)}: {text}"


def settle() -> None:
    """Let Qt finish its layouts."""
    for _ in range(3):
        QtCore.QCoreApplication.processEvents()


def pump(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Run the application's event loop until something holds.

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


class Watch:
    """Measures for how long the application's thread is held up.

    Usage::

        with Watch() as watch:
            pump(...)
        assert watch.longest < 0.05, watch.where

    A timer notes the time between its ticks. What the thread has spent waiting for a processor is not its own fault
    and is taken off (Linux tells; elsewhere nothing is). A second thread looks where it stands when it is late.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.where = ""
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._thread_id = threading.get_ident()
        self._native_id = threading.get_native_id()
        self._last = (time.monotonic(), self._waited())
        self._ended = threading.Event()
        self._stack = ""
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._last = (time.monotonic(), self._waited())
        self._timer.start(5)
        self._sampler.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._sampler.join()
        self._timer.stop()

    def _tick(self) -> None:
        now, waited = time.monotonic(), self._waited()
        held_up = now - self._last[0] - (waited - self._last[1])
        if held_up > self.longest:
            self.longest, self.where = held_up, self._stack
        self._last, self._stack = (now, waited), ""

    def _waited(self) -> float:
        try:
            return int((_SCHEDULE / str(self._native_id) / "schedstat").read_text().split()[1]) / 1e9
        except OSError:
            return 0.0

    def _sample(self) -> None:
        while not self._ended.wait(0.01):
            if time.monotonic() - self._last[0] > 0.03 and not self._stack:
                frame = sys._current_frames().get(self._thread_id)
                self._stack = "".join(traceback.format_stack(frame)[-6:])
