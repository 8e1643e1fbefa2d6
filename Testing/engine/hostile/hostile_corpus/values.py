"""Files that are whole, and whose values are wrong."""

from __future__ import annotations

import json
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, JPEGLSLossless, RLELossless

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.dicom import Edit, at, everywhere, series, without
from hostile_corpus.scene import labels, save
from hostile_corpus.segmentations import RIGHT, plane
from hostile_corpus.spoiling import Spoil, array, arrays, json_values, linked, pipe, replaced, text
from hostile_corpus.training_sets import DAMAGED, evaluated, signed, synthesized, trained

# DICOM


def with_table(number: int, header: Dataset) -> None:
    """A modality LUT instead of a rescale."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4, 0, 16])
    table.add_new("LUTData", "OW", bytes(8))
    table.ModalityLUTType = "HU"
    header.ModalityLUTSequence = Sequence([table])
    del header.RescaleSlope, header.RescaleIntercept


def only(place: int, edit: Edit) -> Edit:
    """Edit one slice alone."""
    return lambda number, header: edit(number, header) if number == place else None


def pixels(change: Callable[[bytes], bytes]) -> Edit:
    def edit(number: int, header: Dataset) -> None:
        header.PixelData = change(header.PixelData)

    return edit


def syntax_over_raw(uid: str) -> Edit:
    """Say that pixels are compressed, and leave them as they are."""

    def edit(number: int, header: Dataset) -> None:
        content = header.PixelData
        header.PixelData = pydicom.encaps.encapsulate([content])
        header["PixelData"].is_undefined_length = True
        header.file_meta.TransferSyntaxUID = uid

    return edit


def rewritten(change: Callable[[bytes], bytes], edit: Edit | None = None) -> Callable[[Place], Arguments]:
    """Change the bytes of one slice, in ways that pydicom would not write."""

    def build(place: Place) -> Arguments:
        arguments = series(edit or everywhere())(place)
        file = place.folder / "series" / "IM007"
        content = file.read_bytes()
        changed = change(content)
        assert changed != content
        file.write_bytes(changed)
        return arguments

    return build


def renamed(old: str, new: str) -> Callable[[bytes], bytes]:
    """Another transfer syntax, at the length of the old one."""
    width = len(old) + len(old) % 2
    return lambda content: content.replace(old.ljust(width, "\0").encode(), new.ljust(width, "\0").encode(), 1)


def packed(change: Edit | None = None) -> Edit:
    """Slices in run lengths, whose headers are changed afterwards."""

    def edit(number: int, header: Dataset) -> None:
        header.compress(RLELossless, encoding_plugin="pydicom")
        if change:
            change(number, header)

    return edit


def jpeg(kind: str, change: Edit) -> Edit:
    """Slices in a JPEG of ITK's, whose headers are changed afterwards."""

    def edit(number: int, header: Dataset) -> None:
        stored = np.frombuffer(header.PixelData, np.int16).reshape(header.Rows, header.Columns)
        writer = sitk.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.UseCompressionOn()
        writer.SetCompressor(kind)
        with tempfile.TemporaryDirectory() as folder:
            writer.SetFileName(str(Path(folder, "slice.dcm")))
            writer.Execute(sitk.GetImageFromArray(stored[None]))
            written = pydicom.dcmread(Path(folder, "slice.dcm"))
        header.file_meta.TransferSyntaxUID = written.file_meta.TransferSyntaxUID
        header.PixelData = written.PixelData
        header["PixelData"].VR, header["PixelData"].is_undefined_length = "OB", True
        change(number, header)

    return edit


def element(group: int, number: int, kind: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, kind, len(value)) + value


PIXELS = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 2 * 40 * 40)[:4]
SAYS_COMPRESSED = "should be compressed, and are not"
WRONG, COLOR, TABLE = "The header of .* is wrong", "is a color image", "looked up in a table"
SHORT, OTHERS = "is cut off", "are others than its header says|cannot be read as a volume|does not lie on the grid"

