"""Regions of DICOM structure sets: drawn by the even-odd rule where they are, chosen by name or number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hostile_corpus.dicom import FRAME, right_series, write_series
from hostile_corpus.scene import ORIGIN, SPACING, image_of, labels, scan
from hostile_corpus.structure_sets import Contour, circle, structure_set, tube

from topogan.cli import run
from topogan.config import PrepareSettings
from topogan.errors import InputError
from topogan.files import write_json
from topogan.homology import betti_numbers
from topogan.training_set import TrainingSet
from topogan.volumes import RegionChoice, StructureSet, open_volume
from topogan_contract import schemas

pytestmark = pytest.mark.usefixtures("no_previews")

SHARED_DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "dicompyler_rtstruct"
RINGS = "CLOSED_PLANAR"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return right_series(tmp_path_factory.mktemp("ct") / "series")


def drawn(
    folder: Path,
    series: Path,
    regions: dict[str, list[Contour]],
    choice: RegionChoice = RegionChoice(),
    frame: str = FRAME,
) -> np.ndarray:
    """The voxels of a region: [slice, row, column]."""
    path = folder / "rtss.dcm"
    structure_set(regions, frame).save_as(path, enforce_file_format=True)
    (volume,) = StructureSet.open(path, open_volume(series), choice).volumes()
    return volume.array


def rectangle(low: float, high: float, slice_number: int = 5) -> np.ndarray:
    """Corners in voxels: from column and row ``low`` to ``high``."""
    corners = np.array([(low, low), (high, low), (high, high), (low, high)])
    place = ORIGIN[:2] + corners * SPACING[:2]
    return np.column_stack([place, np.full(4, ORIGIN[2] + SPACING[2] * slice_number)])


def test_voxels_whose_centers_lie_inside(tmp_path: Path, series: Path) -> None:
    """From 3.4 to 9.6: the centers of voxels 4 to 9, in rows and columns, in one slice alone."""
    inside = drawn(tmp_path, series, {"box": [(RINGS, rectangle(3.4, 9.6))]})
    expected = np.zeros_like(inside)
    expected[5, 4:10, 4:10] = 1
    np.testing.assert_array_equal(inside, expected)


def test_a_tube_is_where_it_was_drawn(tmp_path: Path, series: Path) -> None:
    contours = [(RINGS, circle(radius, number, points=720)) for number in range(40) for radius in (15.01, 7.51)]
    inside = drawn(tmp_path, series, {"tube": contours})
    row, column = np.indices((32, 32))
    distance = np.hypot(row - 16, column - 16) * SPACING[0]
    expected = (distance < 15.01) & (distance >= 7.51)
    np.testing.assert_array_equal(inside.astype(bool), np.broadcast_to(expected, inside.shape))


@pytest.mark.parametrize(
    ("radii", "betti"), [((15,), (1, 0)), ((15, 8), (1, 1)), ((20, 14, 7), (2, 1)), ((20, 15, 10, 5), (2, 2))]
)
def test_outlines_within_outlines_are_holes_and_islands(
    radii: tuple[int, ...], betti: tuple[int, int], tmp_path: Path, series: Path
) -> None:
    contours = [(RINGS, circle(radius, 5)) for radius in radii]
    assert betti_numbers(drawn(tmp_path, series, {"rings": contours})[5]) == betti
    # The order in which they are written does not matter, nor do the direction and the name of the kind.
    others = [("CLOSEDPLANAR_XOR", points[::-1]) for _, points in contours[::-1]]
    np.testing.assert_array_equal(
        drawn(tmp_path, series, {"rings": contours}), drawn(tmp_path, series, {"rings": others})
    )


def test_a_keyhole_is_a_hole(tmp_path: Path, series: Path) -> None:
    """Systems without inner contours cut a channel of no width to the hole."""
    outer, inner = circle(15, 5), circle(7, 5)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
    np.testing.assert_array_equal(
        drawn(tmp_path, series, {"ring": [(RINGS, keyhole)]}),
        drawn(tmp_path, series, {"ring": [(RINGS, outer), (RINGS, inner)]}),
    )


def test_what_lies_beside_the_slices_is_cut(tmp_path: Path, series: Path) -> None:
    half = drawn(tmp_path, series, {"half": [(RINGS, circle(15, 5, center=(0, 16)))]})
    whole = drawn(tmp_path, series, {"whole": [(RINGS, circle(15, 5))]})
    np.testing.assert_array_equal(half[5, :, :16], whole[5, :, 16:])
    beyond = [(RINGS, circle(15, number)) for number in (-3, 5, 200)]
    np.testing.assert_array_equal(drawn(tmp_path, series, {"beyond": beyond}), whole)


def test_the_ct_may_lie_any_way_in_space(tmp_path: Path) -> None:
    """A series in oblique planes, and contours in those planes: the same voxels."""
    angle = np.radians(20)
    row, column = np.array([np.cos(angle), np.sin(angle), 0]), np.array([0, 0, -1.0])
    normal = np.cross(row, column)

    def place(number: int, header) -> None:
        header.ImageOrientationPatient = [float(f"{value:.9f}") for value in (*row, *column)]
        header.ImagePositionPatient = [float(f"{value:.6f}") for value in ORIGIN + normal * SPACING[2] * number]

    series = write_series(tmp_path / "oblique", scan(labels()), place)
    index = (circle(15, 5) - ORIGIN) / SPACING
    points = ORIGIN + index * SPACING @ np.stack([row, column, normal])
    turned = drawn(tmp_path, series, {"disc": [(RINGS, points)]})
    straight = drawn(tmp_path, right_series(tmp_path / "straight"), {"disc": [(RINGS, circle(15, 5))]})
    np.testing.assert_array_equal(turned, straight)


REGIONS = {"Body": [(RINGS, rectangle(0.5, 30.5))], "LV Myo": tube(), "Fat": [(RINGS, rectangle(20.5, 25.5))]}


@pytest.mark.parametrize(
    ("choice", "same_as"),
    [
        (RegionChoice("lv myo "), ["LV Myo"]),
        (RegionChoice("LV Myo", (1,)), ["LV Myo"]),
        (RegionChoice("myocardium", (2,)), ["LV Myo"]),
        (RegionChoice("", (2,)), ["LV Myo"]),
        (RegionChoice("", (2, 3)), ["LV Myo", "Fat"]),
        (RegionChoice(), ["Body"]),
    ],
)
def test_regions_are_chosen_by_name_then_number(
    choice: RegionChoice, same_as: list[str], tmp_path: Path, series: Path
) -> None:
    found = drawn(tmp_path, series, REGIONS, choice)
    expected = np.any([drawn(tmp_path, series, {"one": REGIONS[name]}) for name in same_as], axis=0)
    np.testing.assert_array_equal(found, expected)


def test_a_misspelt_name_does_not_become_region_1(tmp_path: Path, series: Path) -> None:
    with pytest.raises(InputError, match="no region called 'LV Mio' but 1 'Body', 2 'LV Myo', 3 'Fat'"):
        drawn(tmp_path, series, REGIONS, RegionChoice("LV Mio"))


def test_several_regions_are_structures_in_the_order_asked(tmp_path: Path, series: Path) -> None:
    body, wall = (drawn(tmp_path, series, {"one": REGIONS[name]}) > 0 for name in ("Body", "LV Myo"))
    path = tmp_path / "all.dcm"
    structure_set(REGIONS).save_as(path, enforce_file_format=True)
    by_name = RegionChoice("lv myo", ()), RegionChoice("Atrium", ()), RegionChoice("BODY", ())
    found = StructureSet.open(path, open_volume(series), *by_name)
    (volume,) = found.volumes()
    np.testing.assert_array_equal(volume.array, np.where(wall, 1, 3 * body))
    assert found.overlaps == {(1, 3): np.count_nonzero(wall & body)}
    assert list(found.absent) == [2]


def test_another_frame_of_reference_has_to_be_accepted(tmp_path: Path, series: Path) -> None:
    other = FRAME + ".7"
    with pytest.raises(InputError, match="another frame of reference"):
        drawn(tmp_path, series, REGIONS, frame=other)
    assert drawn(tmp_path, series, REGIONS, RegionChoice(any_frame=True), other).any()


def test_a_training_set_of_contours_is_that_of_their_voxels(tmp_path: Path, series: Path) -> None:
    """Prepared from the structure set, and from the same region as a label map: the same to the pixel."""
    import SimpleITK as sitk

    voxels = drawn(tmp_path, series, {"tube": tube()})
    sitk.WriteImage(image_of(voxels.astype(np.uint8)), tmp_path / "mask.nii.gz")
    choice = ["--structure", "tube", "--ct", str(series)]
    assert run(["prepare", str(tmp_path / "one"), "-s", str(tmp_path / "rtss.dcm"), *choice]) == 0
    assert run(["prepare", str(tmp_path / "two"), "-s", str(tmp_path / "mask.nii.gz"), *choice]) == 0
    one, two = TrainingSet.open(tmp_path / "one"), TrainingSet.open(tmp_path / "two")
    np.testing.assert_array_equal(one.masks, two.masks)
    np.testing.assert_array_equal(one.images, two.images)
    assert one.modal_betti == ((1, 1),)


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="real data are not beside this checkout")
def test_a_real_structure_set(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One slice of a chest and its structure set: the body is prepared, and too little to train on."""
    ct = open_volume(SHARED_DATA)
    (body,) = StructureSet.open(SHARED_DATA / "rtss.dcm", ct, RegionChoice("body")).volumes()
    area = body.array.sum() * ct.geometry.spacing[0] ** 2 / 100
    assert 300 < area < 1200, "cm² of a chest"
    (scan_of_chest,) = ct.volumes()
    inside, outside = scan_of_chest.array[body.array > 0], scan_of_chest.array[body.array == 0]
    assert np.median(inside) > -500 > np.median(outside), "the contour surrounds the body and not the air"
    prepare = ["prepare", str(tmp_path / "out"), "-s", str(SHARED_DATA / "rtss.dcm"), "--ct", str(SHARED_DATA)]
    for choice, said in (
        (["--structure", "BODY"], "1 usable slice .* at least 16 and 1 are needed"),
        (["--label", "1"], "1 usable slice"),
        (["--structure", "Heart"], "No contour of the region 5 'Heart' .* lies on a slice"),
        (["--label", "2"], "The region 2 'Areola' .* has no contours"),
        (["--structure", "Herat"], "no region called 'Herat' but 1 'BODY', 2 'Areola'"),
    ):
        assert run([*prepare, *choice]) == 2
        assert re.search(said, capfd.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_default_name_of_a_structure_is_no_name_of_a_region() -> None:
    """The rule above rests on it: nobody calls a region so."""
    assert PrepareSettings().structure == "structure"


def test_context_that_is_drawn_around_a_structure_is_counted_as_overlapping(
    tmp_path: Path, series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    structure_set(REGIONS).save_as(tmp_path / "all.dcm", enforce_file_format=True)
    rows = [{"name": "LV Myo"}, {"name": "Body", "context": True}]
    write_json(tmp_path / "table.json", {"structures": rows}, schemas.STRUCTURES)
    words = ["prepare", str(tmp_path / "set"), "-s", str(tmp_path / "all.dcm"), "--ct", str(series)]
    assert run([*words, "--structures", str(tmp_path / "table.json")]) == 0
    assert "in both LV Myo and Body; LV Myo has them, which was named first." in capsys.readouterr().out
