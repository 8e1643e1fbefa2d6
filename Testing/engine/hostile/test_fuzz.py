"""A moment of fuzzing, the same each time; ``fuzz.py`` is the command for as long as one likes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import Fuzzer
from readers import READERS


@pytest.mark.parametrize("name", READERS)
def test_changed_files_are_refused_in_words(name: str, good: dict[str, Path], tmp_path: Path) -> None:
    reader = READERS[name]
    folder = tmp_path / "changed"
    reader.prepare(folder, good)
    reader.read(folder)
    fuzzer = Fuzzer(reader, folder)
    fuzzer.round(number=0, examples=25)
    assert fuzzer.runs >= 25
