"""Body, lungs and bone: found in CT, learned and painted, and never counted."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from previews import leave_out_previews
from tubes import save

from topogan.config import (
    Context,
    DownstreamSettings,
    MaskSettings,
    PrepareSettings,
    SynthesisSettings,
    TextureSettings,
    TrainSettings,
)
from topogan.dataset import prepare
from topogan.dataset.context import find_context
from topogan.errors import InputError
from topogan.evaluation import evaluate
from topogan.evaluation.downstream import downstream
from topogan.export import export
from topogan.model import load_model
from topogan.painting import paint
from topogan.phantom.chest import label_chest
from topogan.phantom.imaging import draw_contrast, make_image
from topogan.phantom.make import SPACING, _grid
from topogan.phantom.patient import draw_patient
from topogan.phantom.tissues import Tissue
from topogan.structures import checked_table, table_of_words
from topogan.synthesis import synthesize
from topogan.training import lifecycle
from topogan.training_set import TrainingSet
from topogan.volumes import Geometry, Volume

pytestmark = pytest.mark.usefixtures("no_previews")

TABLE = table_of_words(["cavity=1", "wall=2"], ["cavity+wall"])
EVERY = tuple(Context)
BONE, LUNGS, BODY = 1, 2, 3
"""In what :func:`find_context` gives."""


def volume_of(array: np.ndarray, spacing: tuple[float, float, float]) -> Volume:
    size = array.shape[2], array.shape[1], array.shape[0]
    return Volume(array, Geometry(size, spacing, (0.0, 0.0, 0.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)))


def dice(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * np.count_nonzero(first & second) / (np.count_nonzero(first) + np.count_nonzero(second))


def test_the_phantoms_chest_is_found_in_its_ct() -> None:
    """Its field of view, as small as the heart's, cuts the lungs: nothing encloses them."""
    random = np.random.default_rng(0)
    tissue = label_chest(draw_patient(0, 0), np.ascontiguousarray(_grid()[:, 30:46]))
    image = volume_of(make_image(tissue, draw_contrast(random), SPACING, random), SPACING)
    structures = volume_of((tissue == Tissue.AORTA).astype(np.uint8), SPACING)
    found = find_context(image, structures, EVERY, 1.5).array
    lungs = (tissue == Tissue.LUNG) | (tissue == Tissue.LUNG_VESSEL)
    assert dice(found == LUNGS, lungs) > 0.97
    assert dice(found != 0, tissue != Tissue.OUTSIDE) > 0.99
    bones = (tissue == Tissue.CORTICAL_BONE) | (tissue == Tissue.SPONGY_BONE)
    assert (found == BONE)[tissue == Tissue.CORTICAL_BONE].mean() > 0.6
    assert bones[found == BONE].mean() > 0.7
    assert not (found == BONE)[tissue == Tissue.AORTA].any(), "contrast medium in a structure is no bone"
    coarse = find_context(image, structures, [Context.LUNGS], 3.0)
    assert coarse.geometry.size == (62, 62, 16) and set(np.unique(coarse.array)) == {0, 1}


@pytest.mark.parametrize("shape", [(1, 40, 40), (2, 40, 3), (1, 1, 1)])
@pytest.mark.parametrize("value", [-1000, 40])
def test_few_slices_and_nothing_in_them(shape: tuple[int, int, int], value: int) -> None:
    image = volume_of(np.full(shape, value, np.int16), (1.0, 1.0, 5.0))
    found = find_context(image, volume_of(np.zeros(shape, np.uint8), (1.0, 1.0, 5.0)), EVERY, 2.5)
    assert (found.array == (BODY if value > 0 else 0)).all()


