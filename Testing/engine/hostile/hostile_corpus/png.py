"""Folders of PNG slices that lie."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import labels, save

MARK = b"\x89PNG\r\n\x1a\n"
SIZE = ["--png-pixel-size", "1.5"]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(width: int, height: int, data: bytes, depth: int = 8, color: int = 0, between: bytes = b"") -> bytes:
    """A PNG whose header need not fit its packed ``data``."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return MARK + chunk(b"IHDR", header) + between + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def slices(folder: Path, array: np.ndarray) -> Path:
    """Write [slice, row, column] as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, plane in enumerate(array):
        sitk.WriteImage(sitk.GetImageFromArray(plane, isVector=plane.ndim == 3), str(folder / f"slice{number}.png"))
    return folder


def spoiled(spoil: Callable[[bytes], bytes], *more: str, only: int | None = 7) -> Callable[[Place], Arguments]:
    """Right slices, one of which (or all) is spoiled."""

    def build(place: Place) -> Arguments:
        folder = slices(place.folder / "mask", labels())
        for number, file in enumerate(sorted(folder.iterdir())):
            if only is None or number == only:
                file.write_bytes(spoil(file.read_bytes()))
        return prepare(place, folder, None, *SIZE, *more)

    return build


def of(array: np.ndarray, *more: str) -> Callable[[Place], Arguments]:
    return lambda place: prepare(place, slices(place.folder / "mask", array), None, *more)


def bombs(place: Place) -> Arguments:
    """20 slices of 16 000 x 16 000 pixels, 250 kB each."""
    folder = place.folder / "mask"
    folder.mkdir()
    pack = zlib.compressobj(9)
    data = b"".join(pack.compress(bytes(16_001 * 1000)) for _ in range(16)) + pack.flush()
    for number in range(20):
        (folder / f"{number}.png").write_bytes(picture(16_000, 16_000, data))
    return prepare(place, folder, None, *SIZE)


def other_size(place: Place) -> Arguments:
    folder = slices(place.folder / "mask", labels())
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((9, 9), np.uint8)), str(folder / "slice7.png"))
    return prepare(place, folder, None, *SIZE)


def folder_called_png(place: Place) -> Arguments:
    folder = slices(place.folder / "mask", labels())
    (folder / "slice99.png").mkdir()
    return prepare(place, folder, None, *SIZE)


def other_count(place: Place) -> Arguments:
    mask = slices(place.folder / "mask", labels())
    return prepare(place, mask, slices(place.folder / "ct", labels()[:30]), *SIZE)


def with_volume(place: Place) -> Arguments:
    return prepare(place, slices(place.folder / "mask", labels()), save(place.path("ct.nii"), labels()), *SIZE)


COLORED = np.stack([labels() * 255, labels() * 90, labels() * 0], axis=3)
DAMAGED = "cannot be read as a picture"

CASES = [
    Case("PNG: pixel size not given", of(labels()), "how large a pixel is"),
    Case("PNG: empty file", spoiled(lambda content: b""), DAMAGED),
    Case("PNG: a text", spoiled(lambda content: b"I am a picture"), DAMAGED),
    Case("PNG: cut off", spoiled(lambda content: content[: len(content) // 2]), DAMAGED),
    Case("PNG: header alone", spoiled(lambda content: content[:33]), DAMAGED),
    Case("PNG: bits flipped", spoiled(lambda content: content[:60] + b"\0\1\2\3" + content[64:]), DAMAGED),
    Case("PNG: checksum of the header wrong", spoiled(lambda content: content[:29] + b"evil" + content[33:]), DAMAGED),
    Case("PNG: width 0", spoiled(lambda content: picture(0, 32, zlib.compress(bytes(32)))), DAMAGED),
    Case(
        "PNG: claims 2³¹ x 2³¹ pixels",
        spoiled(lambda content: picture(2**31 - 1, 2**31 - 1, b"x")),
        "where the first slice has",
    ),
    Case(
        "PNG: claims 60 000² pixels",
        spoiled(lambda c: picture(60_000, 60_000, zlib.compress(bytes(900)))),
        DAMAGED + "|has .* pixels",
    ),
    Case(
        "PNG: all claim 60 000² pixels",
        spoiled(lambda c: picture(60_000, 60_000, zlib.compress(bytes(900))), only=None),
        "more than can be read|would grow",
    ),
    Case("PNG: bombs of zeros", bombs, "more than can be read|would grow"),
    Case("PNG: depth 3", spoiled(lambda content: picture(32, 32, zlib.compress(bytes(1056)), depth=3)), DAMAGED),
    Case(
        "PNG: a profile that explodes",
        spoiled(lambda c: picture(32, 32, b"", between=chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(64 << 20), 9)))),
        DAMAGED,
    ),
    Case("PNG: a slice of another size", other_size, "slices of one volume have one size"),
    Case("PNG: a folder among the slices", folder_called_png, "slice99.png"),
    Case("PNG: mask and scan of different lengths", other_count, "does not lie on the grid"),
    Case("PNG: mask with a scan of another kind", with_volume, "does not lie on the grid"),
    Case("PNG: color mask without colors named", of(COLORED, *SIZE), "is in color"),
    Case("PNG: color that is not there", of(COLORED, *SIZE, "--png-structure", "#123456"), "holds no voxel|is empty"),
    Case("PNG: color misspelt", of(COLORED, *SIZE, "--png-structure", "red"), "png_structure cannot be 'red'"),
    Case("PNG: pixel size 0", of(labels(), "--png-pixel-size", "0"), "how large a pixel is"),
    Case("PNG: pixel size negative", of(labels(), "--png-pixel-size", "-1"), "png_pixel_size cannot be -1"),
    Case("PNG: pixel size NaN", of(labels(), "--png-pixel-size", "nan"), "png_pixel_size cannot be nan"),
    Case("PNG: empty mask", of(labels() * 0, *SIZE), "is empty"),
    Case("PNG: 16 bits, another label", of(labels().astype(np.uint16) * 40_000, *SIZE), "labels in it are 40000"),
]
