"""Finding the files that both modules share, wherever the engine was put."""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError

_PACKAGE = Path(__file__).resolve().parent


def resource_path(*parts: str) -> Path:
    """Return a file or folder of the project's top-level ``Resources``.

    It lies in one of three places: beside the modules in a source tree, in the package itself after ``pip install``,
    or in Slicer's ``qt-scripted-modules/Resources/TopoGAN`` in an installed extension.

    Raises:
        InputError: it is in none of them.
    """
    roots = (_PACKAGE.parents[1] / "Resources", _PACKAGE / "_share", _PACKAGE.parent / "Resources" / "TopoGAN")
    for root in roots:
        path = root.joinpath(*parts)
        if path.exists():
            return path
    raise InputError(f"The installation is incomplete: {'/'.join(parts)} is missing, install TopoGAN again.")


def slicer_library_parent() -> Path:
    """Return the folder that holds ``TopoGANLib``, the Slicer-side library, to be put on another process's path."""
    for parent in (_PACKAGE.parent, _PACKAGE / "_share"):
        if (parent / "TopoGANLib").is_dir():
            return parent
    raise InputError("The installation is incomplete: TopoGANLib is missing, install TopoGAN again.")
