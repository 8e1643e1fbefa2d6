"""The header of a stack or a volume: what its labels mean stands in it, and is read literally or not at all."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from topogan_contract.stacks import Segment, read_stack, stack_header

SEGMENTS = (
    Segment("myocardium", 1, "#e69f00", "list~SCT^85756007^Tissue~^^~^^~codes~^^~^^"),
    Segment("Höhle \\ left: 100 %", 2, "#56b4e9"),
)
DATA = bytes([0, 1, 2, 1, 0, 2])


def write(folder: Path, header: bytes) -> Path:
    path = folder / "masks.nrrd"
    path.write_bytes(header + gzip.compress(DATA))
    return path


def header(*segments: Segment) -> bytes:
    return stack_header("|u1", (3, 2, 1), 1.5, "Independent samples.", segments)


def test_segments_are_read_as_they_were_written(tmp_path: Path) -> None:
    stack = read_stack(write(tmp_path, header(*SEGMENTS)))
    assert (stack.segments, stack.size, stack.data) == (SEGMENTS, (3, 2, 1), DATA)
    assert read_stack(write(tmp_path, header())).segments == ()


def test_slicer_sees_early_in_the_file_that_it_is_a_segmentation() -> None:
    """Its reader looks at the first 800 letters (qSlicerSegmentationsReader.cxx)."""
    assert b"Segment0_ID:=" in header(*SEGMENTS)[:800]


def test_the_largest_table_fits(tmp_path: Path) -> None:
    most = tuple(Segment("ä" * 59 + f"{n:x}", n, "#123456", "ö" * 1000) for n in range(1, 25))
    assert read_stack(write(tmp_path, header(*most))).segments == most


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Segment1_", b"Segment2_"),
        (b"_LabelValue:=2", b"_LabelValue:=1"),
        (b"_LabelValue:=2", b"_LabelValue:=999"),
        (b"_LabelValue:=2", b"_LabelValue:=0"),
        (b"_Layer:=0", b"_Layer:=1"),
        (b"_Extent:=0 2 0 1 0 0", b"_Extent:=0 9 0 9 0 9"),
        (b"_Color:=0.902", b"_Color:=1.902"),
        (b"_Name:=myocardium\n", b""),
        (b"\\\\", b"\\"),
        (b"Segment1_Name", b"Segment1_Extra:=1\nSegment1_Name"),
        (b"Segment0_ID", b"data file: /etc/passwd\nSegment0_ID"),
    ],
)
def test_other_keys_and_values_are_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    good = header(*SEGMENTS)
    assert old in good
    with pytest.raises(ValueError, match=r"segments|no stack"):
        read_stack(write(tmp_path, good.replace(old, new)))
