"""Zips that strangers made of model packages are refused in one sentence."""

from __future__ import annotations

import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from model_packages import refusal, zipped

from topogan.model import load_model

METADATA = "configs/metadata.json"
GENERATOR = "models/masks_generator.safetensors"


def entry(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("../evil.txt", "leads out of it"),
        ("package/../../evil.txt", "leads out of it"),
        ("/evil.txt", "leads out of it"),
        ("..\\evil.txt", "leads out of it"),
        ("C:evil.txt", "leads out of it"),
        ("package/models/model.pt", "model.pt"),
        ("configs/metadata.json.pkl", "metadata.json.pkl"),
    ],
)
def test_zip_with_a_foreign_path(name: str, fragment: str, tmp_path: Path, ring_model: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    assert fragment in refusal(zipped(inside / "package.zip", ring_model, (entry(name), b"evil")))
    assert [path.name for path in tmp_path.iterdir()] == ["inside"]
    assert [path.name for path in inside.iterdir()] == ["package.zip"]


def test_zip_with_a_link(tmp_path: Path, ring_model: Path) -> None:
    link = entry("package/docs/link", stat.S_IFLNK | 0o777)
    assert "is a link" in refusal(zipped(tmp_path / "package.zip", ring_model, (link, b"/etc/passwd")))


def test_zip_with_the_same_name_twice(tmp_path: Path, ring_model: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        zipped(tmp_path / "package.zip", ring_model, ("package/LICENSE", b""), (f"package/{GENERATOR}", b"other"))
    assert "twice" in refusal(tmp_path / "package.zip")


def test_zip_with_many_files(tmp_path: Path, ring_model: Path) -> None:
    more = [(f"package/docs/{number}.txt", b"") for number in range(300)]
    assert "more than 200 files" in refusal(zipped(tmp_path / "package.zip", ring_model, *more))


def test_zip_with_a_huge_table_of_contents(tmp_path: Path, ring_model: Path) -> None:
    more = [(f"package/docs/{'x' * 200}{number:06}.txt", b"") for number in range(6000)]
    assert "table of contents" in refusal(zipped(tmp_path / "package.zip", ring_model, *more))


def test_zip_bomb(tmp_path: Path, ring_model: Path) -> None:
    said = refusal(zipped(tmp_path / "package.zip", ring_model, ("package/docs/zeros.txt", bytes(64 << 20))))
    assert "grow more than 100-fold" in said


def test_zip_that_lies_about_its_size(tmp_path: Path, ring_model: Path) -> None:
    """The table of contents says 10 bytes, the member unpacks to 32 MB."""
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (METADATA, GENERATOR):
            archive.writestr(name, bytes(32 << 20))
    content = path.read_bytes().replace(struct.pack("<I", 32 << 20), struct.pack("<I", 10))
    path.write_bytes(content)
    assert "damaged" in refusal(path)


def test_zip_that_unpacks_to_too_much(tmp_path: Path, ring_model: Path, monkeypatch) -> None:
    path = zipped(tmp_path / "package.zip", ring_model)
    monkeypatch.setattr("topogan.model.layout.MAX_BYTES", 1000)
    assert "would unpack to more than" in refusal(path)


def test_encrypted_zip(tmp_path: Path, ring_model: Path) -> None:
    path = zipped(tmp_path / "package.zip", ring_model)
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    path.write_bytes(bytes(content))
    assert "encrypted" in refusal(path)


def test_zip_with_an_unusual_compression(tmp_path: Path, ring_model: Path) -> None:
    path = tmp_path / "package.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.write(ring_model / METADATA, METADATA)
    assert "unusual" in refusal(path)


def test_damaged_zip(tmp_path: Path, ring_model: Path) -> None:
    whole = zipped(tmp_path / "whole.zip", ring_model).read_bytes()
    cases = {
        "text": b"This is no zip.",
        "start": whole[: len(whole) // 2],
        "end": whole[-200:],
        "middle": whole[:2000] + bytes(500) + whole[2500:],
    }
    for name, content in cases.items():
        path = tmp_path / f"{name}.zip"
        path.write_bytes(content)
        refusal(path)


def test_what_file_managers_leave_is_passed_over(tmp_path: Path, ring_model: Path) -> None:
    folder = shutil.copytree(ring_model, tmp_path / "package")
    (folder / ".DS_Store").write_bytes(b"\0\1")
    (folder / "models" / "._masks_generator.safetensors").write_bytes(b"\0\1")
    assert load_model(folder).metadata.structure == "ring"
    more = [("__MACOSX/package/._LICENSE", b"\0"), ("package/.DS_Store", b"\0")]
    assert load_model(zipped(tmp_path / "package.zip", ring_model, *more)).metadata.structure == "ring"


def test_files_may_lie_at_the_top_of_a_zip(tmp_path: Path, ring_model: Path) -> None:
    shutil.make_archive(str(tmp_path / "package"), "zip", ring_model)
    assert load_model(tmp_path / "package.zip").metadata.structure == "ring"
