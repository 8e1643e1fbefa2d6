"""``slicer.i18n`` in the language of the source."""

from __future__ import annotations

from pathlib import Path


def tr(text: str) -> str:
    """Translate within the caller's file."""
    return text


def translate(context: str, text: str) -> str:
    """Translate within a named context."""
    return text


def getContext(source_file: str) -> str:
    """Name under which the translations of a file are kept: its package and its own name."""
    path = Path(source_file)
    return f"{path.parent.name}.{path.stem}" if (path.parent / "__init__.py").is_file() else path.stem
