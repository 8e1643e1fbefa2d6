"""Whatever our reading of a volume accepts, ITK must read to the same array, spacing, origin and direction.

    python Testing/engine/hostile/differential.py                     # NIfTI, NRRD, MetaImage, 10 minutes each
    python Testing/engine/hostile/differential.py nrrd --minutes 60

Files are changed at random, headers line by line and byte by byte. ITK reads in a process of its own, which a file may
take down: ITK's refusal or crash is no finding, only another result than ours is. Exit code 1 if there are any; the
file is kept.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "TopoGANTrain")]

import numpy as np  # noqa: E402 - found by the lines before
import SimpleITK as sitk  # noqa: E402 - found by the lines before

from topogan.errors import InputError  # noqa: E402 - found by the lines before
from topogan.volumes import open_volume  # noqa: E402 - found by the lines before

_ITK = {".nii": "NiftiImageIO", ".gz": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}
_WORDS = b"""
0 1 -1 2 3 4 0.5 1.5 -2 1e3 1e30 nan inf short float uchar int double little big gzip raw text bzip2 LPS RAS
right-anterior-superior left-anterior-superior left-posterior-superior-time scanner-xyz True False LOCAL MET_SHORT
MET_FLOAT MET_LONG list domain time none ??? (1,0,0) (0,1,0) (0,0,1) (0,-2,0) mm cm um cell node 0x10 1,5 +1 1e0 1.0 03
1_0""".split()
_LINES = b"""spacings: 1 1 1
axis mins: 0 0 0
byte skip: 3
line skip: 1
centers: node node node
space units: "cm" "cm" "cm"
data file: base0.nrrd
measurement frame: (0,1,0) (1,0,0) (0,0,1)
thicknesses: 2 2 2
old min: 3
space dimension: 3
key:=value
HeaderSize = 3
ElementSize = 1 1 2
Position = 1 2 3
Orientation = 0 1 0 1 0 0 0 0 1
ElementByteOrderMSB = True
ElementNumberOfChannels = 2
ElementToIntensityFunctionSlope = 2
CompressedDataSize = 40""".split(b"\n")


def bases(kind: str, folder: Path) -> list[tuple[str, bytes]]:
    """Right files of a format: (name, unpacked content)."""
    random_numbers = np.random.default_rng(0)
    array = random_numbers.integers(-900, 1900, (3, 4, 5)).astype(np.int16)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((-12.0, 30.0, 7.5))
    turned = sitk.Image(image)
    turned.SetDirection((0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0))
    fractions = sitk.Cast(image, sitk.sitkFloat32) * 0.37
    series = sitk.JoinSeries([image, image + 5])
    found = []
    ending = {"nifti": ".nii", "nrrd": ".nrrd", "metaimage": ".mha"}[kind]
    for number, one in enumerate((image, turned, fractions, series, sitk.Cast(image, sitk.sitkUInt8))):
        for packed in (False, True):
            path = folder / f"base{number}{ending}{'.gz' if packed and kind == 'nifti' else ''}"
            sitk.WriteImage(one, str(path), useCompression=packed)
            content = path.read_bytes()
            found.append((path.name, gzip.decompress(content) if path.suffix == ".gz" else content))
    if kind == "nrrd":
        head = (
            "NRRD0005\ntype: short\ndimension: 4\nspace: {}\nsizes: {}\nspace directions: {}\nkinds: {}\nendian: {}\n"
        )
        head += "encoding: raw\n"
        head += "space origin: (-12,30,7.5)\n\n"
        directions = "(0,0.5,0) (0.75,0,0) (0,0,-3)"
        both = np.stack([array, array + 7])
        first = head.format("RAS", "2 5 4 3", f"none {directions}", "list domain domain domain", "big")
        last = head.format(
            "left-anterior-superior", "5 4 3 2", f"{directions} none", "domain domain domain list", "little"
        )
        found.append(
            ("first.nrrd", first.encode() + np.ascontiguousarray(np.moveaxis(both, 0, -1)).astype(">i2").tobytes())
        )
        found.append(("last.nrrd", last.encode() + both.tobytes()))
        plain = (
            "NRRD0001\ntype: uint8\ndimension: 3\nsizes: 5 4 3\nspacings: 1 2 3\nencoding: ascii\n\n" + "7 8 9 10 " * 15
        )
        found.append(("ascii.nrrd", plain.encode()))
    if kind == "nifti":
        import nibabel

        affine = np.array([[0, -0.75, 0, 3], [0.5, 0, 0, -4], [0, 0, 3.0, 9], [0, 0, 0, 1.0]])
        for maker in (nibabel.Nifti1Image, nibabel.Nifti2Image):
            one = maker(np.ascontiguousarray(array.T), affine)
            one.set_qform(affine)
            one.header.set_slope_inter(2.5, -10)
            path = folder / f"{maker.__name__}.nii"
            nibabel.save(one, path)
            content = bytearray(path.read_bytes())
            if maker is nibabel.Nifti1Image:
                content[112:120] = np.array([2.5, -10], "<f4").tobytes()
            found.append((path.name, bytes(content)))
    return found


def header_end(name: str, content: bytes) -> int:
    """Where the changes go most of the time."""
    if ".nii" in name:
        return 544
    return (content.find(b"\n\n") if name.endswith(".nrrd") else content.find(b"LOCAL")) + 8


def changed(name: str, content: bytes, dice: random.Random) -> bytes:
    """Change a file here and there."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        end = header_end(name, content)
        if ".nii" not in name and dice.random() < 0.8:
            content = _lines_changed(content[:end], dice) + content[end:]
            continue
        at = dice.randrange(max(1, min(end, len(content)) if dice.random() < 0.9 else len(content)))
        payload: bytes = dice.choice(
            [
                bytes([dice.randrange(256)]),
                np.float32(dice.choice([0, 1, -1, 0.5, 2, 1e30, np.nan])).tobytes(),
                np.int16(dice.choice([0, 1, 2, 3, 4, 5, 16, 32, 64, 256, 512, 768, -1])).tobytes(),
                np.float64(dice.choice([0, 1, 0.5, 3])).tobytes(),
            ]
        )
        keep = dice.random() < 0.9
        content = content[:at] + payload + content[at + (len(payload) if keep else 0) :]
    return content


