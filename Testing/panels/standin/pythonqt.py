"""Qt objects that behave in Python as PythonQt's do, where PySide6's own behave otherwise.

PythonQt (src/PythonQtInstanceWrapper.cpp, PythonQtSignalReceiver.cpp, PythonQtStdDecorators.cpp): a Qt property is an
attribute and hides the method of its name, and a list in it is a tuple; ``name`` is ``objectName``; nothing can be
added to a C++ object; ``connect`` and ``disconnect`` take the signal's signature as a string; a slot that is a Python
function gets as many arguments as it takes; an error in a slot is printed and forgotten.

PySide6's own switch for properties (``true_property``) loses setters such as ``setValue`` and crashes in 6.12.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any, ClassVar

from PySide6 import QtCore, QtWidgets

# C++ asks Python for overrides of these virtual functions, by the names of properties: no panel may read them.
_VIRTUAL = {
    QtCore.QObject: {"sizeHint", "minimumSizeHint", "spacing"},
    QtWidgets.QProgressBar: {"text"},
}
# What each kind of property takes; PythonQt refuses the rest (PythonQtConv::PyObjToQVariant).
_TAKES: dict[str, tuple[type, ...]] = {"QString": (str,), "bool": (bool, int), "int": (int,), "double": (float, int)}

# PySide6 6.12 returns True from emit, and False from isinstance(…, Signal), without counting the reference: before
# Python 3.12, which made both immortal, the interpreter ends when the count reaches zero. So they are made so here.
if sys.version_info < (3, 12):
    for _immortal in (True, False):
        ctypes.c_ssize_t.from_address(id(_immortal)).value += 1 << 40

slot_errors: list[str] = []
"""Tracebacks of errors in slots, which the application would only print."""


class PythonQtObject:
    """Mixed into every class that the stand-in offers, before its PySide6 class."""

    _signatures: ClassVar[dict[str, str]] = {}
    """Signals that the stand-in itself declares: signature in C++ → attribute."""

    def __getattribute__(self, name: str) -> Any:
        if _is_python(type(self), name):
            return object.__getattribute__(self, name)  # PySide6's own would find its QObject.connect first
        if name.startswith("_") or any(name in names and isinstance(self, kind) for kind, names in _VIRTUAL.items()):
            return super().__getattribute__(name)
        meta = QtCore.QObject.metaObject(self)
        index = _property_index(self, meta, name)
        if index >= 0:
            value = meta.property(index).read(self)
            return tuple(value) if isinstance(value, list) else value
        value = super().__getattribute__(name)
        return BoundSignal(self, value) if type(value) is QtCore.SignalInstance else value

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
            return
        meta = QtCore.QObject.metaObject(self)
        index = _property_index(self, meta, name)
        if index >= 0:
            _write(self, meta.property(index), value)
        elif isinstance(value, QtCore.QObject) and QtCore.QObject.objectName(value) == name:
            super().__setattr__(name, value)  # PySide6's QUiLoader notes children so; PythonQt finds them by name
        elif type(self).__dict__.get("_stands_for_cpp", False):
            raise AttributeError(f"{name!r} does not exist on {type(self).__name__}, and C++ objects take no new one")
        else:
            super().__setattr__(name, value)

    def connect(self, signal: str, slot: Callable[..., Any]) -> bool:
        """Connect by signature, as in ``connect("clicked(bool)", slot)``."""
        attribute = type(self)._signatures.get(signal)
        if attribute:
            super().__getattribute__(attribute).connect(_receiver(self, signal, slot))
            return True
        _check_signature(self, signal)
        return bool(QtCore.QObject.connect(self, QtCore.SIGNAL(signal), _receiver(self, signal, slot)))

    def disconnect(self, signal: str, slot: Callable[..., Any]) -> bool:
        """Disconnect what was connected by the same signature."""
        receiver = _take_receiver(self, signal, slot)
        attribute = type(self)._signatures.get(signal)
        if attribute:
            return bool(super().__getattribute__(attribute).disconnect(receiver))
        return bool(QtCore.QObject.disconnect(self, QtCore.SIGNAL(signal), receiver))

    def className(self) -> str:
        """PythonQt's name for the class."""
        return type(self).__name__

    def findChildren(self, kind: type, *how: Any) -> list[Any]:
        """All children of a class of the stand-in."""
        return QtCore.QObject.findChildren(self, getattr(kind, "_qt", kind), *how)


