"""``slicer.app``, ``slicer.modules`` and the place where the application keeps a module and its panel."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from standin.layout_manager import LayoutManager
from standin.pythonqt import PythonQtObject


class Application(PythonQtObject, QtCore.QObject):
    """``slicer.app`` (Base/QTCore/qSlicerCoreApplication.h, Base/QTGUI/qSlicerApplication.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"startupCompleted()": "startupCompleted", "aboutToQuit()": "aboutToQuit"}
    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()

    def __init__(self, logic: slicer.vtkSlicerApplicationLogic, temporary: Path) -> None:
        super().__init__()
        self._logic, self._temporary = logic, str(temporary)
        self._modules = ModuleManager()
        self._window = MainWindow(self._modules)
        self._testing = False
        self._layouts = LayoutManager(logic)

    applicationName = QtCore.Property(str, lambda self: "Slicer", constant=True)
    temporaryPath = QtCore.Property(str, lambda self: self._temporary)
    documentationBaseUrl = QtCore.Property(str, lambda self: "https://slicer.readthedocs.io/en/latest/", constant=True)

    def topLevelWidgets(self) -> list[QtWidgets.QWidget]:
        """All windows."""
        return [self._window]

    def layoutManager(self) -> LayoutManager:
        """The views."""
        return self._layouts

    def applicationLogic(self) -> slicer.vtkSlicerApplicationLogic:
        """Logic of the views."""
        return self._logic

    def moduleManager(self) -> ModuleManager:
        """The list of modules."""
        return self._modules

    def testingEnabled(self) -> bool:
        """Whether message boxes answer themselves."""
        return self._testing

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        """The environment before Slicer's launcher changed it."""
        return QtCore.QProcessEnvironment.systemEnvironment()

    def translate(self, context: str, text: str) -> str:
        """No language but the source's."""
        return text

    def setOverrideCursor(self, cursor: Any) -> None:
        """Show another cursor."""
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        """Show the usual cursor."""
        QtWidgets.QApplication.restoreOverrideCursor()


class ModuleManager(PythonQtObject, QtCore.QObject):
    """``slicer.app.moduleManager()`` (Base/QTCore/qSlicerModuleManager.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"moduleAboutToBeUnloaded(QString)": "moduleAboutToBeUnloaded"}
    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._modules: dict[str, qSlicerScriptedLoadableModule] = {}

    def module(self, name: str) -> qSlicerScriptedLoadableModule | None:
        """A module by name."""
        return self._modules.get(name)

    def _load(self, path: Path) -> qSlicerScriptedLoadableModule:
        module = qSlicerScriptedLoadableModule(path)
        self._modules[path.stem] = module
        setattr(slicer.modules, path.stem.lower(), module)
        return module

    def _unload_all(self) -> None:
        slicer.util.moduleSelector()._shown = ""
        for name, module in list(self._modules.items()):
            self.moduleAboutToBeUnloaded.emit(name)
            module._close()
            delattr(slicer.modules, name.lower())
            del self._modules[name]


class MainWindow(PythonQtObject, QtWidgets.QWidget):
    """``slicer.util.mainWindow()``, with nothing but a selector of modules in it."""

    _stands_for_cpp = True

    def __init__(self, modules: ModuleManager) -> None:
        super().__init__()
        QtCore.QObject.setObjectName(self, "qSlicerMainWindow")
        self._selector = ModuleSelector(modules)
        self._status_bar = sys.modules["qt"].QStatusBar(self)

    def statusBar(self) -> QtWidgets.QStatusBar:
        """The line below everything."""
        return self._status_bar

    def moduleSelector(self) -> ModuleSelector:
        """What chooses the module that is shown."""
        return self._selector


class ModuleSelector(PythonQtObject, QtCore.QObject):
    """Shows one module's panel at a time (Base/QTGUI/qSlicerModuleSelectorToolBar.h)."""

    _stands_for_cpp = True

    def __init__(self, modules: ModuleManager) -> None:
        super().__init__()
        self._modules = modules
        self._shown = ""

    selectedModule = QtCore.Property(str, lambda self: self._shown)

    def selectModule(self, name: str) -> None:
        """Leave one panel and enter another; an empty name leaves all."""
        if self._shown and self._modules.module(self._shown) is not None:
            self._modules.module(self._shown).widgetRepresentation().exit()
        self._shown = name
        if name:
            self._modules.module(name).widgetRepresentation().enter()


