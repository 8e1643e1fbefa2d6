"""The module ``ctk``: the few widgets of CTK that the panels use, and the names that Slicer's own Python mentions."""

from __future__ import annotations

import types
from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets

from standin.pythonqt import PythonQtObject

_HEADER_HEIGHT = 24


class CtkModule(types.ModuleType):
    """``ctk``, which says so where the stand-in lacks something."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the stand-in has no ctk.{name}: add it if CTK has it")


class ctkCollapsibleButton(PythonQtObject, QtWidgets.QAbstractButton):
    """A header that shows or hides what is in it (ctkCollapsibleButton.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"contentsCollapsed(bool)": "contentsCollapsed"}
    _slots: tuple[str, ...] = ()
    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._collapsed = False
        self._hidden: list[QtWidgets.QWidget] = []
        QtWidgets.QWidget.setContentsMargins(self, 0, _HEADER_HEIGHT, 0, 0)
        QtWidgets.QAbstractButton.setCheckable(self, True)
        QtWidgets.QAbstractButton.setChecked(self, True)
        self.connect("toggled(bool)", lambda checked: self._collapse(not checked))

    def _get_collapsed(self) -> bool:
        return self._collapsed

    def _set_collapsed(self, collapsed: bool) -> None:
        QtWidgets.QAbstractButton.setChecked(self, not collapsed)

    collapsed = QtCore.Property(bool, _get_collapsed, _set_collapsed)

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        if collapsed:
            self._hidden = [
                child
                for child in QtCore.QObject.children(self)
                if isinstance(child, QtWidgets.QWidget) and not QtWidgets.QWidget.isHidden(child)
            ]
        for child in self._hidden:
            QtWidgets.QWidget.setVisible(child, not collapsed)
        QtWidgets.QWidget.setMaximumHeight(self, _HEADER_HEIGHT if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        """Only the header can be clicked."""
        return position.y() < _HEADER_HEIGHT

    def sizeHint(self) -> QtCore.QSize:
        """Room for the header and what is shown below it."""
        layout = QtWidgets.QWidget.layout(self)
        if self._collapsed or layout is None:
            return QtCore.QSize(60, _HEADER_HEIGHT)
        return layout.totalSizeHint()

    def minimumSizeHint(self) -> QtCore.QSize:
        """As in C++: a form must not be squeezed."""
        layout = QtWidgets.QWidget.layout(self)
        if self._collapsed or layout is None:
            return QtCore.QSize(60, _HEADER_HEIGHT)
        return layout.totalMinimumSize()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the header with its arrow."""
        painter = QtGui.QPainter(self)
        rectangle = QtCore.QRect(0, 0, QtWidgets.QWidget.width(self), _HEADER_HEIGHT - 2)
        painter.fillRect(rectangle, QtGui.QColor(222, 222, 226))
        arrow = "▸" if self._collapsed else "▾"
        painter.drawText(
            rectangle.adjusted(6, 0, 0, 0),
            QtCore.Qt.AlignmentFlag.AlignVCenter,
            f"{arrow} {QtWidgets.QAbstractButton.text(self)}",
        )
        painter.end()


class ctkPathLineEdit(PythonQtObject, QtWidgets.QWidget):
    """A line for a path, with a button that opens a file dialog (ctkPathLineEdit.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"currentPathChanged(QString)": "currentPathChanged"}
    _slots: tuple[str, ...] = ()
    Dirs, Files, Readable, Writable, Executable = 0x001, 0x002, 0x010, 0x020, 0x040
    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters, self._label, self._key, self._names = 0, "", "", []
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._combo = QtWidgets.QComboBox()
        self._combo.setEditable(True)
        self._combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self._combo.editTextChanged.connect(self._edited)
        browse = QtWidgets.QToolButton()
        browse.setText("...")
        layout.addWidget(self._combo)
        layout.addWidget(browse)

    def _edited(self, path: str) -> None:
        self.currentPathChanged.emit(path)

    def _get_path(self) -> str:
        return self._combo.currentText()

    def _set_path(self, path: str) -> None:
        self._combo.setEditText(path)

    currentPath = QtCore.Property(str, _get_path, _set_path)
    label = QtCore.Property(str, lambda self: self._label, lambda self, value: setattr(self, "_label", value))
    settingKey = QtCore.Property(str, lambda self: self._key, lambda self, value: setattr(self, "_key", value))
    filters = QtCore.Property(int, lambda self: self._filters, lambda self, value: setattr(self, "_filters", value))
    nameFilters = QtCore.Property(
        "QStringList", lambda self: self._names, lambda self, value: setattr(self, "_names", value)
    )

    def comboBox(self) -> QtWidgets.QComboBox:
        """The editable box inside."""
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        """Remember the path for the next time."""
        if self._combo.findText(self._get_path()) < 0:
            self._combo.insertItem(0, self._get_path())


class ctkSliderWidget(PythonQtObject, QtWidgets.QWidget):
    """A slider with a box for its number (ctkSliderWidget.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"valueChanged(double)": "valueChanged"}
    _slots: tuple[str, ...] = ()
    valueChanged = QtCore.Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._decimals = 2
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._box = QtWidgets.QDoubleSpinBox()
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self._changed)
        self._slider.valueChanged.connect(self._box.setValue)

    def _changed(self, value: float) -> None:
        self._slider.setValue(int(value))
        self.valueChanged.emit(value)

    def _set_range(self, minimum: float, maximum: float) -> None:
        self._box.setRange(minimum, maximum)
        self._slider.setRange(int(minimum), int(maximum))

    value = QtCore.Property(float, lambda self: self._box.value(), lambda self, value: self._box.setValue(value))
    minimum = QtCore.Property(
        float, lambda self: self._box.minimum(), lambda self, value: self._set_range(value, self._box.maximum())
    )
    maximum = QtCore.Property(
        float, lambda self: self._box.maximum(), lambda self, value: self._set_range(self._box.minimum(), value)
    )
    decimals = QtCore.Property(int, lambda self: self._box.decimals(), lambda self, value: self._box.setDecimals(value))
    singleStep = QtCore.Property(
        float, lambda self: self._box.singleStep(), lambda self, value: self._box.setSingleStep(value)
    )
    pageStep = QtCore.Property(
        float, lambda self: self._slider.pageStep(), lambda self, value: self._slider.setPageStep(int(value))
    )


def make_ctk() -> CtkModule:
    """Build the module."""
    module = CtkModule("ctk")
    for widget in (ctkCollapsibleButton, ctkPathLineEdit, ctkSliderWidget):
        setattr(module, widget.__name__, widget)
    # Slicer's connectors compare the types of widgets with these; no panel has one.
    for name in (
        "ctkCheckBox", "ctkCheckablePushButton", "ctkComboBox", "ctkDoubleSlider", "ctkDoubleSpinBox", "ctkRangeWidget",
        "ctkDoubleRangeSlider", "ctkDirectoryButton", "ctkColorPickerButton",
    ):  # fmt: skip
        setattr(module, name, absent_widget(name))
    return module


def absent_widget(name: str) -> type:
    """A class that can be named and compared with, but not made."""

    def refuse(self: object, *arguments: object) -> None:
        raise NotImplementedError(f"the stand-in only knows the name {name}")

    return type(name, (), {"__init__": refuse})