class BoundSignal:
    """A signal as an attribute: ``widget.clicked.connect(slot)``."""

    def __init__(self, sender: PythonQtObject, signal: QtCore.SignalInstance) -> None:
        self._sender, self._signal = sender, signal

    def connect(self, slot: Callable[..., Any]) -> None:
        """Connect the first overload."""
        self._signal.connect(_receiver(self._sender, str(self._signal), slot))

    def disconnect(self, slot: Callable[..., Any]) -> None:
        """Disconnect one slot."""
        self._signal.disconnect(_take_receiver(self._sender, str(self._signal), slot))

    def emit(self, *arguments: Any) -> None:
        """Send it."""
        self._signal.emit(*arguments)


def pythonqt_class(base: type) -> type:
    """The class of PySide6 as PythonQt shows it."""
    return type(base.__name__, (PythonQtObject, base), {"_qt": base, "_stands_for_cpp": True})


def call_slot(slot: Callable[..., Any], *arguments: Any) -> None:
    """Call a slot as PythonQt does: surplus arguments dropped, errors reported but not passed on."""
    count = _argument_count(slot)
    try:
        slot(*arguments[:count])
    except Exception:
        slot_errors.append(traceback.format_exc())
        traceback.print_exc()


def _argument_count(slot: Callable[..., Any]) -> int | None:
    # Only functions and bound methods are looked into; a partial or a callable object gets everything.
    function = slot.__func__ if isinstance(slot, types.MethodType) else slot
    if not isinstance(function, types.FunctionType) or function.__code__.co_flags & 0x04:
        return None
    return function.__code__.co_argcount - isinstance(slot, types.MethodType)


def _receiver(sender: PythonQtObject, signal: str, slot: Callable[..., Any]) -> Callable[..., None]:
    receiver = functools.partial(call_slot, slot)
    # A reference from the sender alone, as in PythonQt: the slot lives as long as the sender does.
    receivers = sender.__dict__.setdefault("_receivers", [])
    receivers.append((signal, slot, receiver))
    return receiver


def _take_receiver(sender: PythonQtObject, signal: str, slot: Callable[..., Any]) -> Callable[..., None]:
    receivers = sender.__dict__.get("_receivers", [])
    for index, (known_signal, known_slot, receiver) in enumerate(receivers):
        if known_signal == signal and known_slot == slot:
            del receivers[index]
            return receiver
    raise RuntimeError(f"{slot} is not connected to {signal} of {type(sender).__name__}")


def _check_signature(sender: PythonQtObject, signal: str) -> None:
    meta = QtCore.QObject.metaObject(sender)
    normalized = QtCore.QMetaObject.normalizedSignature(signal).data().decode()
    if meta.indexOfSignal(normalized) < 0:
        raise AttributeError(f"signal {signal!r} does not exist on {type(sender).__name__}")


def _is_python(kind: type, name: str) -> bool:
    for base in kind.__mro__:
        if base.__module__.startswith(("PySide6", "Shiboken")):
            return False
        if name in base.__dict__:
            return type(base.__dict__[name]) not in (QtCore.Property, QtCore.Signal)
    return False


def _property_index(target: PythonQtObject, meta: QtCore.QMetaObject, name: str) -> int:
    if name == "singleShot" and isinstance(target, QtCore.QTimer):
        return -1  # PythonQtClassInfo::lookForPropertyAndCache leaves it to the static function
    index = meta.indexOfProperty(name)
    return meta.indexOfProperty("objectName") if index < 0 and name == "name" else index


def _write(target: PythonQtObject, member: QtCore.QMetaProperty, value: Any) -> None:
    if not member.isWritable():
        raise AttributeError(f"property {member.name()!r} of {type(target).__name__} is not writable")
    takes = _TAKES.get(member.typeName())
    if member.typeName() == "QStringList" and isinstance(value, tuple):
        value = list(value)
    if (takes and not isinstance(value, takes)) or not member.write(target, value):
        raise AttributeError(f"property {member.name()!r} of type {member.typeName()} does not accept {value!r}")
