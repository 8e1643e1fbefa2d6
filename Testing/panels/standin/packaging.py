"""``slicer.packaging``: looks at what is installed; refuses to install, so that no test changes its Python."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

_calls: list[dict[str, Any]] = []


def load_requirements(path: str) -> list[str]:
    """Read a requirements.txt."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]


def isPipInstallInProgress() -> bool:
    """Whether pip runs in the background."""
    return False


def pip_check(requirement: str) -> bool:
    """Whether a package is installed, whatever its version."""
    name = requirement.split(">", maxsplit=1)[0].split("=", maxsplit=1)[0].strip()
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def pip_install(
    requirements: str | list[str],
    constraints: str | Path | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    """Only remember what would have been installed."""
    _calls.append({"requirements": requirements, "constraints": constraints, "completed": completedCallback})
