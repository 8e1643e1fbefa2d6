"""How every file of this folder says that a training set is damaged."""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError


def damaged(folder: Path, what: str) -> InputError:
    """The error to raise; ``what`` is wrong with which file."""
    return InputError(f"The training set {folder} is damaged ({what}): prepare it again.")
