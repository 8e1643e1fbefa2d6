"""Spoiling one thing in a folder that TopoGAN wrote."""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Spoil = Callable[[Path], None]

DEEP_JSON = "[" * 100_000
LONG_NUMBER = '{"schema": ' + "9" * 10_000 + "}"


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def text(name: str, content: str | bytes) -> Spoil:
    """Replace a file."""

    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def json_values(name: str, **values: Any) -> Spoil:
    """Replace entries of a JSON file; ``a__b`` leads into a group, and ... as a value removes the entry."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        for dotted, value in values.items():
            *groups, last = dotted.split("__")
            target = content
            for group in groups:
                target = target[group]
            if value is ...:
                del target[last]
            else:
                target[last] = value
        (folder / name).write_text(json.dumps(content), encoding="utf-8")

    return spoil


def removed(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def cut(name: str, keep: float = 0.5) -> Spoil:
    """Keep the first part of a file."""

    def spoil(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * keep)])

    return spoil


def replaced(name: str, old: str, new: str) -> Spoil:
    """Replace the first of some words in a text file, which must hold them."""

    def spoil(folder: Path) -> None:
        content = (folder / name).read_text(encoding="utf-8")
        assert old in content, f"{name} holds no {old!r}"
        (folder / name).write_text(content.replace(old, new, 1), encoding="utf-8")

    return spoil


def linked(name: str, target: str) -> Spoil:
    """Put a link in the place of a file."""

    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).symlink_to(target)

    return spoil


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def array(name: str, values: np.ndarray) -> Spoil:
    return lambda folder: np.save(folder / name, values, allow_pickle=values.dtype == object)


def arrays(name: str, **changes: np.ndarray) -> Spoil:
    """Replace arrays of an .npz."""

    def spoil(folder: Path) -> None:
        with np.load(folder / name) as stored:
            content = {**stored, **changes}
        np.savez_compressed(folder / name, **content)

    return spoil


def pickled(name: str) -> Spoil:
    """An array of objects that would run code when loaded."""
    return lambda folder: array(name, np.array([Bomb(folder.parent / "executed")], dtype=object))(folder)


def pickled_in_npz(name: str, entry: str) -> Spoil:
    return lambda folder: arrays(name, **{entry: np.array([Bomb(folder.parent / "executed")], dtype=object)})(folder)


def npy_header(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
    """The start of an .npy that claims a shape."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header = header.ljust(118 if len(header) < 118 else len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def lying_npz(name: str, *entries: str) -> Spoil:
    """Arrays that claim 80 TB in their headers."""

    def spoil(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for entry in entries:
                archive.writestr(f"{entry}.npy", npy_header((10**13,), "<f8"))

    return spoil


def bomb_npz(name: str, *entries: str, megabytes: int = 400) -> Spoil:
    """Arrays of zeros that are small on the disk and keep what their headers promise."""

    def spoil(folder: Path) -> None:
        each = (megabytes << 20) // len(entries)
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for entry in entries:
                with archive.open(f"{entry}.npy", "w", force_zip64=True) as member:
                    member.write(npy_header((each // 8,), "<i8"))
                    for _ in range(each >> 20):
                        member.write(bytes(1 << 20))

    return spoil
