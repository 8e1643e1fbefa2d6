"""The part of both panels that chooses the engine's Python, says whether it works, and helps where it does not."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from TopoGANLib.engine.check import EngineCheck, EngineReport
from TopoGANLib.engine.install import TORCH, EngineInstaller
from TopoGANLib.engine.process import ENGINE_PARENT, Engine
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine

REQUIREMENTS = ENGINE_PARENT / "Resources" / "requirements.txt"
"""What the engine needs beside torch and what Slicer brings."""

_TICK_MILLISECONDS = 200


class EnginePanel:
    """Works with the widgets ``pythonPathLineEdit``, ``engineStatusLabel``, ``checkEngineButton`` and
    ``installEngineButton`` of a form, in the section ``engineCollapsibleButton``.
    """

    def __init__(
        self,
        ui: Any,
        changed: Callable[[], None],
        installer: Callable[..., EngineInstaller] = EngineInstaller,
    ) -> None:
        """Show what the user has chosen before; nothing is started yet.

        Args:
            ui: the form's widgets by name.
            changed: is called when another Python is chosen, or more is known of it.
            installer: makes what installs.
        """
        self._ui, self._changed = ui, changed
        self._make_installer = installer
        self.report: EngineReport | None = None
        self._check: EngineCheck | None = None
        self._installing = False
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        chosen = user_settings.read_text(user_settings.ENGINE_PYTHON) or sys.executable
        self._python = PathLine(ui.pythonPathLineEdit, self._choose, chosen)
        self._connections.add(self._timer, "timeout()", self._tick)
        self._connections.add(ui.checkEngineButton, "clicked()", self.check)
        self._connections.add(ui.installEngineButton, "clicked()", self._install)
        self._show()

    @property
    def engine(self) -> Engine:
        """What to start commands with."""
        return Engine(self._python.path or Path(sys.executable), slicer.util.startupEnvironment())

    @property
    def is_own_python(self) -> bool:
        """Whether the engine runs in Slicer's Python, where Slicer can install packages."""
        return self._python.path == Path(sys.executable)

    @property
    def not_ready(self) -> str:
        """Why the engine can do nothing now, in words; empty if it can."""
        usable = self.report is not None and self.report.usable
        return "" if usable else _("The engine is not ready: see Engine above.")

    def check(self) -> None:
        """Ask the engine, in the background."""
        self._end_check()
        self.report = None
        if self._python.path is None:
            self._show()
            return
        # Another file for each, so that an engine that is slow to die cannot write into the next answer.
        self._check = EngineCheck(self.engine, user_settings.new_work_folder("check") / "doctor.txt")
        self._timer.start()
        self._show()

    def enter(self) -> None:
        """The panel is shown: ask, unless the answer is known."""
        if self.report is None and self._check is None:
            self.check()

    def close(self) -> None:
        """End what runs and let go of the widgets."""
        self._timer.stop()
        self._end_check()
        self._python.close()
        self._connections.close()

    def _choose(self) -> None:
        user_settings.write(user_settings.ENGINE_PYTHON, "" if self.is_own_python else str(self._python.path or ""))
        self._end_check()
        self.report = None
        # Not asked yet: the path may still be being typed.
        self._show()

    def _tick(self) -> None:
        if self._check is None:
            self._timer.stop()
            return
        report = self._check.poll()
        if report is not None:
            self._end_check()
            self.report = report
            if report.usable:
                self._python.remember()
            self._ui.engineCollapsibleButton.collapsed = report.usable and not report.problems
            self._show()

    def _end_check(self) -> None:
        if self._check is not None:
            self._check.close()
            self._check = None
            self._timer.stop()

    def _show(self) -> None:
        self._ui.engineStatusLabel.text = self._words()
        self._ui.engineCollapsibleButton.text = self._title()
        can_check = self._check is None and not self._installing
        self._ui.checkEngineButton.enabled = can_check and self._python.path is not None
        missing = self.report is not None and bool(self.report.missing)
        self._ui.installEngineButton.visible = missing and self.is_own_python
        self._ui.installEngineButton.enabled = not self._installing
        self._changed()

    def _title(self) -> str:
        """All that is to be seen of it while it is closed."""
        if self.report is None:
            return _("Engine")
        if not self.report.usable:
            return _("Engine: not ready")
        return _("Engine: ready, on the GPU") if self.report.on_gpu else _("Engine: ready, on the CPU")

    def _words(self) -> str:
        if self._python.path is None:
            sentence = _("Choose the Python that runs the engine: Slicer's own is {path}.")
            return sentence.format(path=sys.executable)
        if self._check is not None:
            return _("Asking this Python whether it can run the engine …")
        if self.report is None:
            return _("Press Check to see whether this Python can run the engine.")
        words = [self.report.sentence, *self.report.details]
        words += [problem for problem in self.report.problems if problem != self.report.sentence]
        if self.report.missing:
            words = [self.report.sentence, self._remedy()]
        return "\n".join(words)

    def _remedy(self) -> str:
        if self.is_own_python:
            return _("Press Install packages. Nothing of Slicer or of other extensions is changed.")
        python = shlex.quote(str(self._python.path))
        requirements = shlex.quote(str(REQUIREMENTS))
        return _("In a terminal: {command}").format(command=f'{python} -m pip install "{TORCH}" -r {requirements}')

    def _install(self) -> None:
        question = _(
            "TopoGAN will install the packages of its engine into Slicer's Python (torch needs up to 3 GB). Continue?"
        )
        if not slicer.util.confirmOkCancelDisplay(question, _("Install packages")):
            return
        self._installing = True
        self._show()
        problem = self._make_installer(REQUIREMENTS, self._show_line, self._installed).start()
        if problem:
            self._installed(problem)

    def _show_line(self, line: str) -> None:
        self._ui.engineStatusLabel.text = line.strip()[-200:]

    def _installed(self, problem: str) -> None:
        self._installing = False
        if problem:
            self._show()
            self._ui.engineStatusLabel.text = problem
        else:
            self.check()