def _lines_changed(header: bytes, dice: random.Random) -> bytes:
    lines = header.split(b"\n")
    at = dice.randrange(len(lines))
    line = lines[at]
    kind = dice.randrange(9)
    if kind == 0:
        lines.insert(dice.randrange(len(lines)), line)
    elif kind == 1:
        del lines[at]
    elif kind == 2 and line.split():
        words = line.split(b" ")
        words[dice.randrange(len(words))] = dice.choice(_WORDS)
        lines[at] = b" ".join(words)
    elif kind == 3:
        lines[at] = line.replace(
            dice.choice([b": ", b" = ", b":"]), dice.choice([b":", b"=", b" : ", b":=", b"\t", b"\t=\t"])
        )
    elif kind == 4:
        lines[at] = dice.choice(
            [line.upper(), line.lower(), line.title(), b" " + line, line + b" ", line + b"\r", b"#" + line]
        )
    elif kind == 5:
        lines.insert(dice.randrange(len(lines)), dice.choice(_LINES))
    elif kind == 6:
        other = dice.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 7 and line:
        place = dice.randrange(len(line))
        lines[at] = line[:place] + bytes([dice.randrange(256)]) + line[place + 1 :]
    elif line:
        place = dice.randrange(len(line))
        lines[at] = line[:place] + dice.choice(_WORDS) + line[place:]
    return b"\n".join(lines)


