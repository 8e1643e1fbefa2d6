"""A line for a path as both panels use it: every change is told, ``~`` is read, what was used is remembered."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections


class PathLine:
    """Works with a ctkPathLineEdit.

    Usage::

        results = PathLine(ui.resultsPathLineEdit, self.refresh, "~/results")
        if results.path is not None:
            train(results.path)
            results.remember()
    """

    def __init__(self, line: Any, changed: Callable[[], None], text: str = "", files: str | None = None) -> None:
        """Show a text, and tell nobody of that.

        Args:
            line: the ctkPathLineEdit.
            changed: is called after every change, also when the line was emptied.
            text: what to show; CTK has filled in the newest path of the history, which nobody has chosen.
            files: where a file or a folder may be chosen, the filter of the dialog for files; None leaves the line's
                own button, whose dialog is for one of the two.
        """
        self._line, self._changed, self._files = line, changed, files
        self._remembering = False
        self._connections = Connections()
        line.currentPath = text
        # Not currentPathChanged(QString), which an emptied line does not emit, nor one that its name filters refuse.
        self._connections.add(line.comboBox(), "editTextChanged(QString)", self._tell)
        if files is not None:
            self._offer_both()

    @property
    def text(self) -> str:
        """What is written there."""
        return str(self._line.currentPath).strip()

    @text.setter
    def text(self, text: str) -> None:
        self._line.currentPath = text

    @property
    def path(self) -> Path | None:
        """The same as a path, None for an empty line; ``~`` is the user's folder."""
        return Path(os.path.expanduser(self.text)) if self.text else None

    def remember(self) -> None:
        """Put the path into the line's history: it was used."""
        # CTK rebuilds the list below the line, which for a moment shows another text.
        self._remembering = True
        try:
            self._line.addCurrentPathToHistory()
        finally:
            self._remembering = False

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()

    def _tell(self) -> None:
        if not self._remembering:
            self._changed()

    def _offer_both(self) -> None:
        """Put a button with a menu in the place of the line's own, which opens a dialog for files alone."""
        self._line.showBrowseButton = False
        button = qt.QToolButton(self._line)
        button.objectName = f"{self._line.objectName}BrowseButton"
        button.text = "…"
        button.toolTip = _("Choose a file or a folder in a dialog.")
        button.popupMode = qt.QToolButton.InstantPopup
        # As high as the line and no higher, like the button that it replaces.
        button.setSizePolicy(qt.QSizePolicy.Fixed, qt.QSizePolicy.Ignored)
        menu = qt.QMenu(button)
        for text, choose in ((_("Folder…"), self._choose_folder), (_("File…"), self._choose_file)):
            action = qt.QAction(text, menu)
            menu.addAction(action)
            self._connections.add(action, "triggered()", choose)
        button.setMenu(menu)
        self._line.layout().addWidget(button)
        # It was made last, and would otherwise be the last that the tabulator key comes to.
        qt.QWidget.setTabOrder(self._line.comboBox(), button)

    def _choose_file(self) -> None:
        self._take(qt.QFileDialog.getOpenFileName(self._line, _("Choose a file"), self._start(), self._files))

    def _choose_folder(self) -> None:
        self._take(qt.QFileDialog.getExistingDirectory(self._line, _("Choose a folder"), self._start()))

    def _start(self) -> str:
        return str(self.path or Path.home())

    def _take(self, path: str) -> None:
        if path:  # empty: the dialog was cancelled
            self._line.currentPath = path
