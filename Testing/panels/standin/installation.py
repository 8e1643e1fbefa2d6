"""Puts the stand-in in the place of the application, and takes it away again."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from standin import pythonqt
from standin.application import (
    Application,
    LoadableModule,
    Modules,
    qSlicerScriptedLoadableModule,
    qSlicerScriptedLoadableModuleWidget,
)
from standin.ctk_module import absent_widget, make_ctk
from standin.pictures_of_qt import qMRMLUtils
from standin.qmrml import close_hubs, qMRMLNodeComboBox, qMRMLWidget
from standin.qt_module import make_qt

_SCRIPTED_CLASSES = (
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleWidget",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
)
_LOADABLE_MODULES = ("Volumes", "Segmentations", "Plots", "Tables")
_OWN = {
    "i18n": "i18n",
    "packaging": "packaging",
    "ScriptedLoadableModule": "scripted_module",
    "parameterNodeWrapper": "parameter_nodes",
}


@dataclass
class StandIn:
    """The installed stand-in."""

    application: Application
    source: Path | None
    """Checkout of Slicer's source whose Python is used, if any."""
    _added: list[str] = field(default_factory=list)
    _replaced: dict[str, types.ModuleType] = field(default_factory=dict)

    def load(self, path: Path) -> qSlicerScriptedLoadableModule:
        """Load a module's file as the application does at start."""
        return self.application.moduleManager()._load(path)

    def close_application(self) -> None:
        """What happens when the user quits: every module is unloaded."""
        self.application.moduleManager()._unload_all()
        process_events()

    def take_slot_errors(self) -> list[str]:
        """Errors in slots since the last call."""
        errors = list(pythonqt.slot_errors)
        pythonqt.slot_errors.clear()
        return errors

    def uninstall(self) -> None:
        """Leave ``slicer`` as slicer-core made it."""
        self.close_application()
        close_hubs()
        for name in self._added:
            with suppress(AttributeError):
                delattr(slicer, name)
        for name in [*[f"slicer.{own}" for own in _OWN], "qt", "ctk"]:
            sys.modules.pop(name, None)
        for name in [name for name in sys.modules if name.startswith("slicer.parameterNodeWrapper")]:
            del sys.modules[name]
        sys.modules.update(self._replaced)


def process_events() -> None:
    """Let Qt do what it has put off, deletions included."""
    QtCore.QCoreApplication.processEvents()
    QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)


def install(application_logic: slicer.vtkSlicerApplicationLogic, folder: Path, source: Path | None = None) -> StandIn:
    """Install the stand-in over slicer-core, whose scene must be there.

    Args:
        application_logic: of the scene.
        folder: for settings and temporary files.
        source: checkout of Slicer's source, whose ``Base/Python/slicer`` takes the place of the stand-in's subset.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if QtWidgets.QApplication.instance() is None:
        QtWidgets.QApplication([])
    _keep_settings_in(folder)
    sys.modules["qt"], sys.modules["ctk"] = make_qt(), make_ctk()
    stand_in = StandIn(Application(application_logic, folder), source)
    _add(stand_in, "app", stand_in.application)
    _add(stand_in, "modules", Modules("slicer.modules"))
    for name in _LOADABLE_MODULES:
        setattr(slicer.modules, name.lower(), LoadableModule(application_logic.GetModuleLogic(name)))
    for kind in (
        qMRMLWidget,
        qMRMLNodeComboBox,
        qMRMLUtils,
        qSlicerScriptedLoadableModule,
        qSlicerScriptedLoadableModuleWidget,
    ):
        _add(stand_in, kind.__name__, kind)
    for name in ("qMRMLSliderWidget", "qMRMLSpinBox", "qMRMLRangeWidget"):
        _add(stand_in, name, absent_widget(name))
    if source is None:
        _use_own_python(stand_in)
    else:
        _use_python_of(stand_in, source / "Base" / "Python" / "slicer")
    for name in _SCRIPTED_CLASSES:
        assert hasattr(sys.modules["slicer.ScriptedLoadableModule"], name)
    return stand_in


def _keep_settings_in(folder: Path) -> None:
    QtCore.QCoreApplication.setOrganizationName("Slicer")
    QtCore.QCoreApplication.setApplicationName("Slicer")
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder))


def _add(stand_in: StandIn, name: str, value: Any) -> None:
    setattr(slicer, name, value)
    stand_in._added.append(name)


def _use_own_python(stand_in: StandIn) -> None:
    for name, own in _OWN.items():
        module = importlib.import_module(f"standin.{own}")
        importlib.reload(module)  # it looks at qt and slicer.app, which are new
        sys.modules[f"slicer.{name}"] = module
        _add(stand_in, name, module)


def _use_python_of(stand_in: StandIn, folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(f"SLICER_SOURCE names no checkout of Slicer's source: {folder} is missing.")
    stand_in._replaced["slicer.util"] = sys.modules["slicer.util"]
    for name in ("i18n", "util", "packaging", "parameterNodeWrapper", "ScriptedLoadableModule"):
        path = folder / name / "__init__.py" if (folder / name).is_dir() else folder / f"{name}.py"
        places = [str(folder / name)] if (folder / name).is_dir() else None
        spec = importlib.util.spec_from_file_location(f"slicer.{name}", path, submodule_search_locations=places)
        module = importlib.util.module_from_spec(spec)
        sys.modules[f"slicer.{name}"] = module
        if name == "util":
            slicer.util = module
        else:
            _add(stand_in, name, module)
        spec.loader.exec_module(module)
