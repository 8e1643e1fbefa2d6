"""Puts what the engine needs into Slicer's own Python, without moving any package that another extension relies on."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import slicer
from slicer.i18n import tr as _

# What Slicer brings, and torch, which the PyTorch extension has chosen for this computer.
_KEEP = ("numpy", "scipy", "SimpleITK", "pydicom", "pillow", "torch")
TORCH = "torch>=2.2"
# A source package would run its own code while it is built, and need a compiler.
_WHEELS_ONLY = ("--only-binary", ":all:")


class EngineInstaller:
    """Asks, installs in the background, and says how it went.

    Usage::

        installer = EngineInstaller(requirements, on_line=print, on_end=check_again)
        problem = installer.start()
    """

    def __init__(self, requirements: Path, on_line: Callable[[str], None], on_end: Callable[[str], None]) -> None:
        """Nothing happens yet.

        Args:
            requirements: a requirements.txt, torch not included.
            on_line: gets what pip says, line by line.
            on_end: gets an empty text, or what went wrong.
        """
        self._requirements, self._on_line, self._on_end = requirements, on_line, on_end
        self._constraints = Path(slicer.app.temporaryPath) / "TopoGAN-constraints.txt"

    def start(self) -> str:
        """Install; return an empty text, or why it did not begin. The user may take minutes to answer for torch."""
        import slicer.packaging

        if slicer.packaging.isPipInstallInProgress():
            return _("Other packages are being installed: wait for their end and try again.")
        if not slicer.packaging.pip_check(TORCH):
            problem = self._install_torch()
            if problem:
                return problem
        self._constraints.write_text("\n".join(installed_versions()) + "\n", encoding="utf-8")
        slicer.packaging.pip_install(
            [*_WHEELS_ONLY, *map(str, slicer.packaging.load_requirements(str(self._requirements)))],
            constraints=str(self._constraints),
            blocking=False,
            requester="TopoGAN",
            logCallback=self._on_line,
            completedCallback=self._ended,
        )
        return ""

    def _install_torch(self) -> str:
        try:
            logic = slicer.util.getModuleLogic("PyTorchUtils")
        except RuntimeError:
            return _(
                "Install the PyTorch extension first (Extensions Manager), restart Slicer and try again: "
                "it chooses the torch that fits this computer."
            )
        torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH.removeprefix("torch"))
        return "" if torch is not None else _("torch was not installed: the engine cannot work without it.")

    def _ended(self, code: int) -> None:
        self._constraints.unlink(missing_ok=True)
        self._on_end(
            "" if code == 0 else _("The installation failed (exit code {code}): see what pip said.").format(code=code)
        )


def installed_versions() -> list[str]:
    """Constraints for pip that keep what is there: ``["numpy==2.4.6", …]``."""
    found = []
    for name in _KEEP:
        try:
            found.append(f"{name}=={importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
