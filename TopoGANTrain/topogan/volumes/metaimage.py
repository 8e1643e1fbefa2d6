"""MetaImage headers (.mha, .mhd; https://itk.org/Wiki/MetaIO/Documentation).

Each line must be ``Name = value``, with the names as MetaIO writes them: other readers take tabs, colons, other cases
and repetitions in other ways.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.checks import not_scalar, wrong_header
from topogan.volumes.geometry import Geometry, check_spacing, geometry_of_axes
from topogan.volumes.text_header import TextHeader, header_lines, quoted
from topogan.volumes.volume_file import VolumeFile

_TYPES = {
    "CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4", "LONG": "i4", "ULONG": "u4",
    "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4", "DOUBLE": "f8",
}  # fmt: skip
_TRUTH = dict.fromkeys(("true", "t", "1"), True) | dict.fromkeys(("false", "f", "0"), False)
# Each of these has several names, of which a header may have one.
_ORIGIN = ("Offset", "Position", "Origin")
_AXES = ("TransformMatrix", "Orientation", "Rotation")
_BIG_ENDIAN = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_READ = (
    "ObjectType", "NDims", "BinaryData", "CompressedData", "CompressedDataSize", "DimSize", "HeaderSize", "ElementType",
    "ElementSpacing", "ElementSize", "CenterOfRotation", "ElementNumberOfChannels", "ElementDataFile",
    "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset", *_ORIGIN, *_AXES, *_BIG_ENDIAN,
)  # fmt: skip
_SPELLING = {name.lower(): name for name in _READ}
_NAME = re.compile(r"[A-Za-z][\w ]*")
# Control codes, and line ends of Unicode, which other readers might take for one.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


def read_metaimage(path: Path) -> VolumeFile:
    """Read the header of a MetaImage file.

    Raises:
        InputError: one sentence that names the file.
    """
    header, end = _read_header(path)
    sizes = header.sizes("NDims", "DimSize")
    (channels,) = header.whole_numbers("ElementNumberOfChannels", 1, "1")
    if channels != 1:
        raise not_scalar(path, channels)
    for name, neutral in (("ElementToIntensityFunctionSlope", 1), ("ElementToIntensityFunctionOffset", 0)):
        if name in header.fields and header.numbers(name, 1) != neutral:
            raise header.wrong(name, ", so that its numbers are to be scaled")
    kind = header.fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise header.wrong("ElementType")
    dtype = np.dtype((">" if header.choice(_name_of(header, _BIG_ENDIAN), _TRUTH, "false") else "<") + _TYPES[kind])
    packing = "zlib" if header.choice("CompressedData", _TRUTH, "false") else ""
    if not header.choice("BinaryData", _TRUTH, "true"):
        packing = "text"
    attached = header.fields["ElementDataFile"] == "LOCAL"
    data, offset = (path, end) if attached else (header.data_file("ElementDataFile"), 0)
    behind = data.stat().st_size - offset
    skipped = header.skipped("HeaderSize", None if packing else behind - int(np.prod(sizes)) * dtype.itemsize)
    if attached and header.fields.get("HeaderSize", "-1") not in ("0", "-1"):
        raise header.wrong("HeaderSize", ", which skips some of its data")
    if packing == "zlib" and header.whole_numbers("CompressedDataSize", 1, str(behind)) != [behind]:
        raise header.wrong("CompressedDataSize", f" and its packed data have {behind} bytes")
    geometry = _geometry(header, sizes)
    phases = sizes[3] if len(sizes) == 4 else 1
    return VolumeFile(path, geometry, dtype, phases, data, offset + skipped, packing=packing)


def _read_header(path: Path) -> tuple[TextHeader, int]:
    """Return the fields and where the data begin: behind ``ElementDataFile``, which is the last one."""
    header = TextHeader(path)
    seen: set[str] = set()
    for line, end in header_lines(path):
        name, mark, value = line.partition("=")
        name, value = name.rstrip(" "), value.removeprefix(" ").rstrip(" ")
        if not mark or not _NAME.fullmatch(name) or _NO_TEXT.search(value):
            raise InputError(f"{path} cannot be read as a volume: it does not begin as a MetaImage file does.")
        if _SPELLING.get(name.lower(), name) != name or name.lower() in seen:
            raise wrong_header(path, f"it has {quoted(name)} in another spelling, or twice")
        seen.add(name.lower())
        header.add(name, value)
        if name == "ElementDataFile":
            return header, end
    raise InputError(f"{path} cannot be read as a volume: its header does not end.")


def _name_of(header: TextHeader, names: tuple[str, ...]) -> str:
    """The one of several names that the header has; the first, if it has none."""
    found = [name for name in names if name in header.fields]
    if len(found) > 1:
        raise wrong_header(header.path, f"it has more than one of {', '.join(names)}")
    return found[0] if found else names[0]


def _geometry(header: TextHeader, sizes: list[int]) -> Geometry:
    axes = len(sizes)
    if "ElementSpacing" not in header.fields:
        raise InputError(f"The voxel spacing of {header.path} is missing in its header: save it again from Slicer.")
    spacing = header.numbers("ElementSpacing", axes)
    check_spacing(header.path, spacing)
    for name in ("ElementSize", "CenterOfRotation"):
        if name in header.fields:  # with another number of values MetaIO takes the next line for one
            header.numbers(name, axes)
    origin_name, axes_name = _name_of(header, _ORIGIN), _name_of(header, _AXES)
    origin = header.numbers(origin_name, axes) if origin_name in header.fields else np.zeros(axes)
    matrix = header.numbers(axes_name, axes * axes) if axes_name in header.fields else np.eye(axes)
    matrix = matrix.reshape(axes, axes)
    if axes == 4 and not np.allclose(matrix[3], [0, 0, 0, 1]) | np.allclose(matrix[:, 3], [0, 0, 0, 1]):
        raise wrong_header(header.path, "its phases lie along an axis of space")
    if not np.allclose(np.linalg.norm(matrix[:3, :3], axis=1), 1.0, atol=1e-3):
        raise InputError(f"The axes in the header of {header.path} are no unit vectors: save it again from Slicer.")
    # Row k of the matrix is the direction of axis k.
    return geometry_of_axes(tuple(sizes[:3]), (matrix[:3, :3] * spacing[:3, None]).T, origin[:3])