class Modules(types.ModuleType):
    """``slicer.modules``: a module under its name in small letters, its panel as ``<Name>Widget``."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no module {name!r} is loaded")


class LoadableModule:
    """A module written in C++, of which only the logic is there: the real one."""

    def __init__(self, logic: slicer.vtkMRMLAbstractLogic) -> None:
        self._logic = logic

    def logic(self) -> slicer.vtkMRMLAbstractLogic:
        """The module's logic."""
        return self._logic


class qSlicerScriptedLoadableModule(PythonQtObject, QtCore.QObject):
    """What a module's Python sees as its parent (Base/QTGUI/qSlicerScriptedLoadableModule.h)."""

    _stands_for_cpp = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path, self._values = str(path), {}
        self._widget: qSlicerScriptedLoadableModuleWidget | None = None
        self._python = getattr(_load_file(path), path.stem)(self)

    def _member(name: str, kind: Any) -> QtCore.Property:
        def write(self: qSlicerScriptedLoadableModule, value: Any) -> None:
            self._values[name] = value

        return QtCore.Property(kind, lambda self: self._values.get(name, kind() if callable(kind) else []), write)

    title = _member("title", str)
    categories = _member("categories", "QStringList")
    contributors = _member("contributors", "QStringList")
    dependencies = _member("dependencies", "QStringList")
    helpText = _member("helpText", str)
    acknowledgementText = _member("acknowledgementText", str)
    hidden = _member("hidden", bool)
    icon = _member("icon", QtGui.QIcon)
    path = QtCore.Property(str, lambda self: self._path, constant=True)
    name = QtCore.Property(str, lambda self: Path(self._path).stem, constant=True)

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """The panel, made at the first call."""
        if self._widget is None:
            self._widget = qSlicerScriptedLoadableModuleWidget(Path(self._path))
        return self._widget

    def createNewWidgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """Another panel of the same module."""
        return qSlicerScriptedLoadableModuleWidget(Path(self._path))

    def _close(self) -> None:
        if self._widget is not None:
            self._widget._close()
            self._widget = None


class qSlicerScriptedLoadableModuleWidget(PythonQtObject, QtWidgets.QWidget):
    """What a panel's Python sees as its parent (Base/QTGUI/qSlicerScriptedLoadableModuleWidget.cxx)."""

    _stands_for_cpp = True

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._entered = False
        QtWidgets.QWidget.setLayout(self, sys.modules["qt"].QVBoxLayout())
        self.reload()

    isEntered = QtCore.Property(bool, lambda self: self._entered)

    def self(self) -> Any:
        """The Python object."""
        return self._python

    def enter(self) -> None:
        """The user has opened the panel."""
        self._entered = True
        self._python.enter()

    def exit(self) -> None:
        """The user has gone to another panel."""
        self._entered = False
        self._python.exit()

    def reload(self) -> None:
        """Make the Python object from the module as it is loaded, and let it build the panel."""
        name = f"{self._path.stem}Widget"
        self._python = getattr(sys.modules[self._path.stem], name)(self)
        setattr(slicer.modules, name, self._python)
        self._python.setup()

    def _close(self) -> None:
        name = f"{self._path.stem}Widget"
        if slicer.modules.__dict__.get(name) is self._python:
            delattr(slicer.modules, name)
        self._python = None
        QtCore.QObject.deleteLater(self)


def _load_file(path: Path) -> types.ModuleType:
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
