"""Segmentations, scans, planes and settings that do not fit each other."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import SHAPE, labels, save, scan

RIGHT = labels()


def mask(array: np.ndarray, *more: str, name: str = "mask.nii.gz") -> Callable[[Place], Arguments]:
    return lambda place: prepare(place, save(place.path(name), array), None, *more)


def pair(
    segmentation: np.ndarray, image: np.ndarray, *more: str, name: str = "ct.nii.gz", **where: tuple[float, ...]
) -> Callable[[Place], Arguments]:
    """A segmentation at its place and an image elsewhere."""

    def build(place: Place) -> Arguments:
        return prepare(
            place, save(place.path("mask.nii.gz"), segmentation), save(place.path(name), image, **where), *more
        )

    return build


def setting(*more: str) -> Callable[[Place], Arguments]:
    return mask(RIGHT, *more)


def plane(text: str) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path("plane.json")
        path.write_text(text, encoding="utf-8")
        return prepare(place, save(place.path("mask.nii.gz"), RIGHT), None, "--plane", str(path))

    return build


def matrix(*rows: list[float]) -> Callable[[Place], Arguments]:
    return plane(json.dumps([*rows, [0, 0, 0, 1]]))


def twice(place: Place) -> Arguments:
    one = save(place.path("mask.nii.gz"), RIGHT)
    return prepare(place, one, None, "-s", str(one), "--ct", str(save(place.path("ct.nii.gz"), scan(RIGHT))))


def few(count: int) -> np.ndarray:
    array = RIGHT.copy()
    array[count:] = 0
    return array


def single_voxels() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[:, 16, 16] = 1
    return array


SCAN = scan(RIGHT)
FAR = (500.0, 500.0, 500.0)
CASES = [
    Case("segmentation: empty", mask(RIGHT * 0), "is empty"),
    Case("segmentation: label not there", setting("--label", "7"), "holds no voxel of label 7: the labels in it are 1"),
    Case("segmentation: two labels, neither there", setting("--label", "7", "--label", "8"), "no voxel of labels 7, 8"),
    Case(
        "segmentation: 60,000 labels, not the one",
        mask(np.arange(2, RIGHT.size + 2, dtype=np.uint16).reshape(SHAPE)),
        "labels in it are 2, 3, .* …",
    ),
    Case(
        "segmentation: probabilities",
        mask((RIGHT * 0.75).astype(np.float32)),
        "holds the value 0.75: a segmentation has whole numbers",
    ),
    Case("segmentation: values beyond 2⁶³", mask(RIGHT.astype(np.float64) * 1e300), "labels in it are|label"),
    Case("segmentation: a scan", mask(SCAN), "it is a scan"),
    Case("segmentation: single voxels", mask(single_voxels()), "0 usable slices"),
    Case("segmentation: five slices", mask(few(5)), "5 usable slices .* at least 16 and 1 are needed"),
    Case("segmentation: everything", mask(RIGHT * 0 + 1, "--tiling"), "smaller than a patch"),
    Case("fit: scan elsewhere", pair(RIGHT, SCAN, origin=FAR), "does not lie on the grid"),
    Case("fit: scan elsewhere, resampled", pair(RIGHT, SCAN, "--resample", origin=FAR), "lies outside the image"),
    Case("fit: scan of other spacing", pair(RIGHT, SCAN, spacing=(1.0, 1.0, 1.0)), "does not lie on the grid"),
    Case("fit: scan of fewer slices", pair(RIGHT, SCAN[:20]), "does not lie on the grid"),
    Case("fit: scan of three phases", pair(RIGHT, np.stack([SCAN] * 3)), "has 1 phase.* and .* has 3"),
    Case(
        "fit: phases on another grid",
        pair(np.stack([RIGHT] * 3), np.stack([SCAN[:30]] * 3)),
        "does not lie on the grid",
    ),
    Case("fit: scan without air", pair(RIGHT, SCAN + np.int16(3000)), "cannot be CT in HU"),
    Case(
        "fit: scan of one value",
        pair(RIGHT, SCAN * np.int16(0) - np.int16(5), "--intensity", "arbitrary"),
        "same value nearly everywhere",
    ),
    Case("fit: more segmentations than scans", twice, "2 segmentations but 1 images"),
    Case("plane: a word", setting("--plane", "sagittal"), "neither 'axial' nor a file"),
    Case("plane: no JSON", plane("[[1, 0"), "cannot be read"),
    Case("plane: deep JSON", plane("[" * 100_000), "cannot be read"),
    Case("plane: words for numbers", plane('[["one", 0, 0, 0]]'), "cannot be read"),
    Case("plane: three by three", plane("[[1,0,0],[0,1,0],[0,0,1]]"), r"shape \(3, 3\)"),
    Case("plane: sheared", matrix([1, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]), "orthogonal unit"),
    Case("plane: zeros", matrix([0] * 4, [0] * 4, [0] * 4), "orthogonal unit"),
    Case("plane: NaN", plane("[[NaN,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]"), "orthogonal unit|cannot be read"),
    Case("plane: infinite", plane("[[1e999,0,0,0],[0,1,0,0],[0,0,1,0],[0,0,0,1]]"), "orthogonal unit|cannot be read"),
    Case("plane: a number of 400 digits", plane("[[" + "9" * 400 + ",0,0,0]]"), "cannot be read"),
    Case("plane: three planes, one volume", plane(json.dumps([np.eye(4).tolist()] * 3)), "3 planes for 1 volumes"),
    Case("plane: a list of nothing", plane("[]"), "shape"),
    Case("setting: label 0", setting("--label", "0"), "labels.* cannot be 0"),
    Case("setting: label a word", setting("--label", "heart"), "--label"),
    Case("setting: size 65", setting("--size", "65"), "size cannot be 65"),
    Case("setting: pixel size -1", setting("--pixel-size", "-1"), "pixel_size cannot be -1"),
    Case("setting: pixel size too small", setting("--pixel-size", "0.01"), "use a pixel size of"),
    Case(
        "setting: window upside down",
        pair(RIGHT, SCAN, "--window-low", "300", "--window-high", "-100"),
        "window_low must be below",
    ),
    Case("setting: structure without a name", setting("--structure", ""), "structure cannot be ''"),
    Case("setting: structure like an essay", setting("--structure", "x" * 5000), "structure cannot be"),
    Case("setting: test 99 %", setting("--test", "0.99"), "test cannot be 0.99"),
    Case("setting: test 99 %, by its old name", setting("--held-out", "0.99"), "test cannot be 0.99"),
    Case("setting: slices 10⁻⁹ mm apart", setting("--slice-spacing", "1e-9"), "choose a larger slice spacing"),
    Case("setting: slices 100 mm apart", setting("--slice-spacing", "100"), "usable slice"),
    Case("setting: minimum area NaN", setting("--minimum-area", "nan"), "minimum_area cannot be nan"),
    Case("setting: unknown option", setting("--colour", "red"), "--colour"),
    Case("setting: overflow", setting("--seed", "99999999999999999999999"), "seed cannot be"),
]
