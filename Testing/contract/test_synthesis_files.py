"""What a synthesis folder of slices and one of volumes hold, and how large they can be."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from topogan_contract.diagrams import DIAGRAM_ARRAYS, diagrams_fit_together
from topogan_contract.stacks import Segment, read_stack, stack_header
from topogan_contract.synthesis import (
    MOST_PIXELS,
    axes_of,
    mask_file,
    real_column,
    region_columns,
    size_column,
    texture_file,
    volumes_of,
)


def test_files_of_a_volume_sort_as_they_are_numbered() -> None:
    assert (mask_file(7), texture_file(7)) == ("volumes/00007_mask.seg.nrrd", "volumes/00007_texture.nrrd")
    assert sorted(map(mask_file, (10, 9, 99_999))) == [mask_file(9), mask_file(10), mask_file(99_999)]


def test_columns_have_a_number_for_each_axis_and_the_verdict_last() -> None:
    assert region_columns("atrium") == ("b0 atrium", "b1 atrium", "verdict atrium")
    assert region_columns("atrium", 3) == ("b0 atrium", "b1 atrium", "b2 atrium", "verdict atrium")
    assert (size_column("atrium"), size_column("atrium", 3)) == ("area_mm2 atrium", "volume_ml atrium")
    assert real_column("atrium") == "real % atrium"


def test_a_volume_is_read_as_it_was_written(tmp_path: Path) -> None:
    segments = (Segment("atrium", 1, "#e69f00"),)
    voxels = np.arange(32**3, dtype=np.uint8) % 2
    path = tmp_path / "00000_mask.seg.nrrd"
    path.write_bytes(stack_header("|u1", (32,) * 3, 3.4, "A synthetic volume.", segments) + gzip.compress(voxels))
    found = read_stack(path)
    assert (found.size, found.origin, found.segments) == ((32, 32, 32), (0.0, 0.0, 0.0), segments)
    assert np.array_equal(found.axes, np.eye(3) * 3.4) and found.data == voxels.tobytes()


@pytest.mark.parametrize(("report", "axes"), [({}, 2), ({"axes": 2}, 2), ({"axes": 3}, 3)])
def test_reports_of_slices_need_not_say_so(report: dict[str, Any], axes: int) -> None:
    assert axes_of(report) == axes


@pytest.mark.parametrize("axes", [None, True, 1, 4, 3.0, "3", [3]])
def test_other_axes_are_refused(axes: object) -> None:
    with pytest.raises(ValueError, match="2 or 3"):
        axes_of({"axes": axes})


def test_a_folder_holds_so_many_volumes() -> None:
    most = MOST_PIXELS // 32**3
    assert volumes_of({"count": most, "size": 32}) == (most, 32)
    for count, size in ((most + 1, 32), (0, 32), (-1, 32), (True, 32), (1, 33), (1, 10**9), (1, None), ("1", 32)):
        with pytest.raises(ValueError, match="volumes"):
            volumes_of({"count": count, "size": size})


@pytest.mark.parametrize(("width", "axes", "fit"), [(2, 2, True), (3, 3, True), (2, 3, False), (3, 2, False)])
def test_diagrams_of_slices_are_none_of_volumes(width: int, axes: int, fit: bool) -> None:
    arrays = dict.fromkeys(DIAGRAM_ARRAYS, np.zeros(4))
    arrays |= {"dimension": np.zeros(4, int), "birth_index": np.zeros((4, width), int)}
    arrays["death_index"] = arrays["birth_index"]
    assert diagrams_fit_together(arrays, np.array([1, 3]))
    assert diagrams_fit_together(arrays, np.array([1, 3]), axes) == fit
