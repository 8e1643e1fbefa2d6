"""``topogan prepare --cases``: a table of images, labels, patients and phases."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.cli import run
from topogan.dataset import case_table
from topogan.dataset.case_table import read_cases
from topogan.errors import InputError

pytestmark = pytest.mark.usefixtures("no_previews")

HEADER = "image,label,patient,phase\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six small segmentations with their images."""
    row, column = np.indices((24, 24)) - 11.5
    distance = np.hypot(row, column)
    for number in range(6):
        ring = (distance < 6 + number) & (distance >= 3)
        labels = np.repeat(ring[None], 12, axis=0).astype(np.uint8)
        sitk.WriteImage(sitk.GetImageFromArray(labels), tmp_path / f"m{number}.nii.gz")
        scan = np.where(labels, 300, -100).astype(np.int16)
        sitk.WriteImage(sitk.GetImageFromArray(scan), tmp_path / f"c{number}.nii.gz")
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def line(number: int, patient: str, phase: str = "") -> str:
    return f"c{number}.nii.gz,m{number}.nii.gz,{patient},{phase}\n"


def test_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the table, not to where the command runs; a patient's files go by their phase."""
    rows = [line(0, "MRN-9", "7"), line(1, "MRN-2"), line(2, "MRN-9", "3"), line(3, "MRN-5"), line(4, "MRN-5")]
    write(folder, HEADER + "".join(rows))
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert run(["prepare", "set", "--cases", "../t.csv", "--minimum-area", "20", "--pixel-size", "1"]) == 0
    with Path("set/slices.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["patient"], int(row["phase"])): float(row["area_mm2"]) for row in csv.DictReader(file)}
    assert list(found) == [
        ("patient_001", 0),
        ("patient_001", 1),
        ("patient_002", 0),
        ("patient_003", 0),
        ("patient_003", 1),
    ]
    assert found["patient_001", 1] < found["patient_002", 0] < found["patient_001", 0], "phase 3 comes before 7"
    assert not [path for path in Path("set").iterdir() if b"MRN" in path.read_bytes()]


def test_spreadsheets_write_it_in_their_ways(folder: Path) -> None:
    """A byte order mark, semicolons, line ends of Windows, columns in another order, quotes, blank lines."""
    text = 'Patient;Label ;image\r\n1;m0.nii.gz;\r\n;;\r\n\r\n"1";"m1.nii.gz";\r\n'
    found = read_cases(write(folder, text.encode("utf-8-sig")))
    assert [path.name for path in found.segmentations] == ["m0.nii.gz", "m1.nii.gz"]
    assert found.images == []
    assert found.patients[0] == found.patients[1]


def test_planes_go_with_their_lines(folder: Path) -> None:
    planes = [np.diag([float(number), 1, 1, 1]) for number in range(3)]
    text = HEADER + line(0, "a", "2") + line(1, "b") + line(2, "a", "1")
    found = read_cases(write(folder, text), list(planes))
    assert [path.name for path in found.images] == ["c2.nii.gz", "c0.nii.gz", "c1.nii.gz"]
    assert [plane[0, 0] for plane in found.planes if plane is not None] == [2, 0, 1]
    with pytest.raises(InputError, match="3 planes for 2 volumes"):
        read_cases(write(folder, HEADER + line(0, "a") + line(1, "b")), list(planes))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv is empty: begin it with the line image,label,patient,phase."),
        (" \n\n", "is empty"),
        (HEADER, "t.csv has no line below its header: name a segmentation in each."),
        (line(0, "a"), "t.csv has no header: begin it with the line image,label,patient,phase."),
        ("image,label\n", "has no column patient: add it."),
        ("label,patient\nm0.nii.gz,a\n", "has no column image: add it, which may be empty."),
        ("image,label,patient,sex\n", "The column 'sex' of .* is none of image, label, patient, phase: leave it out"),
        ("image,label,patient,label\n", "has the column label twice: leave one out."),
        (HEADER + "c0.nii.gz,m0.nii.gz,a\n", "Line 2 of .* has 3 columns, and the first has 4"),
        (HEADER + line(0, "a") + "c1.nii.gz,,a,\n", "Line 3 of .* has no label: fill it in."),
        (HEADER + line(0, ""), "Line 2 of .* has no patient: fill it in."),
        (HEADER + line(0, "x" * 201), "a patient of more than 200 letters"),
        (HEADER + line(0, "a") + ",m1.nii.gz,b,\n", "Line 3 of .* has no image, and other lines have one"),
        (
            HEADER + line(0, "a") + line(7, "a"),
            r"In line 3 of .*: .*c7\.nii\.gz does not exist: .*; paths are relative",
        ),
        (HEADER + line(0, "a") + line(0, "b"), r"Line 3 of .* names .*c0\.nii\.gz, which stands in line 2 as well"),
        (HEADER + "m0.nii.gz,./m0.nii.gz,a,\n", "Line 2 of .* which is image and label at once"),
        (HEADER + line(0, "a", "1") + line(1, "a", "01"), "Line 3 of .* has the phase 1 of the same patient as line 2"),
        (HEADER + line(0, "a", "1") + line(1, "a"), "Line 3 of .* some lines have a phase and some have none"),
        (HEADER + line(0, "a") + line(1, "a", "1"), "Line 3 of .* some lines have a phase and some have none"),
        (HEADER + line(0, "a", "-1"), "has the phase '-1': write 0, 1, 2"),
        (HEADER + line(0, "a", "½"), "has the phase"),
        (HEADER + line(0, "a", "9" * 5000), "has the phase"),
        (HEADER + f"{'x' * 5000},m0.nii.gz,a,\n", "cannot be opened"),
        (HEADER.encode() + b"c0.nii.gz,m0.nii.gz,M\xfcller,\n", "is not in UTF-8: save it as CSV in UTF-8."),
        (HEADER.encode("utf-16"), "is not in UTF-8"),
        (HEADER + "c0\0.nii.gz,m0.nii.gz,a,\n", "holds zero bytes"),
        (HEADER + '"c0.nii.gz,m0.nii.gz,a,\n', "cannot be read as CSV"),
        (HEADER + "x" * 200_000 + ",m0.nii.gz,a,\n", "cannot be read as CSV"),
        (HEADER + " " * (17 << 20), "too large for a table of cases"),
    ],
)
def test_a_bad_table_is_one_sentence(
    folder: Path, text: str | bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(folder, text)
    with pytest.raises(InputError, match=said):
        read_cases(path)
    assert run(["prepare", str(folder / "set"), "--cases", str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (folder / "set").exists()


def test_a_table_of_too_many_lines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_table, "_MOST_ROWS", 2)
    assert len(read_cases(write(folder, HEADER + line(0, "a") + line(1, "b"))).segmentations) == 2
    with pytest.raises(InputError, match=r"has more than 2 lines: divide it\."):
        read_cases(write(folder, HEADER + line(0, "a") * 3))


def test_what_is_no_table_at_all(folder: Path) -> None:
    for path in (folder, folder / "nothing.csv"):
        with pytest.raises(InputError, match=r"no file|does not exist"):
            read_cases(path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.csv")
        with pytest.raises(InputError, match="no file"):
            read_cases(folder / "pipe.csv")


def test_one_way_to_name_volumes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write(folder, HEADER + line(0, "a"))
    assert run(["prepare", str(folder / "set"), "--cases", str(table), "-s", str(folder / "m0.nii.gz")]) == 2
    assert "leave -s and -c out" in capsys.readouterr().err
    assert run(["prepare", str(folder / "set")]) == 2
    assert "name files or folders with -s, or a table with --cases" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["prepare", "demo"])
def test_a_file_that_is_named_twice_would_be_two_patients(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the same name, by a link to it, and in a folder beside it."""
    mask, link = folder / "m0.nii.gz", folder / "links" / "other.nii.gz"
    link.parent.mkdir()
    link.symlink_to(mask)
    for again in (mask, folder / "links" / ".." / mask.name, link, link.parent):
        assert run([command, str(folder / "set"), "-s", str(mask), "-s", str(again)]) == 2
        said = capsys.readouterr().err
        assert said.endswith("is given twice: give each file once, or parts of it would be its own test.\n")
        assert not (folder / "set").exists()
    image = str(folder / "c0.nii.gz")
    pairs = ["-s", str(mask), "-s", str(folder / "m1.nii.gz"), "-c", image, "-c", image]
    assert run([command, str(folder / "set"), *pairs]) == 2
    assert f"{image} is given twice" in capsys.readouterr().err
