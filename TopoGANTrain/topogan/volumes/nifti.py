"""NIfTI-1 and NIfTI-2 headers, read by nibabel and checked: what contradicts itself is refused, not guessed."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, geometry_of_axes
from topogan.volumes.stored import StoredArray, cut_off, said_in_header

_Header = Nifti1Header | Nifti2Header
_KINDS: tuple[tuple[type[_Header], int, bytes], ...] = (
    (Nifti1Header, 348, b"n+1\0"),
    (Nifti2Header, 540, b"n+2\0\r\n\x1a\n"),
)
_TO_LPS = np.array([-1.0, -1.0, 1.0])
# Spatial units of xyzt_units; 0 is unknown, which everyone takes for mm.
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
# Below, other readers take it for none.
_LEAST_SLOPE = 1e-12
# Between a quaternion and a matrix of single precision, as a share of a voxel per voxel.
_SAME_AXES = 1e-3


def read_nifti(path: Path) -> tuple[StoredArray, Geometry]:
    """Read the header of a NIfTI file.

    Raises:
        InputError: one sentence that names the file.
    """
    packed = _is_gzip(path)
    header = _read_header(path, packed)
    dtype = _dtype(path, header)
    sizes = _sizes(path, header)
    offset = float(header["vox_offset"])
    if not (math.isfinite(offset) and offset >= header.sizeof_hdr and offset == int(offset)):
        raise said_in_header(path, f"its data cannot begin at byte {offset:g}")
    place = {"skipped": int(offset), "packing": "gzip"} if packed else {"offset": int(offset)}
    shape = tuple(reversed(sizes))
    return StoredArray(path, path, shape, dtype, scale=_scale(path, header), **place), _geometry(path, header, sizes)


def _is_gzip(path: Path) -> bool:
    # By the content, as other readers do: some tools name unpacked files .nii.gz.
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _read_header(path: Path, packed: bool) -> _Header:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            start = file.read(540)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise cut_off(path) from error
    for kind, size, magic in _KINDS:
        for order in "<>":
            if len(start) < size or int.from_bytes(start[:4], "little" if order == "<" else "big") != size:
                continue
            header = kind(start[:size], endianness=order, check=False)
            if start[344:348] == magic if size == 348 else start[4:12] == magic:
                return header
    raise InputError(f"{path} cannot be read as a volume: it has no NIfTI header (or an old Analyze one).")


def _dtype(path: Path, header: _Header) -> np.dtype[np.generic]:
    code, bits = int(header["datatype"]), int(header["bitpix"])
    try:
        dtype: np.dtype[np.generic] = header.get_data_dtype()  # type: ignore[no-untyped-call]
    except (HeaderDataError, KeyError) as error:
        raise said_in_header(path, f"the type of its numbers is {code}") from error
    if dtype.fields:
        raise _not_scalar(path, len(dtype.fields))
    if dtype.kind == "c" or dtype.itemsize > 8:
        raise InputError(f"{path} holds complex or very long numbers: give one with real values.")
    if dtype.kind not in "iuf" or dtype.itemsize * 8 != bits:
        raise said_in_header(path, f"the type of its numbers is {code} with {bits} bits")
    return dtype


def _sizes(path: Path, header: _Header) -> list[int]:
    count, *sizes = (int(value) for value in header["dim"])
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        shown = " x ".join(map(str, sizes[: min(max(count, 3), 7)]))
        raise said_in_header(path, f"it has {count} dimensions of {shown} voxels")
    used = sizes[:count]
    while len(used) > 4 and used[-1] == 1:
        used.pop()
    if len(used) == 5 and used[3] == 1:
        raise _not_scalar(path, used[4])
    if len(used) not in (3, 4):
        raise InputError(
            f"{path} has {len(used)} dimensions where a volume has 3 (or 4 with phases): "
            "give a volume, or the folder of its PNG slices."
        )
    return used


def _not_scalar(path: Path, values: int) -> InputError:
    return InputError(
        f"{path} holds {values} values per voxel (a color or vector image): give one with a single value per voxel."
    )


def _scale(path: Path, header: _Header) -> tuple[float, float] | None:
    # NaN stands for what is not said (nibabel writes it so).
    slope, intercept = (_said(float(header[name])) for name in ("scl_slope", "scl_inter"))
    if (slope, intercept) in ((0.0, 0.0), (1.0, 0.0)):
        return None
    # A slope of 0 stands for none, but not with an intercept, which some readers then add.
    if not _LEAST_SLOPE <= abs(slope) < math.inf or math.isinf(intercept):
        raise said_in_header(path, f"its values are scaled by {slope:g} and moved by {intercept:g}")
    return slope, intercept


def _said(value: float) -> float:
    return 0.0 if math.isnan(value) else value


def _geometry(path: Path, header: _Header, sizes: list[int]) -> Geometry:
    spacing = np.asarray(header["pixdim"][1:4], dtype=float)
    if not (np.isfinite(spacing).all() and (spacing > 0).all()):
        shown = " x ".join(f"{value:g}" for value in spacing)
        raise InputError(f"The voxel spacing of {path} is {shown} mm: correct its header, it must be above 0.")
    unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 7)
    if unit is None:
        raise said_in_header(path, "it counts in an unknown unit of length")
    found = [affine for affine in (_qform(path, header), _sform(path, header)) if affine is not None]
    # Without a statement ITK and Slicer take the axes for those of LPS.
    affine = found[-1] if found else np.diag([*(_TO_LPS * spacing), 1.0])
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.allclose(lengths, spacing, rtol=_SAME_AXES, atol=0):
        by_size, by_axes = (" x ".join(f"{value:.4g}" for value in values) for values in (spacing, lengths))
        raise said_in_header(path, f"its voxels measure {by_size} mm by pixdim and {by_axes} mm by their axes")
    if len(found) == 2:
        away = np.abs((found[0] - found[1])[:3] / np.append(spacing, spacing.min()))
        if away[:, :3].max() > _SAME_AXES or away[:, 3].max() > _SAME_AXES:
            raise said_in_header(path, "its two statements of the place of its voxels (qform and sform) disagree")
    axes, origin = affine[:3, :3] * _TO_LPS[:, None], affine[:3, 3] * _TO_LPS
    return geometry_of_axes(tuple(sizes[:3]), axes * unit, origin * unit)


def _qform(path: Path, header: _Header) -> np.ndarray | None:
    if int(header["qform_code"]) <= 0:
        return None
    values = [
        float(header[name]) for name in ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
    ]
    if not np.isfinite(values).all():
        raise said_in_header(path, "the position or the axes in it are not numbers")
    try:
        return np.asarray(header.get_qform(), dtype=float)  # type: ignore[no-untyped-call]
    except (HeaderDataError, ValueError) as error:
        raise said_in_header(path, "the axes in it are no rotation") from error


def _sform(path: Path, header: _Header) -> np.ndarray | None:
    if int(header["sform_code"]) <= 0:
        return None
    affine = np.vstack([header[f"srow_{axis}"] for axis in "xyz"] + [[0, 0, 0, 1]]).astype(float)
    if not np.isfinite(affine).all():
        raise said_in_header(path, "the position or the axes in it are not numbers")
    return affine
