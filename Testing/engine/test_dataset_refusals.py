"""What cannot become a training set is refused in one sentence, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from tubes import MUSCLE, SHAPE, patients, ring_labels, save, scan_of

from topogan.config import Intensity, PrepareSettings
from topogan.dataset import TrainingSet, prepare
from topogan.errors import InputError

pytestmark = pytest.mark.usefixtures("no_previews")


def myocardium(**values: Any) -> PrepareSettings:
    return PrepareSettings(**{"structure": "myocardium", "labels": (2,), **values})


def nothing_left(folder: Path) -> bool:
    return not folder.exists() or not any("out" in path.name for path in folder.iterdir())


def test_other_grid_needs_resample(tmp_path: Path) -> None:
    labels = ring_labels()
    image = save(tmp_path / "i.nrrd", scan_of(labels))
    coarse = sitk.GetImageFromArray(labels[::2, ::2, ::2])
    coarse.SetSpacing((2.0, 2.0, 4.0))
    coarse.SetOrigin((-30.0, -20.0, 100.0))
    sitk.WriteImage(coarse, tmp_path / "m.nrrd")
    with pytest.raises(InputError, match=r"30 x 30 x 20 voxels .* does not lie on the grid .* 'resample'"):
        prepare(tmp_path / "out", [tmp_path / "m.nrrd"], [image], myocardium())
    settings = myocardium(resample=True, test=0.1)
    found = TrainingSet.open(prepare(tmp_path / "out", [tmp_path / "m.nrrd"], [image], settings))
    inside = np.asarray(found.masks) == 1
    assert abs(np.median(np.asarray(found.images)[inside]) - MUSCLE) < 10


def test_structure_outside_the_image(tmp_path: Path) -> None:
    labels = ring_labels()
    mask = save(tmp_path / "m.nrrd", labels)
    far = sitk.ReadImage(mask)
    far.SetOrigin((500.0, 0.0, 0.0))
    sitk.WriteImage(sitk.Cast(far, sitk.sitkInt16) - 500, tmp_path / "far.nrrd")
    with pytest.raises(InputError, match="outside the image"):
        prepare(tmp_path / "out", [mask], [tmp_path / "far.nrrd"], myocardium(resample=True))
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (30, "6 patches reach beyond the image and are left out."),
        (35, "1 patch reaches beyond the image and is left out."),
    ],
)
def test_slices_beyond_the_image_are_left_out(tmp_path: Path, shown: int, text: str) -> None:
    labels = ring_labels()
    mask = save(tmp_path / "m.nrrd", labels)
    sitk.WriteImage(sitk.ReadImage(save(tmp_path / "i.nrrd", scan_of(labels)))[:, :, :shown], tmp_path / "i.nrrd")
    said: list[str] = []
    settings = myocardium(resample=True, test=0.1)
    out = prepare(
        tmp_path / "out",
        [mask],
        [tmp_path / "i.nrrd"],
        settings,
        on_event=lambda event: said.append(event.get("text", "")),
    )
    assert text in said
    assert np.asarray(TrainingSet.open(out).images).min() >= -1024


def test_pixel_size_that_is_too_small_names_the_one_needed(tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nrrd", ring_labels())
    with pytest.raises(InputError, match=r"is 37 mm wide.*use a pixel size of 0\.62 mm"):
        prepare(tmp_path / "out", [mask], settings=myocardium(pixel_size=0.5))
    assert nothing_left(tmp_path)
    found = TrainingSet.open(prepare(tmp_path / "out", [mask], settings=myocardium(pixel_size=0.62, test=0.1)))
    masks = np.asarray(found.masks)
    assert not (masks[:, [0, -1]].any() or masks[:, :, [0, -1]].any())


def refused(tmp_path: Path, said: str, segmentations: list[Path], images: list[Path] | None = None, **how: Any) -> None:
    settings = how.pop("settings", myocardium())
    with pytest.raises(InputError, match=said) as caught:
        prepare(tmp_path / "out", segmentations, images, settings, **how)
    assert "\n" not in str(caught.value)
    assert nothing_left(tmp_path)


def test_wrong_labels_are_named(tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nrrd", ring_labels())
    refused(tmp_path, r"label 7: the labels in it are 1, 2\.", [mask], settings=myocardium(labels=(7,)))
    empty = save(tmp_path / "empty.nrrd", np.zeros(SHAPE, np.uint8))
    refused(tmp_path, r"empty\.nrrd is empty", [mask, empty])
    halves = save(tmp_path / "halves.nrrd", ring_labels() * np.float32(0.5))
    refused(tmp_path, "holds the value 0.5", [halves])


def test_several_labels_make_one_structure(tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nii.gz", ring_labels().astype(np.float64))
    out = prepare(tmp_path / "out", [mask], settings=myocardium(labels=(1, 2), test=0.1))
    assert TrainingSet.open(out).modal_betti == ((1, 0),)


def test_wrong_images_are_refused(tmp_path: Path) -> None:
    masks, scans = patients(tmp_path / "good")
    holes = scan_of(ring_labels()).astype(np.float32)
    holes[0, 0, 0] = np.nan
    # The last of the volumes is wrong: what was cut of the others must be gone.
    refused(tmp_path, "1 voxel that is not a number", masks, [*scans[:2], save(tmp_path / "nan.nrrd", holes)])
    bright = save(tmp_path / "mr.nrrd", scan_of(ring_labels()) + np.int16(2000))
    refused(tmp_path, r"cannot be CT in HU: choose the intensity 'arbitrary'", masks, [*scans[:2], bright])
    flat = save(tmp_path / "flat.nrrd", np.full(SHAPE, 5, np.int16))
    arbitrary = myocardium(intensity=Intensity.ARBITRARY)
    refused(tmp_path, "same value nearly everywhere", masks, [*scans[:2], flat], settings=arbitrary)
    half = tmp_path / "half.nii.gz"
    half.write_bytes(scans[2].read_bytes()[:5000])
    refused(tmp_path, "cut off", masks, [*scans[:2], half])
    refused(tmp_path, "3 segmentations but 2 images", masks, scans[:2])
    refused(tmp_path, "window_low must be below", masks, scans, settings=myocardium(window_low=100, window_high=50))


def test_headers_are_checked_before_any_voxel_is_read(tmp_path: Path) -> None:
    """A file that is missing at the end of a list is found before work starts: no event has been sent."""
    masks, _ = patients(tmp_path / "good")
    events: list[dict[str, Any]] = []
    with pytest.raises(InputError, match="does not exist"):
        prepare(tmp_path / "out", [*masks, tmp_path / "gone.nii"], settings=myocardium(), on_event=events.append)
    assert not events


def test_too_few_slices_name_the_minimum(tmp_path: Path) -> None:
    labels = ring_labels()
    labels[:24] = 0
    mask = save(tmp_path / "m.nrrd", labels)
    refused(tmp_path, "12 usable slices .* at least 16", [mask])
    refused(tmp_path, "0 usable slices", [mask], settings=myocardium(minimum_area=5000))
    refused(tmp_path, "No segmentation", [])


def test_wrong_planes_are_refused(tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nrrd", ring_labels())
    refused(tmp_path, "cannot be 'sagittal'", [mask], plane="sagittal")
    refused(tmp_path, "2 planes for 1 volumes", [mask], plane=[np.eye(4), np.eye(4)])
    refused(tmp_path, "not a 4x4 SliceToRAS", [mask], plane=np.diag([2.0, 1.0, 1.0, 1.0]))


def test_a_phase_beyond_the_image_is_left_out(tmp_path: Path) -> None:
    early, late = ring_labels(), ring_labels()
    early[25:], late[:28] = 0, 0
    image = sitk.ReadImage(save(tmp_path / "one.nrrd", scan_of(ring_labels())))[:, :, :26]
    phases = [sitk.ReadImage(save(tmp_path / "one.nrrd", labels)) for labels in (early, late)]
    for name, volumes in (("m.nrrd", phases), ("i.nrrd", [image, image])):
        sitk.WriteImage(sitk.JoinSeries(volumes), tmp_path / name)
    out = prepare(tmp_path / "out", [tmp_path / "m.nrrd"], [tmp_path / "i.nrrd"], myocardium(resample=True, test=0.1))
    assert len(TrainingSet.open(out).masks)
