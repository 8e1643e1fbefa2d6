"""A folder of PNG slices as a volume: columns to the patient's left, rows to the back, slices upwards."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PIL import Image

from topogan.errors import InputError
from topogan.files import check_exists, check_name
from topogan.volumes.checks import check_growth, check_size
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.itk import reading

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
_MOST_COLORS_NAMED = 8
_MARK = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_HEADER = struct.Struct(">16sII")
# Behind it the bits of a value and, at this byte, the kind of pixels.
_KIND, _GREY_WITH_ALPHA = 25, 4


@dataclass(frozen=True)
class PngOptions:
    """What PNG slices cannot say themselves.

    Attributes:
        pixel_size: mm; 0 = unknown, which refuses PNG slices.
        slice_spacing: mm; 0 = the pixel size.
        structure: for masks: colors ``"#ff0000,#00ff00"``, dark ``"<128"`` or bright ``">=128"`` values; the voxels
            are then 1 (structure) and 0. Empty: the values are kept.
        colors: for masks of several structures: the colors of each, whose voxels are then its number, from 1.
    """

    pixel_size: float = 0.0
    slice_spacing: float = 0.0
    structure: str = ""
    colors: tuple[tuple[str, ...], ...] = ()


def is_png_folder(path: Path) -> bool:
    """Tell whether a folder holds PNG files."""
    return bool(_slice_files(path))


def in_natural_order(path: Path) -> list[tuple[int, int | str]]:
    """Sort key by which ``2.png`` comes before ``10.png``."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _slice_files(path: Path) -> list[Path]:
    return sorted(
        (file for file in path.iterdir() if file.suffix.lower() == ".png" and not file.name.startswith(".")),
        key=in_natural_order,
    )


@dataclass(frozen=True)
class PngSlices:
    """PNG files of one size, in the natural order of their names."""

    path: Path
    geometry: Geometry
    files: tuple[Path, ...]
    structure: str
    colors: tuple[tuple[str, ...], ...]
    phases: int = 1

    @classmethod
    def open(cls, path: Path, options: PngOptions) -> PngSlices:
        """Read the size of every slice.

        Raises:
            InputError: the pixel size is unknown, a file cannot be read, or sizes differ.
        """
        if options.pixel_size <= 0:
            raise InputError(
                f"The PNG slices in {path} do not say how large a pixel is: give the PNG pixel size in mm "
                "(--png-pixel-size)."
            )
        files = _slice_files(path)
        sizes = [_size(file) for file in files]
        for file, size in zip(files, sizes, strict=True):
            if size != sizes[0]:
                raise InputError(
                    f"{file} has {size[0]} x {size[1]} pixels where the first slice has {sizes[0][0]} x {sizes[0][1]}: "
                    "slices of one volume have one size."
                )
        pixel = options.pixel_size
        check_size(path, (*sizes[0], len(files)))
        # At least a byte a pixel in memory, however few bits are stored.
        check_growth(path, sizes[0][0] * sizes[0][1] * len(files), sum(file.stat().st_size for file in files))
        geometry = Geometry(
            (*sizes[0], len(files)), (pixel, pixel, options.slice_spacing or pixel), (0.0, 0.0, 0.0), _IDENTITY
        )
        by_color = options.structure.startswith("#")
        colors = (tuple(options.structure.split(",")),) if by_color else options.colors
        return cls(path, geometry, tuple(files), "" if by_color else options.structure, colors)

    def volumes(self) -> Iterator[Volume]:
        """Read all slices (one phase)."""
        yield Volume(np.stack([self._read(file) for file in self.files]), self.geometry)

    def _read(self, file: Path) -> np.ndarray:
        with reading(file, "picture"):
            pixels = _read_grey_with_alpha(file)
            if pixels is None:
                pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(file), imageIO="PNGImageIO"))
        if self.colors:
            return _by_color(pixels, self.colors)
        grey = _grey(file, pixels)
        if not self.structure:
            return grey
        bright = self.structure.startswith(">=")
        return (grey >= int(self.structure[2:]) if bright else grey < int(self.structure[1:])).astype(np.uint8)


def _size(file: Path) -> tuple[int, int]:
    """Width and height, from the first bytes (https://www.w3.org/TR/png/#11IHDR)."""
    check_name(file)
    check_exists(file)
    start = b""
    if file.is_file():
        with file.open("rb") as content:
            start = content.read(_HEADER.size)
    mark, width, height = _HEADER.unpack(start.ljust(_HEADER.size, b"\0"))
    if mark != _MARK or not width or not height:
        raise InputError(f"{file} cannot be read as a picture: it is damaged or no PNG file; leave it out.")
    return width, height


def _read_grey_with_alpha(file: Path) -> np.ndarray | None:
    """[row, column] of grey with transparency, which ITK cannot read; None for all other kinds of pixels."""
    with file.open("rb") as content:
        depth, kind = content.read(_KIND + 1)[-2:]
    if kind != _GREY_WITH_ALPHA:
        return None
    if depth != 8:  # Pillow would keep half of the bits
        raise InputError(f"{file} has {depth} bits of grey and transparency: save it again without transparency.")
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            return np.asarray(picture)[..., 0]
    except (OSError, SyntaxError, ValueError) as error:
        raise RuntimeError("damaged") from error


def _by_color(pixels: np.ndarray, colors: tuple[tuple[str, ...], ...]) -> np.ndarray:
    """uint8 [row, column]: the number of the structure that has a pixel's color, from 1; 0 for all other colors."""
    shown = pixels[..., :3] if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    numbers = np.zeros(shown.shape[:2], np.uint8)
    for number, of_structure in enumerate(colors, start=1):
        for color in of_structure:
            numbers[(shown == [int(color[start : start + 2], 16) for start in (1, 3, 5)]).all(axis=2)] = number
    return numbers


def _grey(file: Path, pixels: np.ndarray) -> np.ndarray:
    """Return [row, column]; color files pass when their channels are equal (grey saved as color)."""
    if pixels.ndim == 2:
        return pixels
    channels = pixels.shape[2] - (1 - pixels.shape[2] % 2)  # RGB+alpha: transparency says nothing
    if (pixels[..., :channels] != pixels[..., :1]).any():
        found = np.unique(pixels[..., :3].reshape(-1, 3), axis=0)
        named = ", ".join("#{:02x}{:02x}{:02x}".format(*color) for color in found[:_MOST_COLORS_NAMED])
        raise InputError(f"{file} is in color: for a mask say which colors are the structure (there are {named}).")
    return pixels[..., 0]
