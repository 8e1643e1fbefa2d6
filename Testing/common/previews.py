"""Training sets without their contact sheets, which take nearly all of the time of a small preparation."""

from __future__ import annotations

import importlib

import pytest


def leave_out_previews(patch: pytest.MonkeyPatch) -> None:
    """Let each be a file that is no picture; ``patch.undo()`` brings them back."""
    # By its name: the package has a function of the same one.
    module = importlib.import_module("topogan.dataset.prepare")
    for name in ("write_preview", "write_volume_preview"):
        patch.setattr(module, name, lambda training_set, path: path.write_bytes(b"no picture"))
