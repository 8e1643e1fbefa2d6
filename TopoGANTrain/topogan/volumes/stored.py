"""Do the data of a file fit what its header claims? Asked before memory of the claimed size is taken.

ITK believes headers: it takes the memory that a lie asks for, fills what is missing with zeros or with whatever the
memory held before, and reads data from any file that a header names.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from topogan.errors import InputError

_CHUNK = 1 << 20
# Deflate, which gzip and zlib use, cannot shrink anything further (https://zlib.net/zlib_tech.html).
_DEFLATE_LIMIT = 1032
# Empty label maps shrink a thousandfold, too: only what would also be large is refused.
_MAX_GROWTH = 200
_GROWTH_COUNTS_FROM = 512 << 20
# 1024 x 1024 x 1024; a header that claims more is a lie far more often than a scan.
_MAX_VOXELS = 1 << 30
_MOST_QUOTED = 60


@dataclass(frozen=True)
class Claim:
    """What a header says of its data.

    Attributes:
        file: where they lie.
        offset: bytes before them in that file.
        count: bytes of all data, unpacked.
        at_once: bytes that are in memory together: a phase, or everything.
        packing: ``"gzip"``, ``"zlib"`` or ``""``.
        numbers: type of single numbers where they are fractions, which may be NaN.
    """

    file: Path
    offset: int
    count: int
    at_once: int
    packing: str = ""
    numbers: np.dtype | None = None


def check_claim(path: Path, claim: Claim) -> None:
    """Refuse a file whose data are not there, not whole, far larger than the file, or NaN.

    Packed data are unpacked once, chunk by chunk, without keeping any.

    Args:
        path: what the user named, for messages.
        claim: what its header says.

    Raises:
        InputError: one sentence that names the file.
    """
    _check_place(path, claim)
    cut_off = InputError(f"{path} is cut off: its data end before its header says so; copy it again.")
    stored = claim.file.stat().st_size - claim.offset
    if stored * (_DEFLATE_LIMIT if claim.packing else 1) < claim.count:
        raise cut_off
    if claim.packing:
        check_growth(path, claim.at_once, stored)
    if not claim.packing and claim.numbers is None:
        return
    try:
        found = _look_through(path, claim)
    except EOFError as error:
        raise cut_off from error
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"The packed data of {path} are damaged: copy it again.") from error
    if found < claim.count:
        raise cut_off


def check_growth(path: Path, unpacked: int, stored: int) -> None:
    """Refuse packed data that take little of the disk and much of the memory; both in bytes."""
    if unpacked > max(_GROWTH_COUNTS_FROM, stored * _MAX_GROWTH):
        raise InputError(
            f"{path} would grow {unpacked // stored}-fold to {unpacked >> 20} MB when it is unpacked: "
            "if that is no mistake, save it without compression."
        )


def check_size(path: Path, sizes: tuple[int, ...]) -> None:
    """Refuse a volume of more voxels than any scan has; ``sizes`` are those of one phase."""
    if np.prod(sizes, dtype=float) > _MAX_VOXELS:
        shown = " x ".join(str(size) for size in sizes)
        raise InputError(f"{path} has {shown} voxels, more than can be read: crop it in Slicer first.")


def said_in_header(path: Path, what: str) -> InputError:
    """The sentence for a header that contradicts itself or asks for what is not read."""
    return InputError(f"The header of {path} is wrong: {what}; save it again from Slicer.")


def quoted(value: str | None) -> str:
    """What a header says, at bounded length."""
    return "missing" if value is None else repr(value if len(value) <= _MOST_QUOTED else value[:_MOST_QUOTED] + "...")


def not_finite(path: Path, count: int) -> InputError:
    """The sentence for NaN and infinity among voxels."""
    noun = "voxel that is not a number" if count == 1 else "voxels that are not numbers"
    return InputError(f"{path} holds {count} {noun} (NaN or infinity): repair it first.")


def _check_place(path: Path, claim: Claim) -> None:
    if "\0" in claim.file.name:
        raise said_in_header(path, "the name of the file with its data is none")
    if claim.file.resolve().parent != path.resolve().parent:
        raise InputError(f"{path} says that its data lie in another folder: put both files into one.")
    if not claim.file.is_file():
        raise InputError(f"{path} cannot be read as a volume: the file with its data, {claim.file.name}, is missing.")


def _look_through(path: Path, claim: Claim) -> int:
    """Return how many bytes of the data are there, up to as many as were claimed."""
    seen = bad = 0
    with claim.file.open("rb") as file:
        file.seek(claim.offset)
        for chunk in _chunks(file, claim.packing):
            if claim.numbers is not None:
                wanted = chunk[: claim.count - seen]
                whole = wanted[: len(wanted) - len(wanted) % claim.numbers.itemsize]
                bad += int(np.count_nonzero(~np.isfinite(np.frombuffer(whole, claim.numbers))))
            seen += len(chunk)
            if seen >= claim.count:
                break
    if bad:
        raise not_finite(path, bad)
    return seen


def _chunks(file: BinaryIO, packing: str) -> Iterator[bytes]:
    if packing == "zlib":
        yield from _inflated(file)
        return
    stream = gzip.GzipFile(fileobj=file) if packing else file
    while chunk := stream.read(_CHUNK):
        yield chunk


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    unpack = zlib.decompressobj()
    while not unpack.eof:
        packed = unpack.unconsumed_tail or file.read(_CHUNK)
        if not packed:
            raise EOFError
        yield unpack.decompress(packed, _CHUNK)
