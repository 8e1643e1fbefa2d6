"""The module ``ctk``: the few widgets of CTK that the panels use, and the names that Slicer's own Python mentions."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable
from typing import Any, ClassVar

from PySide6 import QtCore, QtGui, QtWidgets

from standin.pythonqt import PythonQtObject, pythonqt_class

_HEADER_HEIGHT = 24
_LONGEST_HISTORY = 5
_ComboBox = pythonqt_class(QtWidgets.QComboBox)


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
        self._collapsed = self._forcing = self._created = False
        QtWidgets.QWidget.setContentsMargins(self, 0, _HEADER_HEIGHT, 0, 0)
        # Not to be made narrower than what is in it likes to be.
        kinds = QtWidgets.QSizePolicy.Policy
        QtWidgets.QWidget.setSizePolicy(self, kinds.Minimum, kinds.Preferred)
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
        for child in QtCore.QObject.children(self):
            self._show_child(child)
        QtWidgets.QWidget.setMaximumHeight(self, _HEADER_HEIGHT if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    def _show_child(self, child: QtCore.QObject) -> None:
        """Hide it while this is collapsed; else as the last one wanted it who was not this button."""
        kind, attributes = QtWidgets.QWidget, QtCore.Qt.WidgetAttribute
        if not kind.testAttribute(self, attributes.WA_WState_Created) or not isinstance(child, kind):
            return
        is_wanted = QtCore.QObject.property(child, "visibilityToParent") is not False
        visible = is_wanted and not self._collapsed
        self._forcing = True
        if kind.testAttribute(child, attributes.WA_WState_Created) or not visible:
            kind.setVisible(child, visible)
        if is_wanted:
            kind.setAttribute(child, attributes.WA_WState_ExplicitShowHide, False)
        self._forcing = False

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        """Watch what others do with a child's visibility, and hide it from the first if this is collapsed."""
        child = event.child()
        if event.added() and isinstance(child, QtWidgets.QWidget):
            attributes = QtCore.Qt.WidgetAttribute
            is_explicit = QtWidgets.QWidget.testAttribute(child, attributes.WA_WState_ExplicitShowHide)
            if is_explicit and QtWidgets.QWidget.isHidden(child):
                QtCore.QObject.setProperty(child, "visibilityToParent", False)
            QtCore.QObject.installEventFilter(child, self)
            self._show_child(child)

    def setVisible(self, visible: bool) -> None:
        """What shows or hides the children with this says nothing about them."""
        self._forcing = True
        QtWidgets.QAbstractButton.setVisible(self, visible)
        self._forcing = False
        if not self._created and QtWidgets.QWidget.testAttribute(self, QtCore.Qt.WidgetAttribute.WA_WState_Created):
            self._created = True
            for child in QtCore.QObject.children(self):
                self._show_child(child)

    def eventFilter(self, child: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """A child that is to be shown waits until this is opened."""
        kinds = QtCore.QEvent.Type
        if not self._forcing and event.type() in (kinds.ShowToParent, kinds.HideToParent):
            QtCore.QObject.setProperty(child, "visibilityToParent", event.type() == kinds.ShowToParent)
            if event.type() == kinds.ShowToParent:
                self._show_child(child)
        return False

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
        palette = QtWidgets.QWidget.palette(self)
        painter.fillRect(rectangle, palette.mid() if QtWidgets.QWidget.isEnabled(self) else palette.midlight())
        painter.setPen(palette.buttonText().color())
        arrow = "▸" if self._collapsed else "▾"
        painter.drawText(
            rectangle.adjusted(6, 0, 0, 0),
            QtCore.Qt.AlignmentFlag.AlignVCenter,
            f"{arrow} {QtWidgets.QAbstractButton.text(self)}",
        )
        painter.end()


class ctkPathLineEdit(PythonQtObject, QtWidgets.QWidget):
    """A line for a path, with its history and a button that opens a file dialog (ctkPathLineEdit.cpp)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {
        "currentPathChanged(QString)": "currentPathChanged",
        "validInputChanged(bool)": "validInputChanged",
    }
    _slots: tuple[str, ...] = ()
    Dirs, Files, Readable, Writable, Executable = 0x001, 0x002, 0x010, 0x020, 0x040
    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._filters, self._label, self._key, self._names = 0, "", "", []
        self._valid = False
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._combo = _ComboBox()
        QtWidgets.QComboBox.setEditable(self._combo, True)
        self._combo.setInsertPolicy(QtWidgets.QComboBox.InsertPolicy.NoInsert)
        # A long path does not widen the panel: minimumSizeHint of C++ leaves the text out.
        self._combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Ignored, QtWidgets.QSizePolicy.Policy.Fixed)
        self._validator = QtGui.QRegularExpressionValidator(self)
        line = QtWidgets.QComboBox.lineEdit(self._combo)
        line.setValidator(self._validator)
        self._set_names([])
        line.textChanged.connect(self._update_valid)
        self._browse_button = QtWidgets.QToolButton()
        self._browse_button.setText("...")
        self._browse_button.clicked.connect(self.browse)
        layout.addWidget(self._combo)
        layout.addWidget(self._browse_button)

    def _update_valid(self) -> None:
        before = self._valid
        self._valid = QtWidgets.QComboBox.lineEdit(self._combo).hasAcceptableInput()
        if self._valid:
            self.currentPathChanged.emit(self._get_path())
        if self._valid != before:
            self.validInputChanged.emit(self._valid)

    def _get_path(self) -> str:
        return QtWidgets.QComboBox.lineEdit(self._combo).text()

    def _set_path(self, path: str) -> None:
        QtWidgets.QComboBox.lineEdit(self._combo).setText(path)

    def _set_names(self, names: Iterable[str]) -> None:
        # Without a filter everything but an empty text is valid (ctkUtils.cpp, nameFiltersToRegularExpression).
        self._names = list(names)
        endings = [QtCore.QRegularExpression.escape(name).replace(r"\*", ".*") for name in self._names]
        self._validator.setRegularExpression(QtCore.QRegularExpression("|".join(endings) or ".+"))

    def _set_key(self, key: str) -> None:
        self._key = key
        self.retrieveHistory()

    def _set_shows_browse(self, visible: bool) -> None:
        self._browse_button.setVisible(visible)

    currentPath = QtCore.Property(str, _get_path, _set_path)
    label = QtCore.Property(str, lambda self: self._label, lambda self, value: setattr(self, "_label", value))
    settingKey = QtCore.Property(str, lambda self: self._key, _set_key)
    filters = QtCore.Property(int, lambda self: self._filters, lambda self, value: setattr(self, "_filters", value))
    nameFilters = QtCore.Property("QStringList", lambda self: self._names, _set_names)
    showBrowseButton = QtCore.Property(bool, lambda self: not self._browse_button.isHidden(), _set_shows_browse)

    def comboBox(self) -> QtWidgets.QComboBox:
        """The editable box inside."""
        return self._combo

    def browse(self) -> None:
        """Let a user choose a file if the filters allow files, otherwise a folder."""
        dialog = sys.modules["qt"].QFileDialog
        if self._filters & self.Files:
            choose = dialog.getSaveFileName if self._filters & self.Writable else dialog.getOpenFileName
            path = choose(self, "Open a file", self._get_path(), ";;".join(self._names))
        else:
            path = dialog.getExistingDirectory(self, "Select a directory...", self._get_path())
        if path:
            self._set_path(path)

    def retrieveHistory(self) -> None:
        """List the paths that are remembered; the newest goes into an empty line."""
        path = self._get_path()
        blocked = QtCore.QObject.blockSignals(self, True)
        QtWidgets.QComboBox.clear(self._combo)
        QtWidgets.QComboBox.addItems(self._combo, self._history()[:_LONGEST_HISTORY])
        if path:
            self._set_path(path)
        QtCore.QObject.blockSignals(self, blocked)
        if not path:
            QtWidgets.QComboBox.setCurrentIndex(self._combo, 0)

    def addCurrentPathToHistory(self) -> None:
        """Remember the path for the next time; the line tells of other texts while the list is rebuilt."""
        path = self._get_path()
        if not path:
            return
        history = [path, *(known for known in self._history() if known != path)]
        QtCore.QSettings().setValue(self._history_key(), history)
        box, kind = self._combo, QtWidgets.QComboBox
        index = kind.findText(box, path)
        if index >= 0:
            kind.removeItem(box, index)
        while kind.count(box) >= _LONGEST_HISTORY:
            kind.removeItem(box, kind.count(box) - 1)
        kind.insertItem(box, 0, path)
        kind.setCurrentIndex(box, 0)

    def _history_key(self) -> str:
        return f"ctkPathLineEdit/{self._key or QtCore.QObject.objectName(self)}"

    def _history(self) -> list[str]:
        known = QtCore.QSettings().value(self._history_key())
        return [known] if isinstance(known, str) else list(known or [])


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