def chest(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Label ids and CT of a tube in a chest, [24, 64, 64] voxels of 3 mm."""
    _, y, x = np.indices((24, 64, 64), dtype=float)
    y, x = y - 31.5, x - 31.5 - number
    tube = np.hypot(x, y + 4)
    labels = np.where(tube < 5, 1, np.where(tube < 9, 2, 0)).astype(np.uint8)
    hu = np.full(labels.shape, -1000.0)
    hu[np.hypot(x, 1.3 * y) < 29] = 40
    hu[np.hypot(1.4 * (np.abs(x) - 16), y) < 13] = -850
    hu[np.hypot(x, y - 16) < 4] = 600
    hu[labels == 2] = 110
    hu[labels == 1] = 380
    return labels, (hu + np.random.default_rng(number).normal(0, 15, hu.shape)).astype(np.int16)


def test_a_large_ct_needs_ten_bytes_a_voxel() -> None:
    """Label ids of all parts have four; NumPy would count and sort them in copies of eight."""
    labels, hu = (np.repeat(np.repeat(array, 2, axis=1), 2, axis=2) for array in chest(0))
    image, structures = volume_of(hu, (1.5, 1.5, 3.0)), volume_of(labels, (1.5, 1.5, 3.0))
    tracemalloc.start()
    try:
        find_context(image, structures, EVERY, 1.5)
        assert tracemalloc.get_traced_memory()[1] < 10 * hu.size
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[Path]]:
    folder = tmp_path_factory.mktemp("chests")
    pairs = [chest(number) for number in range(3)]
    return tuple(  # type: ignore[return-value]
        [save(folder / kind / f"{number}.nii.gz", pair[which], (3.0, 3.0, 3.0)) for number, pair in enumerate(pairs)]
        for which, kind in enumerate(("labels", "scans"))
    )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, volumes: tuple[list[Path], list[Path]]) -> Path:
    settings = PrepareSettings(pixel_size=3.0, context=EVERY)
    with pytest.MonkeyPatch.context() as patch:
        leave_out_previews(patch)
        return prepare(tmp_path_factory.mktemp("context") / "set", *volumes, settings, table=TABLE)


def test_structures_are_what_they_are_without_context(
    prepared: Path, volumes: tuple[list[Path], list[Path]], tmp_path: Path
) -> None:
    plain = TrainingSet.open(prepare(tmp_path / "set", *volumes, PrepareSettings(pixel_size=3.0), table=TABLE))
    found = TrainingSet.open(prepared)
    assert found.table.names == ("cavity", "wall", "bone", "lungs", "body")
    assert found.regions == plain.regions == TABLE.regions
    assert (prepared / "slices.csv").read_bytes() == (plain.folder / "slices.csv").read_bytes(), "areas, levels, Betti"
    assert set(np.unique(found.masks[:])) == {0, 1, 2, 3, 4, 5}
    np.testing.assert_array_equal(found.without_context.masks[:], plain.masks[:])
    assert found.without_context.table == plain.table
    rows = json.loads((prepared / "dataset.json").read_text())["table"]["structures"]
    assert [row.get("context") for row in rows] == [None, None, True, True, True], "older versions read the others"


def test_volumes_have_context_too(volumes: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    settings = PrepareSettings(volumes=True, size=32, poses=8, context=(Context.LUNGS, Context.BODY))
    found = TrainingSet.open(prepare(tmp_path / "set", *volumes, settings, table=TABLE))
    assert found.table.names == ("cavity", "wall", "lungs", "body")
    assert found.pixel_size == 3.0, "the cube lies around the structures alone"
    assert len(np.unique(found.masks[0])) == 5 and found.betti.shape[1:] == (3, 3)


@pytest.fixture(scope="module")
def model(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("run") / "run"
    settings = TrainSettings(
        masks=MaskSettings(width=4, latent=4, steps=2, batch=4), textures=TextureSettings(width=4, steps=2, batch=2)
    )
    lifecycle.train(prepared, run, settings)
    return run / "model"


@pytest.fixture(scope="module")
def samples(model: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, two = tmp_path_factory.mktemp("samples") / "samples", SynthesisSettings(count=2)
    return synthesize(model, folder, two, training_set=prepared, reject_copies=prepared, picture=False)


def test_a_model_makes_and_paints_it_and_counts_structures(model: Path, samples: Path) -> None:
    metadata = load_model(model).metadata
    assert metadata.table.names == ("cavity", "wall", "bone", "lungs", "body")
    assert [region.name for region in metadata.regions] == ["cavity", "wall", "cavity + wall"]
    assert metadata.figures is not None and len(metadata.figures.regions) == 3
    assert "as context, whose topology is not counted: bone, lungs, body" in (model / "docs/README.md").read_text()
    report = json.loads((samples / "report.json").read_text())
    assert [region["name"] for region in report["regions"]] == ["cavity", "wall", "cavity + wall"]
    with (samples / "samples.csv").open(newline="") as file:
        columns = next(csv.reader(file))
    assert [name for name in columns if "area" in name] == ["area_mm2 cavity", "area_mm2 wall"]
    assert not [name for name in columns if "lungs" in name]
    assert b"Segment3_Name:=lungs" in (samples / "masks.nrrd").read_bytes()


def test_painting_takes_the_structures_of_the_set(model: Path, volumes: Any, tmp_path: Path) -> None:
    """What a segmentation does not name is background; its labels are those that the set was made with."""
    labels = volumes[0][0]
    own = sitk.ReadImage(str(paint(model, labels, tmp_path / "own.nrrd")))
    named = table_of_words(["body=7", "wall=2", "cavity=1"], [])
    told = sitk.ReadImage(str(paint(model, labels, tmp_path / "told.nrrd", named)))
    assert own.GetSize() == (64, 64, 24)
    np.testing.assert_array_equal(*(sitk.GetArrayFromImage(image) for image in (own, told)))


def test_painting_cuts_named_context_as_training_does(
    model: Path, volumes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two structures that share a pixel with two of context: the structures are cut as if nothing else was there."""
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(volumes[0][0])))[10:13]
    labels[labels == 0] = np.random.default_rng(0).integers(3, 5, np.count_nonzero(labels == 0))
    path = save(tmp_path / "own.nii.gz", labels, (2.2, 2.2, 3.0))
    cut: list[np.ndarray] = []

    def textures(_: Any, patch: np.ndarray, noise: np.ndarray, __: float) -> np.ndarray:
        cut.append(patch)
        return noise[0]

    monkeypatch.setattr("topogan.painting._Painter._textures", textures)
    for number, words in enumerate((["cavity=1", "wall=2"], ["cavity=1", "wall=2", "lungs=3", "body=4"])):
        paint(model, path, tmp_path / f"{number}.nrrd", table_of_words(words, []))
    alone, named = np.split(np.array(cut), 2)
    assert {LUNGS + 2, BODY + 2} <= set(np.unique(named)) and set(np.unique(alone)) == {0, 1, 2}
    np.testing.assert_array_equal(np.where(named <= 2, named, 0), alone)


