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
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.volumes.checks import check_dimensions, cut_off, not_scalar, wrong_header
from topogan.volumes.geometry import Geometry, check_spacing, geometry_of_axes
from topogan.volumes.volume_file import VolumeFile

_Header = Nifti1Header | Nifti2Header
_KINDS: tuple[tuple[type[_Header], int, bytes], ...] = (
    (Nifti1Header, 344, b"n+1\0"),
    (Nifti2Header, 4, b"n+2\0\r\n\x1a\n"),
)
_TO_LPS = np.array([-1.0, -1.0, 1.0])
# Spatial units of xyzt_units; 0 is unknown, which everyone takes for mm.
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
# The two ways to say where the voxels lie, and what each is made of.
_PLACES = {
    "qform": ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    "sform": ("srow_x", "srow_y", "srow_z"),
}
# Below, other readers take it for none.
_LEAST_SLOPE = 1e-12
# Between a quaternion and a matrix of single precision, as a share of a voxel per voxel.
_SAME_AXES = 1e-3


def read_nifti(path: Path) -> VolumeFile:
    """Read the header of a NIfTI file.

    Raises:
        InputError: one sentence that names the file.
    """
    with path.open("rb") as file:
        # By the content, as other readers do: some tools name unpacked files .nii.gz.
        packed = file.read(2) == b"\x1f\x8b"
    header = _read_header(path, packed)
    dtype = _dtype(path, header)
    sizes = _sizes(path, header)
    start = float(header["vox_offset"])
    if not (math.isfinite(start) and start >= header.sizeof_hdr and start == int(start)):
        raise wrong_header(path, f"its data cannot begin at byte {start:g}")
    offset, skipped, packing = (0, int(start), "gzip") if packed else (int(start), 0, "")
    geometry, scale = _geometry(path, header, sizes), _scale(path, header)
    phases = sizes[3] if len(sizes) == 4 else 1
    return VolumeFile(path, geometry, dtype, phases, path, offset, skipped, packing, scale=scale)


def _read_header(path: Path, packed: bool) -> _Header:
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            start = file.read(Nifti2Header.sizeof_hdr)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise cut_off(path) from error
    for kind, place, magic in _KINDS:
        for order in "<>" if len(start) >= kind.sizeof_hdr else "":
            header = kind(start[: kind.sizeof_hdr], endianness=order, check=False)
            if header["sizeof_hdr"] == kind.sizeof_hdr and start.startswith(magic, place):
                return header
    raise InputError(f"{path} cannot be read as a volume: it has no NIfTI header (or an old Analyze one).")


def _dtype(path: Path, header: _Header) -> np.dtype[np.generic]:
    code, bits = int(header["datatype"]), int(header["bitpix"])
    try:
        dtype: np.dtype[np.generic] = header.get_data_dtype()  # type: ignore[no-untyped-call]
    except (HeaderDataError, KeyError) as error:
        raise wrong_header(path, f"the type of its numbers is {code}") from error
    if dtype.fields:
        raise not_scalar(path, len(dtype.fields))
    if dtype.kind == "c" or dtype.itemsize > 8:
        raise InputError(f"{path} holds complex or very long numbers: give one with real values.")
    if dtype.kind not in "iuf" or dtype.itemsize * 8 != bits:
        raise wrong_header(path, f"the type of its numbers is {code} with {bits} bits")
    return dtype


def _sizes(path: Path, header: _Header) -> list[int]:
    count, *sizes = (int(value) for value in header["dim"])
    if not 1 <= count <= 7 or min(sizes[:count]) < 1:
        shown = " x ".join(map(str, sizes[: min(max(count, 3), 7)]))
        raise wrong_header(path, f"it has {count} dimensions of {shown} voxels")
    used = sizes[:count]
    while len(used) > 4 and used[-1] == 1:
        used.pop()
    if len(used) == 5 and used[3] == 1:
        raise not_scalar(path, used[4])
    check_dimensions(path, len(used))
    return used


def _scale(path: Path, header: _Header) -> tuple[float, float] | None:
    # NaN stands for what is not said (nibabel writes it so).
    slope, intercept = (0.0 if np.isnan(header[name]) else float(header[name]) for name in ("scl_slope", "scl_inter"))
    if (slope, intercept) in ((0.0, 0.0), (1.0, 0.0)):
        return None
    # A slope of 0 stands for none, but not with an intercept, which some readers then add.
    if not _LEAST_SLOPE <= abs(slope) < math.inf or math.isinf(intercept):
        raise wrong_header(path, f"its values are scaled by {slope:g} and moved by {intercept:g}")
    return slope, intercept


def _geometry(path: Path, header: _Header, sizes: list[int]) -> Geometry:
    spacing = np.asarray(header["pixdim"][1:4], dtype=float)
    check_spacing(path, spacing)
    unit = _MILLIMETRES.get(int(header["xyzt_units"]) & 7)
    if unit is None:
        raise wrong_header(path, "it counts in an unknown unit of length")
    found = [_affine(path, header, place) for place in _PLACES if int(header[f"{place}_code"]) > 0]
    # Without a statement ITK and Slicer take the axes for those of LPS.
    affine = found[-1] if found else np.diag([*(_TO_LPS * spacing), 1.0])
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.allclose(lengths, spacing, rtol=_SAME_AXES, atol=0):
        by_size, by_axes = (" x ".join(f"{value:.4g}" for value in values) for values in (spacing, lengths))
        raise wrong_header(path, f"its voxels measure {by_size} mm by pixdim and {by_axes} mm by their axes")
    away = np.abs((found[0] - affine)[:3] / np.append(spacing, spacing.min())) if found else np.zeros(1)
    if away.max() > _SAME_AXES:
        raise wrong_header(path, "its two statements of the place of its voxels (qform and sform) disagree")
    axes, origin = affine[:3, :3] * _TO_LPS[:, None], affine[:3, 3] * _TO_LPS
    return geometry_of_axes(tuple(sizes[:3]), axes * unit, origin * unit)


def _affine(path: Path, header: _Header, place: str) -> NDArray[np.float64]:
    """Voxel indices to RAS by one of the :data:`_PLACES`."""
    if not all(np.isfinite(header[name]).all() for name in _PLACES[place]):
        raise wrong_header(path, "the position or the axes in it are not numbers")
    try:
        return np.asarray(getattr(header, f"get_{place}")(), dtype=float)
    except (HeaderDataError, ValueError) as error:
        raise wrong_header(path, "the axes in it are no rotation") from error
