"""Packages of models that strangers may have made."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from topogan.errors import InputError
from topogan.model import load_model, pack_model


def refusal(path: Path) -> str:
    """Load a package that has to be refused; return the sentence after checking its manners."""
    with pytest.raises(InputError) as caught:
        load_model(path)
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said and said.endswith(".")
    assert len(said) < 450 + 2 * len(str(path))
    assert not (path.parent / "executed").exists(), "something in the package was executed"
    return said


def zipped(path: Path, ring_model: Path, *more: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    """Zip the good package with some more members."""
    pack_model(ring_model, path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in more:
            archive.writestr(entry, content)
    return path
