"""Loads ``.ui`` files strictly: an unknown class, property, signal or slot is an error, not a warning."""

from __future__ import annotations

import functools
import sys
import xml.etree.ElementTree as ET
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets


class UiLoader:
    """``qt.QUiLoader``: makes the stand-in's widgets, and connects what C++ would connect."""

    def load(self, file: QtCore.QFile) -> QtWidgets.QWidget:
        """Load a form from an open file."""
        root, connections, content = _parsed(file.readAll().data())
        buffer = QtCore.QBuffer()
        buffer.setData(content)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        maker = _Maker()
        widget = maker.load(buffer)
        if maker.error is not None:
            raise maker.error
        if widget is None:
            raise RuntimeError(f"{file.fileName()} cannot be loaded")
        _check_properties(root, widget)
        for connection in connections:
            _connect(widget, connection)
        return widget


@functools.cache
def _parsed(content: bytes) -> tuple[ET.Element, list[ET.Element], bytes]:
    """A form without its connections, these, and what Qt is to load; hundreds of tests open the same ones."""
    root = ET.fromstring(content)
    connections = root.find("connections")
    if connections is not None:
        root.remove(connections)
    _resolve_flags(root)
    return root, list(connections if connections is not None else ()), ET.tostring(root)


class _Maker(QtUiTools.QUiLoader):
    error: Exception | None = None
    """The first one; C++ cannot bear it while it loads."""

    def createWidget(self, name: str, parent: QtWidgets.QWidget | None = None, object_name: str = "") -> Any:
        try:
            widget = _widget_class(name)(parent)
        except Exception as error:
            self.error = self.error or error
            widget = QtWidgets.QWidget(parent)
        QtCore.QObject.setObjectName(widget, object_name)
        return widget


def _widget_class(name: str) -> type:
    for module in ("qt", "ctk", "slicer"):
        if hasattr(sys.modules[module], name):
            return getattr(sys.modules[module], name)
    raise AttributeError(f"the stand-in has no widget {name}: add it if Slicer has it")


def _resolve_flags(form: ET.Element) -> None:
    """Turn flags such as ctkPathLineEdit::Dirs into numbers, which Qt can do for classes of C++ only."""
    for flags in form.iterfind(".//set"):
        kind, _, _ = (flags.text or "").partition("::")
        if hasattr(sys.modules["ctk"], kind):
            names = [word.partition("::")[2] for word in (flags.text or "").split("|")]
            flags.tag, flags.text = "number", str(sum(getattr(getattr(sys.modules["ctk"], kind), n) for n in names))


def _named(root: QtWidgets.QWidget, name: str) -> Any:
    found = QtCore.QObject.findChild(root, QtCore.QObject, name)
    if found is None and QtCore.QObject.objectName(root) == name:
        return root
    if found is None:
        raise AttributeError(f"the form has no object {name!r}")
    return found


def _check_properties(form: ET.Element, root: QtWidgets.QWidget) -> None:
    for element in form.iter("widget"):
        widget = _named(root, element.attrib["name"])
        meta = QtCore.QObject.metaObject(widget)
        for member in element.findall("property"):
            name = member.attrib["name"]
            if member.attrib.get("stdset") != "0" and meta.indexOfProperty(name) < 0:
                raise AttributeError(f"{element.attrib['class']} {element.attrib['name']} has no property {name!r}")


def _connect(root: QtWidgets.QWidget, connection: ET.Element) -> None:
    text = {part.tag: part.text or "" for part in connection}
    sender, receiver = _named(root, text["sender"]), _named(root, text["receiver"])
    slot = text["slot"]
    if slot not in type(receiver)._slots:
        raise AttributeError(f"{type(receiver).__name__} has no slot {slot!r}")
    sender.connect(text["signal"], getattr(receiver, slot.partition("(")[0]))