class Itk:
    """ITK in a process of its own, started again when a file has taken it down."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self.crashes = 0

    def read(self, path: Path) -> dict[str, Any] | None:
        """What ITK makes of a file: None where it refuses it, or ends."""
        if self._child is None or self._child.poll() is not None:
            self._child = subprocess.Popen(
                [sys.executable, __file__, "--itk"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(f"{path}\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            self._child.wait()
            self.crashes += 1
            return None
        return json.loads(answer)


def serve_itk() -> None:
    """The other process: a path a line in, a line of JSON out."""
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        try:
            reader = sitk.ImageFileReader()
            reader.SetImageIO(_ITK[path.suffix])
            reader.SetFileName(str(path))
            image = reader.Execute()
            array = sitk.GetArrayFromImage(image)
            np.save(path.with_suffix(".npy"), array)
            dimension = image.GetDimension()
            direction = np.array(image.GetDirection()).reshape(dimension, dimension)
            answer = {
                "components": image.GetNumberOfComponentsPerPixel(),
                "dimension": dimension,
                "spacing": image.GetSpacing()[:3],
                "origin": image.GetOrigin()[:3],
                "direction": direction[:3, :3].ravel().tolist(),
            }
        except (RuntimeError, MemoryError):
            answer = None
        print(json.dumps(answer), flush=True)


def compare(path: Path, itk: Itk) -> str | None:
    """Say how ITK's reading of a file differs from ours; nothing where it does not, or where one refuses it."""
    try:
        source = open_volume(path)
        phases = [volume.array for volume in source.volumes()]
    except InputError:
        return "refused"
    read = itk.read(path)
    # Of packed data whose size the header leaves out ITK 5.4 reads nothing, and returns what the memory held.
    unread = path.suffix == ".mha" and source.packed and b"\nCompressedDataSize = " not in path.read_bytes()
    if read is None or unread:
        return "itk refused"
    theirs = np.load(path.with_suffix(".npy"))
    ours = np.stack(phases)
    if read["components"] > 1:
        theirs = np.moveaxis(theirs, -1, 0)
    theirs = theirs.reshape(ours.shape) if theirs.size == ours.size else theirs
    if theirs.shape != ours.shape or not np.allclose(theirs, ours, rtol=1e-5, atol=1e-6, equal_nan=True):
        return f"differs: array {theirs.shape} {theirs.dtype} against {ours.shape} {ours.dtype}"
    geometry = source.geometry
    for name, value in (("spacing", geometry.spacing), ("origin", geometry.origin), ("direction", geometry.direction)):
        scale = 1.0 + float(np.abs(value).max())
        if not np.allclose(read[name], value, atol=2e-3 * scale):
            return f"differs: {name} {read[name]} against {value}"
    return None


def fuzz(kind: str, minutes: float, keep: Path, seed: int = 0) -> dict[str, Any]:
    """Change files of a format for some minutes; return what was seen."""
    dice, itk = random.Random(seed), Itk()
    seen: dict[str, Any] = {"files": 0, "accepted by both": 0, "refused": 0, "itk refused": 0, "findings": []}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        right = bases(kind, folder)
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            name, content = dice.choice(right)
            content = changed(name, content, dice)
            # One name for each ending: NIfTI's own library reads x.nii where x.nii.gz was asked for and both are there.
            path = folder / f"changed{name.count('.')}{''.join(Path(name).suffixes)}"
            path.write_bytes(gzip.compress(content, 1) if path.suffix == ".gz" else content)
            result = compare(path, itk)
            seen["files"] += 1
            seen[(result or "accepted by both").split(":")[0]] = (
                seen.get((result or "accepted by both").split(":")[0], 0) + 1
            )
            if result and result.startswith("differs"):
                keep.mkdir(exist_ok=True)
                kept = keep / f"{len(seen['findings']):03d}-{path.name}"
                shutil.copy(path, kept)
                seen["findings"].append(f"{kept}: {result}")
                if len(seen["findings"]) >= 20:
                    break
    seen["itk crashed"] = itk.crashes
    return seen


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formats", nargs="*", default=["nifti", "nrrd", "metaimage"])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("differential-findings"))
    parser.add_argument("--itk", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.itk:
        serve_itk()
        return 0
    bad = 0
    for kind in given.formats:
        seen = fuzz(kind, given.minutes, given.keep, given.seed)
        findings = seen.pop("findings")
        print(f"{kind}: {seen}", *findings, sep="\n  ", flush=True)
        bad += len(findings)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
