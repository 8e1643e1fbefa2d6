"""Reading JSON that may be anything: damaged, a stranger's, or being written at this moment."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from topogan_contract import schemas
from topogan_contract.schemas import find_json, read_json
from topogan_contract.training_set import DESCRIPTION_FILE, find_description


@pytest.mark.parametrize("text", ["", "{", "[" * 100000, "\udcff"], ids=["empty", "cut off", "too deep", "no text"])
def test_what_is_not_json(tmp_path: Path, text: str) -> None:
    path = tmp_path / "status.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r".+"):
        read_json(path)
    assert find_json(path, schemas.STATUS) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
@pytest.mark.timeout(10)
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "status.json")
    with pytest.raises(ValueError, match="no file of ours"):
        read_json(tmp_path / "status.json")


def test_a_file_beyond_measure(tmp_path: Path) -> None:
    with (tmp_path / "status.json").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(ValueError, match="no file of ours"):
        read_json(tmp_path / "status.json")


def test_a_training_set_of_many_volumes_is_found(tmp_path: Path) -> None:
    """A description of 20,000 volumes."""
    described = {"schema": "topogan.training-set/3", "volumes": ["a" * 64] * 20_000}
    (tmp_path / DESCRIPTION_FILE).write_text(json.dumps(described), encoding="utf-8")
    assert find_description(tmp_path) == described


def test_only_the_wanted_schema_is_found(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert find_json(path, schemas.STATUS) is None
    with pytest.raises(FileNotFoundError):
        read_json(path)
    for text in ('{"schema": "topogan.status/2"}', "[]", "3"):
        path.write_text(text)
        assert find_json(path, schemas.STATUS) is None
    path.write_text('{"schema": "topogan.status/1", "step": 3}')
    assert find_json(path, schemas.STATUS) == {"schema": "topogan.status/1", "step": 3}