def test_what_measures_takes_structures_alone(model: Path, samples: Path, prepared: Path) -> None:
    content = evaluate(samples, prepared).content
    assert content["structure"] == "cavity, wall" and "lungs" not in json.dumps(content)
    settings = DownstreamSettings(steps=1, batch=2, width=4, seeds=1, threads=1, device="cpu")
    found = downstream(samples, prepared, settings=settings, model=model)
    assert len(found.by_data) == 5, "own masks are painted with context, and compared without"


def test_nnunet_learns_structures_alone_and_other_layouts_have_all(samples: Path, tmp_path: Path) -> None:
    export(samples, tmp_path / "nnunet")
    labels = json.loads((tmp_path / "nnunet/dataset.json").read_text())["labels"]
    assert labels == {"background": 0, "cavity": 1, "wall": 2}, "what label maps of patients have"
    export(samples, tmp_path / "pairs", "nrrd")
    whole = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "pairs/labels/sample_000001.nrrd")))
    alone = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "nnunet/labelsTr/synthetic_000001.nii.gz")))
    assert whole.max() > 2 and alone.dtype == whole.dtype
    np.testing.assert_array_equal(alone, np.where(whole <= 2, whole, 0))


def test_dicom_calls_no_context_a_heart(samples: Path, tmp_path: Path) -> None:
    pytest.importorskip("highdicom", reason="DICOM segmentations need highdicom, the extra topogan[seg]")
    import pydicom

    seg = pydicom.dcmread(export(samples, tmp_path / "out", "dicom", numbers=[0]) / "sample_000000/seg.dcm")
    kinds = {one.SegmentLabel: one.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for one in seg.SegmentSequence}
    meant = {"cavity": "Heart", "wall": "Heart", "bone": "Bone", "lungs": "Lung", "body": "Entire body"}
    assert set(kinds) & set(TABLE.names) != set(kinds), "there is context"
    assert kinds == {name: meant[name] for name in kinds}


@pytest.mark.parametrize(
    ("settings", "words", "images", "said"),
    [
        ({}, "cavity=1", False, "there are no images: leave the setting context out"),
        ({"intensity": "arbitrary"}, "cavity=1", True, "the intensity is 'arbitrary': leave the setting context out"),
        ({}, "lungs=1", True, "the structure lungs is given twice: give it once"),
        ({"pixel_size": 1.2}, "cavity=1", True, "The context lungs is in none of the .* training slices"),
    ],
)
def test_what_cannot_be_found_is_refused(
    settings: dict[str, Any], words: str, images: bool, said: str, tmp_path: Path
) -> None:
    labels, hu = chest(0)
    masks = [save(tmp_path / f"l{number}.nii.gz", labels, (3.0, 3.0, 3.0)) for number in range(3)]
    scan = save(tmp_path / "scan.nii.gz", np.where(hu < -400, 40, hu) - (hu < -940) * 1040, (3.0, 3.0, 3.0))
    wanted = PrepareSettings(context=(Context.LUNGS,), **settings)
    with pytest.raises(InputError, match=said):
        prepare(tmp_path / "set", masks, [scan] * 3 if images else None, wanted, table=table_of_words([words], []))


def test_segmented_context_wins_over_what_is_found(volumes: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    rows = [*TABLE.model_dump()["structures"], {"name": "air", "labels": [3], "context": True}]
    masks = []
    for number, path in enumerate(volumes[0]):
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        labels[:, :6, :6] = 3
        masks.append(save(tmp_path / f"{number}.nii.gz", labels, (3.0, 3.0, 3.0)))
    settings = PrepareSettings(pixel_size=3.0, context=(Context.BODY,))
    table = checked_table({"structures": rows, "unions": TABLE.unions})
    found = TrainingSet.open(prepare(tmp_path / "set", masks, volumes[1], settings, table=table))
    assert found.table.names == ("cavity", "wall", "air", "body") and found.regions == TABLE.regions
    assert {3, 4} <= set(np.unique(found.masks[:]))
    assert found.pixel_size == 3.0


@pytest.mark.parametrize(
    ("rows", "unions", "said"),
    [
        ("ac b", [], "the structure b stands after context: put what is context last"),
        ("ac", [], "all structures are context: one that is none is needed, add it"),
        ("a bc", [["a", "b"]], "a union names 'b', which is context and has no topology: leave it out"),
    ],
)
def test_tables_of_context_that_cannot_be(rows: str, unions: list[list[str]], said: str) -> None:
    structures = [{"name": one[0], "context": one.endswith("c")} for one in rows.split()]
    with pytest.raises(InputError, match=f"cannot be used: {said}"):
        checked_table({"structures": structures, "unions": unions})
