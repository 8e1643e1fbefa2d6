"""The module ``qt``: only the classes that the panels and Slicer's own Python use."""

from __future__ import annotations

import types
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from standin.pythonqt import pythonqt_class
from standin.ui_loader import UiLoader

_OBJECTS = {
    QtCore: ["QObject", "QTimer", "QSettings"],
    QtWidgets: [
        "QWidget", "QLabel", "QPushButton", "QCheckBox", "QComboBox", "QSpinBox", "QDoubleSpinBox", "QLineEdit",
        "QTextEdit", "QPlainTextEdit", "QProgressBar", "QSlider", "QFrame", "QGroupBox", "QVBoxLayout", "QHBoxLayout",
        "QFormLayout", "QGridLayout", "QScrollArea", "QToolButton", "QMenu", "QTableWidget", "QHeaderView",
        "QMessageBox", "QStatusBar", "QListWidget",
    ],
    QtGui: ["QAction", "QShortcut"],
}  # fmt: skip
# Values, and objects of which no property is used: PySide6 and PythonQt agree on them.
_VALUES = {
    QtCore: ["QFile", "QUrl", "QSize", "Qt", "QProcessEnvironment", "QDir", "QStandardPaths", "QEventLoop"],
    QtGui: ["QIcon", "QImage", "QPixmap", "QColor", "QPalette", "QDesktopServices", "QKeySequence"],
    QtWidgets: [
        "QSizePolicy",
        "QApplication",
        "QTableWidgetItem",
        "QListWidgetItem",
        "QAbstractItemView",
        "QAbstractSpinBox",
    ],
}


class QtModule(types.ModuleType):
    """``qt``, which says so where the stand-in lacks something."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the stand-in has no qt.{name}: add it if PythonQt has it")


class QFileDialog:
    """Its static functions, which in PythonQt return the path alone; here nobody is there to choose one."""

    @staticmethod
    def getOpenFileName(parent: Any = None, caption: str = "", directory: str = "", filter: str = "") -> str:
        """Let a user choose a file that there is."""
        raise RuntimeError("nobody chooses a file: a test must answer in the dialog's place")

    @staticmethod
    def getSaveFileName(parent: Any = None, caption: str = "", directory: str = "", filter: str = "") -> str:
        """Let a user choose a file to write."""
        raise RuntimeError("nobody chooses a file: a test must answer in the dialog's place")

    @staticmethod
    def getExistingDirectory(parent: Any = None, caption: str = "", directory: str = "") -> str:
        """Let a user choose a folder."""
        raise RuntimeError("nobody chooses a folder: a test must answer in the dialog's place")


def make_qt() -> QtModule:
    """Build the module."""
    module = QtModule("qt")
    for source, names in _OBJECTS.items():
        for name in names:
            setattr(module, name, pythonqt_class(getattr(source, name)))
    for source, names in _VALUES.items():
        for name in names:
            setattr(module, name, getattr(source, name))
    module.QUiLoader = UiLoader
    module.QFileDialog = QFileDialog
    return module
