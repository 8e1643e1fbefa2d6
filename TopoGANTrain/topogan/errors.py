"""The two ways in which a command can end badly.

Every message is one sentence that names what is wrong and what to do; it is shown to the user as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

Registered = TypeVar("Registered")


class InputError(ValueError):
    """What the user gave cannot be used. The command line exits with code 2."""


class WorkError(RuntimeError):
    """The input was right but the work failed (disk full, killed, diverged). Exit code 1."""


class DiskFull(WorkError):
    """No space was left for ``path``. Whoever writes under a temporary name says it again of the one that is known."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The disk of {path} is full: free some space and run it again.")


class Cancelled(WorkError):
    """Whoever asked for the work no longer wants it."""


def lookup(registry: Mapping[str, Registered], name: str, setting: str) -> Registered:
    """What a registry (such as :data:`topogan.networks.masks.MASK_NETWORKS`) holds under ``name``.

    Raises:
        InputError: it holds no such thing; the sentence names ``setting`` and what there is.
    """
    if name not in registry:
        raise InputError(f"The setting {setting} cannot be {name[:80]!r}: choose {' or '.join(registry)}.")
    return registry[name]