_DICOM = {
    "a modality table": (series(with_table), TABLE),
    "a modality table in one slice": (series(only(7, with_table)), TABLE),
    "a palette": (series(everywhere(PhotometricInterpretation="PALETTE COLOR")), COLOR),
    "brightness and colors in one sample": (series(everywhere(PhotometricInterpretation="YBR_FULL")), COLOR),
    "RGB of one sample in one slice": (series(at(7, PhotometricInterpretation="RGB")), COLOR),
    "nothing of its meaning": (series(without("PhotometricInterpretation")), COLOR),
    "intercept 40,000 in one slice": (series(at(7, RescaleIntercept="40000")), "moved by 40000"),
    "intercept -10⁶ in one slice": (series(at(7, RescaleIntercept="-1000000")), "moved by -1e"),
    "intercept infinite": (series(at(7, RescaleIntercept="1e400")), "moved by inf|cannot be read"),
    "slope 500 in one slice": (series(at(7, RescaleSlope="500")), "which cannot be HU"),
    "slope 10⁵ in one slice": (series(at(7, RescaleSlope="100000")), "scaled by 100000"),
    "slope 10⁻³⁰ in one slice": (series(at(7, RescaleSlope="1e-30")), "scaled by 1e-30"),
    "slope 0 in one slice": (series(at(7, RescaleSlope="0")), "scaled by 0"),
    "two slopes": (series(at(7, RescaleSlope=["1", "2"])), "cannot be read"),
    "8 bits over 16 in one slice": (series(at(7, BitsAllocated=8, BitsStored=8, HighBit=7)), WRONG),
    "32 bits over 16 in one slice": (series(at(7, BitsAllocated=32, BitsStored=32, HighBit=31)), SHORT),
    "12 bits allocated": (series(at(7, BitsAllocated=12, BitsStored=12, HighBit=11)), WRONG),
    "more bits stored than allocated": (series(at(7, BitsStored=17, HighBit=16)), WRONG),
    "no bit stored": (series(at(7, BitsStored=0, HighBit=65535)), WRONG),
    "the value in the upper bits": (series(everywhere(BitsStored=12, HighBit=15)), WRONG),
    "no bits said": (series(without("BitsStored")), "cannot be read as DICOM"),
    "no sign said": (series(without("PixelRepresentation")), "cannot be read as DICOM"),
    "a third kind of sign": (series(at(7, PixelRepresentation=2)), "have a sign"),
    "unsigned over signed in one slice": (series(at(7, PixelRepresentation=0)), "which cannot be HU"),
    "half the pixels in one slice": (series(only(7, pixels(lambda c: c[: len(c) // 2]))), SHORT),
    "two bytes too few": (series(only(7, pixels(lambda c: c[:-2]))), SHORT),
    "no byte of pixels": (series(only(7, pixels(lambda c: b""))), SHORT + "|cannot be read"),
    "a row too many": (series(only(7, pixels(lambda c: c + bytes(200)))), "bytes of pixels where"),
    "twice the pixels": (series(only(7, pixels(lambda c: c * 2))), "bytes of pixels where"),
    "JPEG said of raw pixels": (
        rewritten(renamed("1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5")),
        SAYS_COMPRESSED,
    ),
    "a JPEG of raw pixels": (series(only(7, syntax_over_raw(JPEGLosslessSV1))), "cannot be read as a volume"),
    "a JPEG 2000 of raw pixels": (series(only(7, syntax_over_raw(JPEG2000Lossless))), "cannot be read as a volume"),
    "a JPEG-LS of raw pixels": (series(only(7, syntax_over_raw(JPEGLSLossless))), "cannot be read as a volume"),
    "run lengths of raw pixels": (series(only(7, syntax_over_raw(RLELossless))), OTHERS),
    "raw said of run lengths": (
        rewritten(renamed("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.1"), packed()),
        "compressed, and should not be",
    ),
    "big endian said of little": (
        rewritten(lambda c: c.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0", 1)),
        "cannot be read as DICOM|is wrong|hold no images|is cut off",
    ),
    "a byte 0 in the transfer syntax": (
        rewritten(renamed("1.2.840.10008.1.2.1", "1.2.840.1\0008.1.2.1")),
        "transfer syntax is",
    ),
    "a class of images as the transfer syntax": (
        rewritten(renamed("1.2.840.10008.1.2.1", "1.2.840.10008.1.1")),
        "transfer syntax is",
    ),
    "a private transfer syntax": (
        rewritten(renamed("1.2.840.10008.1.2.1", "1.2.276.0.7230010.3")),
        "transfer syntax is",
    ),
    "run lengths of other pixels": (series(packed(at(7, BitsAllocated=8, BitsStored=8, HighBit=7))), OTHERS),
    "JPEG of 16 bits, 8 said": (series(jpeg("JPEG", at(7, BitsAllocated=8, BitsStored=8, HighBit=7))), OTHERS),
    "JPEG of 16 bits, 32 said": (series(jpeg("JPEG", at(7, BitsAllocated=32, BitsStored=32, HighBit=31))), OTHERS),
    "JPEG 2000 of 16 bits, 8 said": (series(jpeg("JPEG2000", at(7, BitsAllocated=8, BitsStored=8, HighBit=7))), OTHERS),
    "JPEG 2000 of 16 bits, 32 said": (
        series(jpeg("JPEG2000", at(7, BitsAllocated=32, BitsStored=32, HighBit=31))),
        OTHERS,
    ),
    "JPEG of fewer rows": (series(jpeg("JPEG", everywhere(Rows=48))), OTHERS),
    "JPEG of more rows": (series(jpeg("JPEG", everywhere(Rows=16))), OTHERS),
    "JPEG 2000 of fewer rows": (series(jpeg("JPEG2000", everywhere(Rows=48))), OTHERS),
    "JPEG 2000 of fewer columns and more rows": (series(jpeg("JPEG2000", everywhere(Rows=64, Columns=16))), OTHERS),
    "run lengths cut off": (
        rewritten(lambda c: c[:-600], packed()),
        "cannot be read as|cut off|others than its header",
    ),
    "run lengths and a table": (series(packed(with_table)), TABLE),
    "run lengths with intercept 40,000": (series(packed(at(7, RescaleIntercept="40000"))), "moved by 40000"),
    "run lengths, unsigned over signed": (series(packed(at(7, PixelRepresentation=0))), "which cannot be HU"),
    "a table hidden before its place": (
        rewritten(
            lambda c: c.replace(
                b"\x28\x00\x02\x00US",
                struct.pack("<HH2sHI", 0x0028, 0x3000, b"SQ", 0, 0) + b"\x28\x00\x02\x00US",
                1,
            )
        ),
        f"{TABLE}|cannot be read as DICOM",
    ),
    "a slope behind the usual place": (
        rewritten(lambda c: c.replace(PIXELS, element(0x0028, 0x1053, b"DS", b"90000 ") + PIXELS, 1)),
        "scaled by 90000",
    ),
}

# Planes

IDENTITY = "[1,0,0,{}],[0,1,0,0],[0,0,1,0],[{}]"


def shown(moved: str = "0", last: str = "0,0,0,1", times: int = 0) -> Callable[[Place], Arguments]:
    """A plane whose position or last row is written so; with ``times`` a list, the first ones right."""
    matrix = f"[{IDENTITY.format(moved, last)}]"
    right = f"[{IDENTITY.format('0', '0,0,0,1')}]"
    return plane(f"[{','.join([right] * (times - 1) + [matrix])}]" if times else matrix)


def plane_file(make: Callable[[Path], object]) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path("plane.json")
        make(path)
        return prepare(place, save(place.path("mask.nii.gz"), RIGHT), None, "--plane", str(path))

    return build


def asked_plane(value: object) -> Callable[[Place], Arguments]:
    """A plane in a request for a preparation, as the panel writes it."""

    def build(place: Place) -> Arguments:
        request = {
            "schema": "topogan.prepare-request/1",
            "sources": [{"segmentations": [str(save(place.path("mask.nii.gz"), labels()))], "plane": value}],
            "settings": {},
        }
        place.path("job/request.json").write_text(json.dumps(request), encoding="utf-8")
        job = ["--prepare", str(place.folder / "job"), "--part", "masks"]
        return ["train", str(place.folder / "set"), str(place.out), *job]

    return build


def sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    return make


POSITION, ROW, UNREADABLE = "no place in a patient", "The last row of a matrix", "cannot be read"
MATRIX = np.eye(4).tolist()

_PLANES = {
    "position NaN": (shown("NaN"), POSITION),
    "position infinite": (shown("Infinity"), POSITION),
    "position 10⁹⁹⁹": (shown("1e999"), POSITION),
    "position 100 km away": (shown("1e8"), POSITION),
    "position null": (shown("null"), UNREADABLE),
    "position a text": (shown('"7"'), UNREADABLE),
    "last row of zeros": (shown(last="0,0,0,0"), ROW),
    "last row of perspective": (shown(last="0,0,0.5,1"), ROW),
    "last row NaN": (shown(last="0,0,0,NaN"), ROW),
    "last row null": (shown(last="0,0,0,null"), UNREADABLE),
    "last row scaled": (shown(last="0,0,0,2"), ROW),
    "the second of two with a position NaN": (shown("NaN", times=2), POSITION),
    "stored by columns": (plane("[[1,0,0,0],[0,1,0,0],[0,0,1,0],[5,6,7,1]]"), ROW),
    "axes null": (plane("[[null,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]"), UNREADABLE),
    "an object": (plane('{"plane": 1}'), UNREADABLE),
    "null": (plane("null"), UNREADABLE),
    "a truth": (plane("true"), UNREADABLE),
    "a pipe": (plane_file(os.mkfifo), UNREADABLE),
    "an endless device": (plane_file(lambda path: path.symlink_to("/dev/zero")), UNREADABLE),
    "a terminal of nothing": (plane_file(lambda path: path.symlink_to("/dev/null")), UNREADABLE),
    "a folder": (plane_file(Path.mkdir), UNREADABLE),
    "8 GB of nothing": (plane_file(sparse(8 << 30)), UNREADABLE),
    "2 MB of matrices": (plane(json.dumps([MATRIX] * 30_000)), UNREADABLE),
    "asked for with NaN": (asked_plane([[1, 0, 0, float("nan")], *MATRIX[1:]]), POSITION),
    "asked for with null": (asked_plane([[1, 0, 0, None], *MATRIX[1:]]), UNREADABLE),
    "asked for with a wrong last row": (asked_plane([*MATRIX[:3], [0, 0, 1, 1]]), ROW),
}

# Training sets

JSON, TABLE_FILE, DIAGRAMS = "dataset.json", "slices.csv", "diagrams.npz"
CHANGED = "were changed since it was made"


def flipped(name: str) -> Spoil:
    """Change the last byte."""

    def spoil(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    return spoil


def longer(name: str) -> Spoil:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + bytes(64))


def first(name: str, value: float) -> Spoil:
    """Replace the first entry of an array of the diagrams."""

    def spoil(folder: Path) -> None:
        with np.load(folder / DIAGRAMS) as stored:
            values = stored[name].astype(float) if np.isnan(value) else stored[name]
        values[0] = value
        arrays(DIAGRAMS, **{name: values})(folder)

    return spoil


def without_holes(folder: Path) -> None:
    """All holes are components."""
    with np.load(folder / DIAGRAMS) as stored:
        dimension = 0 * stored["dimension"]
    arrays(DIAGRAMS, dimension=dimension)(folder)


def resumed(*spoils: Spoil) -> Callable[[Place], Arguments]:
    """A stopped run, whose training set is spoiled meanwhile."""

    def build(place: Place) -> Arguments:
        folder, run = place.copy("training_set"), place.copy("run")
        for spoil in spoils:
            spoil(folder)
        return ["resume", str(run), "--dataset", str(folder)]

    return build


def grown(name: str, size: int) -> Spoil:
    return lambda folder: os.truncate(folder / name, size)


def table(content: Callable[[], str]) -> Spoil:
    return lambda folder: (folder / TABLE_FILE).write_text(content(), encoding="utf-8")


HEADER = "row,patient,phase,level,split,area_mm2,b0,b1"
LINE = "0,patient_001,0,0.5,train,9,1,1\n"
NONSENSE, ANOTHER = "do not fit together", "is that of another one"

_SETS = {
    "a bit of the masks turned": (trained(flipped("masks.npy")), CHANGED),
    "a bit of the images turned": (trained(flipped("images.npy")), CHANGED),
    "a patient renamed": (trained(replaced(TABLE_FILE, "patient_002", "patient_003")), CHANGED),
    "content hash of nothing": (trained(json_values(JSON, content_hash="0" * 64)), CHANGED),
    "content hash empty": (trained(json_values(JSON, content_hash="")), CHANGED),
    "named as the schema before": (trained(json_values(JSON, schema="topogan.training-set/1")), CHANGED),
    "masks exchanged": (trained(array("masks.npy", np.ones((24, 64, 64), np.uint8))), CHANGED),
    "masks with a tail": (trained(longer("masks.npy")), r"masks\.npy cannot be read"),
    "masks by columns": (trained(array("masks.npy", np.ones((24, 64, 64), np.uint8, order="F"))), DAMAGED),
    "images of the other byte order": (trained(array("images.npy", np.zeros((24, 64, 64), ">i2"))), DAMAGED),
    "evaluated, a bit of the masks turned": (evaluated(flipped("masks.npy")), CHANGED),
    "synthesized, a bit of the masks turned": (synthesized(flipped("masks.npy")), CHANGED),
    "resumed, a bit of the masks turned": (resumed(flipped("masks.npy")), CHANGED),
    "resumed, a bit of the images turned": (resumed(flipped("images.npy")), CHANGED),
    "resumed, changed and signed": (resumed(flipped("masks.npy"), signed), "is not the training set"),
    "resumed, a patient renamed and signed": (
        resumed(replaced(TABLE_FILE, "patient_002", "patient_003"), signed),
        "is not the training set",
    ),
    "resumed, diagrams NaN": (resumed(first("birth", np.nan)), NONSENSE),
    "modal topology of no mask": (trained(json_values(JSON, betti__modal=[7, 3])), "betti.modal"),
    "modal topology beyond measure": (trained(json_values(JSON, betti__modal=[10**9, 0])), "betti.modal"),
    "modal topology of fractions": (trained(json_values(JSON, betti__modal=[1.5, 1])), "betti.modal"),
    "resumed, modal topology of no mask": (resumed(json_values(JSON, betti__modal=[0, 0])), "betti.modal"),
    "births NaN": (trained(first("birth", np.nan)), NONSENSE),
    "deaths NaN": (trained(first("death", np.nan)), NONSENSE),
    "deaths before births": (trained(first("death", -1.0)), NONSENSE),
    "births after deaths": (trained(first("birth", np.inf), first("death", 3.0)), NONSENSE),
    "births negative": (trained(first("birth", -5.0)), ANOTHER),
    "births infinite": (trained(first("birth", np.inf)), ANOTHER),
    "births -infinite": (trained(first("birth", -np.inf)), ANOTHER),
    "classes of dimension 2": (trained(first("dimension", 2)), NONSENSE),
    "classes of dimension NaN": (trained(first("dimension", np.nan)), NONSENSE),
    "pixels NaN": (trained(first("birth_index", np.nan)), NONSENSE),
    "components for holes": (trained(without_holes), ANOTHER),
    "table of 8 GB of nothing": (trained(grown(TABLE_FILE, 8 << 30)), "larger than that of any set"),
    "table of 12 million lines": (trained(table(lambda: f"{HEADER}\n" + "0\n" * 12_000_000)), "a line of slices.csv"),
    "table of a million lines": (trained(table(lambda: f"{HEADER}\n" + LINE * 10**6)), "count differently"),
    "table of 3 million right lines": (trained(table(lambda: f"{HEADER}\n" + LINE * 3 * 10**6)), "larger than that"),
    "table of a million columns": (trained(table(lambda: f"{HEADER}{',x' * 10**6}\n{LINE}")), "1000008 columns"),
    "table of one endless line": (trained(table(lambda: "x" * 10**7)), "slices.csv cannot be read"),
    "table with a million columns in a line": (
        trained(table(lambda: f"{HEADER}\n0{',x' * 10**6}\n")),
        "lacks something",
    ),
    "table of empty lines": (trained(table(lambda: f"{HEADER}\n" + "\n" * 10**7)), "lacks something"),
    "table an endless device": (trained(linked(TABLE_FILE, "/dev/zero")), "no file, or larger"),
    "table a pipe, resumed": (resumed(pipe(TABLE_FILE)), "no file, or larger"),
    "table in UTF-16": (trained(text(TABLE_FILE, f"{HEADER}\n{LINE}".encode("utf-16"))), "cannot be read|lacks"),
    "counts of 10⁹ slices": (trained(json_values(JSON, counts__total=10**9, counts__train=10**9)), "counts.total"),
    "masks of 60 GB of nothing": (trained(grown("masks.npy", 60 << 30)), r"masks\.npy cannot be read"),
}

CASES = [
    Case(f"{kind}: {name}", build, says)
    for kind, cases in (("DICOM values", _DICOM), ("plane values", _PLANES), ("training set values", _SETS))
    for name, (build, says) in cases.items()
]
