"""Find words in files, however they are packed: for tests that nothing of a patient or a user's paths gets out."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import re
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

_PNG = b"\x89PNG\r\n\x1a\n"
_EMBEDDED = re.compile(rb"data:[\w/+.-]*;base64,([A-Za-z0-9+/=\s]+)")
_DEEPEST = 4


def leaks(folder: Path, words: list[str]) -> list[str]:
    """Say where in the files below ``folder`` (or in their names) one of the words stands.

    Looked through: the files as they are, gzip, bzip2 and zlib streams (also behind the header of an NRRD or MetaImage
    file), members of zip files (npz, mrb, docx), text chunks of PNG files, pictures that are embedded in pages.
    Looked for: each word in UTF-8, UTF-16, UTF-32, Latin-1, JSON's and URLs' escapes; upper and lower case are alike.

    Returns:
        "FILE > MEMBER: word" for each.
    """
    needles = {word: _spellings(word) for word in words}
    found = []
    for path in sorted(folder.rglob("*")):
        found += [f"name of {path}: {word}" for word in words if word.lower() in path.name.lower()]
        if path.is_file():
            for place, content in unpacked(path.read_bytes()):
                low = content.lower()
                found += [
                    f"{path.relative_to(folder)}{place}: {word}"
                    for word, spellings in needles.items()
                    if any(spelling in low for spelling in spellings)
                ]
    return found


def _spellings(word: str) -> set[bytes]:
    texts = {word, urllib.parse.quote(word), word.encode("unicode_escape").decode(), word.replace("\\", "\\\\")}
    found = set()
    for text in texts:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1"):
            found.add(text.encode(encoding, "ignore").lower())
    return {spelling for spelling in found if len(spelling) > 3}


def unpacked(content: bytes, place: str = "", depth: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield a content and everything that is packed in it, each with the way there."""
    yield place, content
    if depth == _DEEPEST:
        return
    for name, inner in _members(content):
        yield from unpacked(inner, f"{place} > {name}", depth + 1)


def _members(content: bytes) -> Iterator[tuple[str, bytes]]:
    if content[:2] == b"PK" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            yield "comment", archive.comment
            for entry in archive.infolist():
                yield entry.filename, entry.filename.encode() + b"\0" + entry.comment + entry.extra
                yield entry.filename, archive.read(entry)
    if content.startswith(_PNG):
        yield from _chunks(content)
    if content[:2] == b"\x1f\x8b":
        yield "gzip", gzip.decompress(content)
    if content.startswith(b"NRRD"):
        packed = content[content.index(b"\n\n") + 2 :]
        unpack = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress}.get(packed[:2])
        if unpack:
            yield "data", unpack(packed)
    if b"CompressedData = True" in content[:2000]:
        start = re.search(rb"ElementDataFile = LOCAL\n", content)
        if start:
            yield "data", zlib.decompress(content[start.end() :])
    for number, found in enumerate(_EMBEDDED.finditer(content)):
        yield f"embedded {number}", base64.b64decode(found[1])


def _chunks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every chunk of a PNG but the pixels; packed texts unpacked."""
    at = len(_PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        at += 12 + length
        if kind != b"IDAT":
            yield kind.decode(), data
        if kind in (b"zTXt", b"iTXt", b"iCCP"):
            stream = re.search(rb"\x78[\x01\x5e\x9c\xda]", data)
            if stream:
                yield kind.decode(), zlib.decompress(data[stream.start() :])
