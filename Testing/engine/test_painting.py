"""Texture on a segmentation of one's own, with the model that comes with TopoGAN Synth."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch import nn

from topogan import painting
from topogan.cli import run
from topogan.config import Center, PhantomSettings
from topogan.errors import InputError
from topogan.model import load_model
from topogan.painting import paint
from topogan.phantom import make_phantom
from topogan.structures import table_of_words

MODEL = Path(__file__).resolve().parents[2] / "TopoGANSynth" / "Resources" / "Models" / "phantom.zip"
CAVITY, MYOCARDIUM = 1, 2


@pytest.fixture(scope="module")
def segmentation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A heart that the model has not learned from, one phase, in the axial plane."""
    folder = tmp_path_factory.mktemp("heart")
    phantom = make_phantom(folder / "phantom", PhantomSettings(patients=1, phases=1, seed=5))
    image = sitk.ReadImage(str(next((phantom / "segmentations").iterdir())))
    path = folder / "heart.nii.gz"
    sitk.WriteImage(image[:, :, :, 0] if image.GetDimension() == 4 else image, str(path))
    return path


@pytest.fixture(scope="module")
def painted(segmentation: Path) -> Path:
    return paint(MODEL, segmentation, segmentation.with_name("painted.nii.gz"))


def array(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_the_demo_model_is_small_and_says_what_it_is() -> None:
    model = load_model(MODEL)
    networks = (model.masks, model.mask_discriminator, model.textures, model.texture_discriminator)
    count = sum(parameter.numel() for network in networks for parameter in network.parameters())
    assert count <= 1_200_000
    assert MODEL.stat().st_size < 5_000_000
    assert model.metadata.table.names == ("lv_cavity", "myocardium")


def test_the_picture_lies_on_the_segmentations_grid(segmentation: Path, painted: Path) -> None:
    labels, image = (sitk.ReadImage(str(path)) for path in (segmentation, painted))
    assert image.GetSize() == labels.GetSize()
    assert image.GetOrigin() == pytest.approx(labels.GetOrigin())
    assert image.GetDirection() == pytest.approx(labels.GetDirection())
    assert image.GetPixelIDTypeAsString() == "16-bit signed integer"
    assert array(painted)[0, 0, 0] == -1000, "air where no patch reaches"


def test_tissues_have_their_hounsfield_units(segmentation: Path, painted: Path) -> None:
    labels, values = array(segmentation), array(painted)
    # Of the phantom: blood 371, muscle 111 in the slices that were tested on; axial slices were never learned.
    assert 320 < values[labels == CAVITY].mean() < 400
    assert 80 < values[labels == MYOCARDIUM].mean() < 160
    assert 5 < values[labels == MYOCARDIUM].std() < 80, "neither flat nor noise alone"


def test_beside_it_stands_that_it_is_synthetic(painted: Path) -> None:
    said = json.loads(painted.with_name("painted.json").read_text())
    assert said == {
        "schema": "topogan.painting/1",
        "synthetic": True,
        "model": load_model(MODEL).metadata.content_hash,
        "seed": 0,
    }


def test_a_seed_repeats_and_another_differs(segmentation: Path, painted: Path, tmp_path: Path) -> None:
    again, other = (paint(MODEL, segmentation, tmp_path / f"{seed}.nrrd", seed=seed) for seed in (0, 1))
    assert np.array_equal(array(again), array(painted))
    assert not np.array_equal(array(other), array(painted))


def test_patches_of_a_large_structure_leave_no_seams(segmentation: Path, tmp_path: Path) -> None:
    """A heart twice as wide needs several patches a slice: columns at their edges differ as all others do."""
    image = sitk.ReadImage(str(segmentation))
    x, y, z = image.GetSpacing()
    image.SetSpacing((2 * x, 2 * y, z))
    sitk.WriteImage(image, str(tmp_path / "large.nii.gz"))
    values, labels = array(paint(MODEL, tmp_path / "large.nii.gz", tmp_path / "out.mha")), array(segmentation)
    inside = labels == CAVITY
    assert not (values[inside] == -1000).any()
    for axis in (1, 2):
        pairs = inside & np.roll(inside, 1, axis)
        steps = np.where(pairs, np.abs(values.astype(float) - np.roll(values, 1, axis)), np.nan)
        others = tuple(one for one in range(3) if one != axis)
        enough = pairs.sum(axis=others) > 200
        by_line = np.nanmean(steps[:, enough] if axis == 1 else steps[:, :, enough], axis=others)
        assert by_line.max() < 1.6 * np.median(by_line), "no line of steps that are larger"


class _Level(nn.Module):
    """Paints what it sees: the structure bright, all else dark."""

    def forward(self, condition: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return condition[:, :1] + 0.0 * noise[:, :1]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_patches_fade_into_each_other_without_a_rest(size: int) -> None:
    """The weights of patches side by side add up, wherever they overlap."""
    weights = painting._fading(8, size)
    line = weights.reshape(-1, 8)[len(weights.reshape(-1, 8)) // 2]
    assert (line[4:] + line[:4]) == pytest.approx(np.full(4, line[:8].max() + line.min()))
    assert (weights > 0).all()


def test_a_model_of_volumes_paints_through_the_volume(
    segmentation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(MODEL, discriminators=False)
    volumes = model.metadata.model_copy(
        update={"axes": 3, "size": 32, "pixel_size_mm": 4.0, "levels": (), "topologies": ()}
    )
    model.metadata, model.textures = volumes, _Level()
    monkeypatch.setattr(painting, "load_model", lambda *_, **__: model)
    values, labels = array(paint(MODEL, segmentation, tmp_path / "volume.nii")), array(segmentation)
    low, high = volumes.window
    assert np.median(values[labels == CAVITY]) == high
    assert np.median(values[labels == MYOCARDIUM]) == low


def test_other_labels_and_a_part_of_the_structures(segmentation: Path, tmp_path: Path) -> None:
    image = sitk.ReadImage(str(segmentation))
    sitk.WriteImage(sitk.Cast(image == MYOCARDIUM, sitk.sitkUInt8) * 7, str(tmp_path / "seven.nrrd"))
    out = tmp_path / "out.nii.gz"
    words = ["paint", str(MODEL), str(tmp_path / "seven.nrrd"), str(out), "--structure", "myocardium=7"]
    assert run(words) == 0
    assert 80 < array(out)[array(segmentation) == MYOCARDIUM].mean() < 160


def test_what_cannot_be_painted_is_refused_in_a_sentence(segmentation: Path, painted: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no ending of an image: choose one of \.nii\.gz"):
        paint(MODEL, segmentation, tmp_path / "out.png")
    with pytest.raises(InputError, match="does not know 'aorta': it paints on lv_cavity, myocardium"):
        paint(MODEL, segmentation, tmp_path / "out.nii", table_of_words(["aorta=6"], []))
    with pytest.raises(InputError, match="exists"):
        paint(MODEL, segmentation, painted)
    with pytest.raises(InputError, match="holds no voxel of label 9"):
        paint(MODEL, segmentation, tmp_path / "out.nii", table_of_words(["myocardium=9"], []))
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_masks_alone_is_refused(ring_model: Path, segmentation: Path, tmp_path: Path) -> None:
    model = load_model(ring_model)
    if model.textures is None:
        with pytest.raises(InputError, match="makes masks alone: choose one that was trained with images"):
            paint(ring_model, segmentation, tmp_path / "out.nii")


def test_the_segmentation_is_never_replaced(segmentation: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.nii.gz"
    mine.write_bytes(segmentation.read_bytes())
    (tmp_path / "link.nii.gz").symlink_to(mine)
    for out in (mine, tmp_path / "link.nii.gz"):
        with pytest.raises(InputError, match="is the segmentation itself"):
            paint(MODEL, mine, out, overwrite=True)
    assert mine.read_bytes() == segmentation.read_bytes()


def test_a_tightly_cropped_label_map_is_painted_whole_in_an_oblique_plane(tmp_path: Path) -> None:
    """Slicer crops label maps to their segments: what a slice shows beyond is background, and no reason to leave it."""
    k, j, i = np.indices((36, 36, 36)) - 17.5
    radius = np.sqrt(k**2 + j**2 + i**2)
    image = sitk.GetImageFromArray(np.where(radius < 12, 1, np.where(radius < 18, 2, 0)).astype(np.uint8))
    image.SetSpacing((2.0, 2.0, 2.0))
    sitk.WriteImage(image, str(tmp_path / "tight.nrrd"))
    half = np.sqrt(0.5)
    plane = [[half, 0.0, half, 0.0], [0.0, 1.0, 0.0, 0.0], [-half, 0.0, half, 0.0], [0.0, 0.0, 0.0, 1.0]]
    values = array(paint(MODEL, tmp_path / "tight.nrrd", tmp_path / "out.nrrd", plane=np.array(plane)))
    assert not (values[radius < 17] == -1000).any()


@pytest.mark.parametrize(("center", "alike"), [(Center.SLICE, False), (Center.VOLUME, True)])
def test_patches_lie_as_those_that_were_trained_on(
    segmentation: Path, monkeypatch: pytest.MonkeyPatch, center: Center, alike: bool
) -> None:
    model = load_model(MODEL)
    model = replace(model, metadata=model.metadata.model_copy(update={"center": center}))
    monkeypatch.setattr(painting, "load_model", lambda *_, **__: model)
    seen: list[tuple[int, ...]] = []
    put_back = painting._on_grid
    monkeypatch.setattr(
        painting,
        "_on_grid",
        lambda painted, *rest: seen.extend(tuple(one.first.tolist()) for one in painted) or put_back(painted, *rest),
    )
    paint(MODEL, segmentation, segmentation.with_name(f"{center.value}.nii.gz"))
    assert (len(set(seen)) == 1) is alike
