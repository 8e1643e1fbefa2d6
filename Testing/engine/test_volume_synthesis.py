"""From a model of volumes to its results: samples, synthesis folder, export, package; and what strangers may send."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.image import imread
from volume_models import SIZE, VOXEL, opened, package_of, real_set

from topogan.cli import run
from topogan.config import SynthesisSettings
from topogan.errors import InputError, WorkError
from topogan.export import export
from topogan.files import write_json
from topogan.homology import (
    betti_numbers,
    cubical_persistence,
    distance_filtration,
    load_diagrams,
    save_diagrams,
)
from topogan.model import Model, load_model
from topogan.model.asking import asked_betti
from topogan.model.layout import METADATA
from topogan.model.metadata import read_metadata
from topogan.model.reference import read_reference
from topogan.serve import serve
from topogan.stored_samples import read_masks, read_textures
from topogan.synthesis import synthesize
from topogan.synthesis.volume_gallery import middle_of, planes_of
from topogan.training_set import TrainingSet
from topogan_contract import schemas
from topogan_contract.stacks import Segment, read_stack
from topogan_contract.synthesis import mask_file, texture_file

ONE = {"structures": [{"name": "cup"}]}
TWO = {"structures": [{"name": "wall"}, {"name": "blood"}], "unions": [["wall", "blood"]]}


@pytest.fixture(scope="module")
def cups(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return real_set(tmp_path_factory.mktemp("real") / "cups", ONE)


@pytest.fixture(scope="module")
def hearts(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    return real_set(tmp_path_factory.mktemp("real") / "hearts", TWO)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, cups: TrainingSet) -> Path:
    return package_of(tmp_path_factory.mktemp("models") / "cups", cups)


@pytest.fixture(scope="module")
def model(package: Path) -> Model:
    return opened(package)


@pytest.fixture(scope="module")
def heart_model(tmp_path_factory: pytest.TempPathFactory, hearts: TrainingSet) -> Model:
    return opened(package_of(tmp_path_factory.mktemp("models") / "hearts", hearts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Path:
    return synthesize(model, tmp_path_factory.mktemp("synthesis") / "samples", SynthesisSettings(count=10, seed=1))


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory, heart_model: Model, hearts: TrainingSet) -> Path:
    """A synthesis with textures, which are flat."""

    def paint(_: Model, labels: np.ndarray, *__: object) -> np.ndarray:
        return np.array([-100, 120, 400], np.int16)[labels]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("topogan.model.drawing._textures", paint)
        out = tmp_path_factory.mktemp("painted") / "samples"
        return synthesize(heart_model, out, SynthesisSettings(count=8, seed=1), training_set=hearts)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def mask(folder: Path, number: int) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(folder / mask_file(number))))


class TestSamples:
    def test_shapes_numbers_and_diagrams(self, heart_model: Model) -> None:
        samples = heart_model.sample(6, seed=2)
        assert (samples.labels.shape, samples.labels.dtype) == ((6, SIZE, SIZE, SIZE), np.uint8)
        assert (samples.betti.shape, samples.levels, samples.textures) == ((6, 3, 3), None, None)
        regions = heart_model.metadata.regions
        for number, labels in enumerate(samples.labels):
            for place, region in enumerate(regions):
                betti = betti_numbers(region.of(labels))
                assert tuple(samples.betti[number, place].tolist()) == betti
                diagram = samples.diagrams[number * len(regions) + place]
                assert diagram.betti_numbers(0.0, (0, 1, 2)) == betti and diagram.birth_index.shape[1] == 3

    def test_a_sample_is_the_same_among_any_others(self, model: Model) -> None:
        few, many = model.sample(3, seed=5), model.sample(9, seed=5)
        assert np.array_equal(few.labels, many.labels[:3])
        assert np.array_equal(model.draw(many.seeds[4:6]).labels, many.labels[4:6])

    @pytest.mark.parametrize("asked", [(1, 0, 0), (1, 1, 0), (1, 0, 1), (2, 0, 0)])
    def test_rejection_gives_what_is_asked(self, model: Model, asked: tuple[int, ...]) -> None:
        samples = model.sample(3, seed=1, betti=(asked,))
        assert samples.betti.tolist() == [[list(asked)]] * 3

    def test_what_real_volumes_show_together(self, heart_model: Model) -> None:
        found = {tuple(map(tuple, one)) for one in heart_model.sample(6, seed=1, betti="real").betti.tolist()}
        assert found <= set(heart_model.metadata.real.joint())

    def test_cleaning_removes_specks_and_fills_cavities(self, model: Model) -> None:
        samples = model.sample(24, seed=1, clean=5000)
        raw, cleaned = samples.raw_betti[:, 0], samples.betti[:, 0]
        assert (raw[:, 0] > 1).any() and (raw[:, 2] > 0).any() and (raw[:, 1] > 0).any()
        assert set(cleaned[:, 0].tolist()) == {1} and not cleaned[:, 2].any()
        # Tunnels are not filled but where they lead into a cavity.
        assert np.array_equal(cleaned[raw[:, 2] == 0, 1], raw[raw[:, 2] == 0, 1])

    def test_chunks_hold_as_many_voxels_as_chunks_of_slices_pixels(
        self, model: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = model.sample(5, seed=3, betti=((1, 0, 0),))
        monkeypatch.setattr("topogan.model.drawing._CHUNK_PIXELS", 2 * SIZE**3)
        parts = model.sample(5, seed=3, betti=((1, 0, 0),))
        assert np.array_equal(whole.labels, parts.labels) and whole.tries == parts.tries

    @pytest.mark.parametrize(
        ("text", "asked"),
        [
            ("any", None),
            ("real", "real"),
            ("modal", ((1, 0, 0), (1, 0, 0), (1, 0, 0))),
            ("1,0,0", ((1, 0, 0), None, None)),
            ("blood=1,0,0;wall + blood=1,1,0", (None, (1, 0, 0), (1, 1, 0))),
        ],
    )
    def test_asked_for_in_words(self, heart_model: Model, text: str, asked: Any) -> None:
        assert asked_betti(text, heart_model.metadata) == asked

    @pytest.mark.parametrize("text", ["1,1", "wall=1,0,0;blood=1,0"])
    def test_two_numbers_are_of_slices(self, heart_model: Model, text: str) -> None:
        with pytest.raises(InputError, match=r"makes volumes: name pieces, tunnels and cavities, such as 1,0,0\.$"):
            asked_betti(text, heart_model.metadata)
        with pytest.raises(InputError, match=r"cannot ask for \(1, 1\): this model makes volumes"):
            heart_model.sample(1, betti=((1, 1), None, None))

    def test_three_numbers_are_of_volumes(self, ring_model: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="makes slices: name pieces and holes, such as 1,1"):
            synthesize(ring_model, tmp_path / "out", SynthesisSettings(count=1, betti="1,0,0"))
        assert not list(tmp_path.iterdir())

    def test_networks_of_the_package_draw(self, package: Path) -> None:
        model = load_model(package)
        samples = model.sample(2)
        assert samples.labels.shape == (2, SIZE, SIZE, SIZE)
        assert np.array_equal(samples.labels, load_model(package).draw(samples.seeds).labels)

    def test_too_few_are_told_in_words(self, model: Model) -> None:
        with pytest.raises(
            WorkError, match=r"had 9 pieces, no tunnel and no cavity where 2 .* small pieces and cavities"
        ):
            model.sample(2, betti=((9, 0, 0),), attempts=2)


class TestFolder:
    def test_a_volume_has_files_of_its_own(self, folder: Path, painted: Path, model: Model) -> None:
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        others = {"report.json", "samples.csv", "diagrams.npz", "gallery.png"}
        assert files == others | {mask_file(number) for number in range(10)}
        files = {path.relative_to(painted).as_posix() for path in painted.rglob("*") if path.is_file()}
        assert files == others | {name(number) for number in range(8) for name in (mask_file, texture_file)}
        samples = model.sample(10, seed=1)
        assert all(np.array_equal(mask(folder, number), samples.labels[number]) for number in range(10))

    def test_a_mask_is_a_segmentation_in_lps(self, painted: Path) -> None:
        stack = read_stack(painted / mask_file(3))
        assert stack.segments == (Segment("wall", 1, "#e69f00"), Segment("blood", 2, "#56b4e9"))
        for name in (mask_file(3), texture_file(3)):
            image = sitk.ReadImage(str(painted / name))
            assert image.GetSize() == (SIZE,) * 3 and image.GetSpacing() == (VOXEL,) * 3
            assert image.GetOrigin() == (0.0,) * 3 and image.GetDirection() == tuple(np.eye(3).ravel())
            assert image.GetMetaData("content").startswith("A synthetic volume.")

    def test_table_fits_the_masks(self, painted: Path, heart_model: Model, hearts: TrainingSet) -> None:
        table = rows(painted)
        assert list(table[0]) == [
            "sample", "seed", "level", "b0 wall", "b1 wall", "b2 wall", "verdict wall", "b0 blood", "b1 blood",
            "b2 blood", "verdict blood", "b0 wall + blood", "b1 wall + blood", "b2 wall + blood",
            "verdict wall + blood", "volume_ml wall", "volume_ml blood", "real % wall", "real % blood",
            "real % wall + blood", "nearest_training_row", "dice_to_training",
        ]  # fmt: skip
        for number, row in enumerate(table):
            labels = mask(painted, number)
            betti = betti_numbers(labels == 1)
            assert tuple(int(row[f"b{dimension} wall"]) for dimension in range(3)) == betti and row["level"] == ""
            assert float(row["volume_ml blood"]) == pytest.approx((labels == 2).sum() * VOXEL**3 / 1000, rel=1e-5)
            assert (row["verdict wall"][:5] == "valid") == (betti in {(1, 0, 0), (1, 1, 0)})
            training = [hearts.masks[int(index)] for index in hearts.train]
            dice = [
                2 * ((labels == one) & (one > 0)).sum() / ((labels > 0).sum() + (one > 0).sum()) for one in training
            ]
            assert float(row["dice_to_training"]) == pytest.approx(max(dice), abs=1e-6)

    def test_verdicts_are_in_words_of_volumes(self, folder: Path) -> None:
        said = {row["verdict cup"] for row in rows(folder)}
        assert "valid" in said and said & {"1 tunnel instead of none", "1 cavity instead of none"}

    def test_report_counts(self, folder: Path, model: Model) -> None:
        found, table = report(folder), rows(folder)
        assert (found["axes"], found["count"], found["size"], found["pixel_size_mm"]) == (3, 10, SIZE, VOXEL)
        assert "volume" in found["nature"] and found["levels"] is None
        (region,) = found["regions"]
        valid = sum(row["verdict cup"] == "valid" for row in table)
        assert region["expected_betti"] == [1, 0, 0] and region["betti_histogram"]["1,0,0"] == valid
        sizes = [float(row["volume_ml cup"]) for row in table]
        wanted = {"mean": np.mean(sizes), "smallest": min(sizes), "largest": max(sizes)}
        assert region["volume_ml"] == pytest.approx(wanted, rel=1e-4) and "area_mm2" not in region
        assert found["summary"] == f"{valid} of 10 samples have 1 piece, no tunnel and no cavity."

    def test_summary_of_several_structures(self, painted: Path) -> None:
        assert "every structure has a topology that real volumes show: wall " in report(painted)["summary"]

    def test_diagrams_name_voxels(self, folder: Path) -> None:
        for number, diagram in enumerate(load_diagrams(folder / "diagrams.npz")):
            again = cubical_persistence(distance_filtration(mask(folder, number)))
            assert np.array_equal(diagram.birth_index, again.birth_index) and np.array_equal(diagram.death, again.death)

    def test_same_settings_same_bytes(self, folder: Path, tmp_path: Path, model: Model) -> None:
        again = synthesize(model, tmp_path / "again", SynthesisSettings(count=10, seed=1))
        for path in folder.rglob("*"):
            if path.is_file():
                assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes(), path

    def test_gallery_shows_planes_and_surfaces(self, painted: Path, folder: Path) -> None:
        for picture in (imread(painted / "gallery.png")[..., :3], imread(folder / "gallery.png")[..., :3]):
            orange = (picture[..., 0] > picture[..., 2] + 0.3) & (picture[..., 1] > picture[..., 2] + 0.1)
            assert orange.sum() > 3000, "surfaces or outlines have the structure's color"
            assert (picture.max(axis=-1) < 0.2).sum() > 10_000, "planes are dark where nothing is"

    def test_planes_lie_as_they_are_looked_at(self) -> None:
        volume = np.arange(4 * 5 * 6).reshape(4, 5, 6)
        axial, coronal, sagittal = planes_of(volume, (1, 2, 3))
        assert axial[0, 0] == volume[1, 0, 0]
        assert (coronal[0, 0], sagittal[0, 0]) == (volume[3, 2, 0], volume[3, 0, 3]), "the head is up"
        labels = np.zeros((8, 8, 8), np.uint8)
        assert middle_of(labels) == (3, 3, 3)
        labels[2:5, 1, 6] = 1
        assert middle_of(labels) == (3, 1, 6)

    def test_it_can_be_replaced(self, folder: Path, tmp_path: Path, model: Model) -> None:
        copy = shutil.copytree(folder, tmp_path / "copy")
        synthesize(model, copy, SynthesisSettings(count=2), overwrite=True)
        assert sorted(path.name for path in (copy / "volumes").iterdir()) == [
            "00000_mask.seg.nrrd",
            "00001_mask.seg.nrrd",
        ]
        (copy / "volumes" / "mine.nrrd").touch()
        with pytest.raises(InputError, match=r"mine\.nrrd, which is no part of the synthesis"):
            synthesize(model, copy, SynthesisSettings(count=2), overwrite=True)

    def test_more_than_memory_holds_is_refused(self, tmp_path: Path, model: Model) -> None:
        with pytest.raises(InputError, match=r"9000 samples of 32 × 32 × 32 voxels do not fit .* at most 8192"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=9000))

    def test_training_sets_of_other_samples_are_refused(
        self, tmp_path: Path, model: Model, ring_training_set: Path, cups: TrainingSet
    ) -> None:
        with pytest.raises(InputError, match="has slices and the model makes volumes"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=1), training_set=ring_training_set)
        with pytest.raises(InputError, match="has volumes of 48 voxels along each edge and the model makes 32"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=1), training_set=replace(cups, size=48))


class TestPrograms:
    def test_the_command_line_and_the_service_give_the_same(
        self, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = tmp_path / "out"
        assert run(["synthesize", str(package), str(out), "--count", "2", "--device", "cpu"]) == 0
        assert "no tunnel and no cavity" in capsys.readouterr().out
        requests = tmp_path / "serve" / "requests"
        requests.mkdir(parents=True)
        for name, more in (("good", {}), ("bad", {"out": str(package / "samples")})):
            asked = {"model": str(package), "settings": {"count": 2, "device": "cpu"}, **more}
            write_json(requests / f"{name}.json", asked, schemas.REQUEST)
        assert serve(tmp_path / "serve", idle_seconds=0.5) == "idle"
        results = tmp_path / "serve" / "results"
        for number in range(2):
            assert (results / "good" / mask_file(number)).read_bytes() == (out / mask_file(number)).read_bytes()
        error = json.loads((results / "bad.error.json").read_text())
        assert "would lie inside the model package" in str(error)
        assert not (package / "samples").exists()


class TestExport:
    def test_cases_are_volumes(self, tmp_path: Path, painted: Path) -> None:
        out = export(painted, tmp_path / "Dataset502_Hearts")
        description = json.loads((out / "dataset.json").read_text())
        assert description["labels"] == {"background": 0, "wall": 1, "blood": 2}
        assert (description["numTraining"], description["channel_names"]) == (8, {"0": "CT"})
        label = sitk.ReadImage(str(out / "labelsTr" / "synthetic_000005.nii.gz"))
        image = sitk.ReadImage(str(out / "imagesTr" / "synthetic_000005_0000.nii.gz"))
        assert np.array_equal(sitk.GetArrayFromImage(label), mask(painted, 5))
        assert set(np.unique(sitk.GetArrayFromImage(image))) <= {-100, 120, 400}
        assert image.GetSpacing() == label.GetSpacing() == (VOXEL,) * 3
        # NIfTI counts to the right and front what the files count to the left and back.
        rows = [[float(label.GetMetaData(f"srow_{axis}").split()[column]) for column in range(4)] for axis in "xyz"]
        assert np.allclose(rows, [[-VOXEL, 0, 0, 0], [0, -VOXEL, 0, 0], [0, 0, VOXEL, 0]])

    def test_masks_alone_are_refused(self, tmp_path: Path, folder: Path) -> None:
        with pytest.raises(InputError, match="no textures"):
            export(folder, tmp_path / "out")

    def test_a_folder_inside_the_synthesis_is_refused(self, painted: Path) -> None:
        with pytest.raises(InputError, match="would lie inside the synthesis"):
            export(painted, painted / "volumes" / "out")
        assert not (painted / "volumes" / "out").exists()


class TestPackage:
    def test_card_tells_of_volumes(self, package: Path) -> None:
        card = (package / "docs/README.md").read_text(encoding="utf-8")
        assert "Volumes of 32 × 32 × 32 voxels of 2 mm." in card
        assert "24 volumes for training, 8 for validation and 8 for testing" in card
        assert "Most frequent topology of the real masks: 1 piece, no tunnel and no cavity." in card
        assert "(pieces,tunnels,cavities: volumes): 1,0,0: 23; 1,1,0: 1." in card
        assert "memorize" in card and "slice" not in card

    def test_metadata_and_reference(self, package: Path, model: Model, cups: TrainingSet) -> None:
        metadata = model.metadata
        assert (metadata.axes, metadata.noun, metadata.told_level, metadata.betti.modal) == (
            3, "volume", False, ((1, 0, 0),),
        )  # fmt: skip
        content = json.loads((package / METADATA).read_text())
        assert content["network_data_format"]["outputs"]["mask"]["spatial_shape"] == [SIZE] * 3
        assert len(model.reference) == len(cups.validation)
        for stored, row in zip(model.reference, cups.validation, strict=True):
            assert stored.birth_index.shape[1] == 3 and (stored.birth_index == -1).all()
            assert np.array_equal(stored.death, cups.diagrams()[row].death)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"axes": 2}, "slices have 64, 128, 256 or 512"),
            ({"axes": 2, "size": 64}, "should have 2 numbers"),
            ({"axes": 4}, "axes: "),
            ({"size": 256}, "volumes have 32, 48, 64, 96 or 128"),
            ({"betti": {"modal": [[1, 0]], "train": {}, "test": {}}}, "should have 3 numbers"),
            ({"topologies": [{"tenth": 0, "betti": "1,0", "count": 3}]}, "should have 3 numbers"),
        ],
    )
    def test_metadata_that_contradict_themselves(
        self, tmp_path: Path, package: Path, changed: dict[str, Any], said: str
    ) -> None:
        copy = shutil.copytree(package, tmp_path / "copy")
        content = json.loads((copy / METADATA).read_text())
        (copy / METADATA).write_text(json.dumps({**content, **changed}))
        with pytest.raises(InputError, match=said) as refused:
            read_metadata(copy, copy)
        assert str(refused.value).count(". ") == 0

    def test_reference_of_slices_is_refused(self, tmp_path: Path, cups: TrainingSet) -> None:
        flat = tmp_path / "diagrams.npz"
        save_diagrams(flat, [cubical_persistence(np.eye(5))])
        with pytest.raises(InputError, match="holds no diagrams"):
            read_reference(flat, 3)
        save_diagrams(flat, cups.diagrams()[:2])
        with pytest.raises(InputError, match="holds no diagrams"):
            read_reference(flat, 2)
        assert len(read_reference(flat, 3)) == 2


def _without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _saying(**changed: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps({**report(folder), **changed}))

    return change


def _written(name: str, array: np.ndarray, spacing: float = VOXEL) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        image = sitk.GetImageFromArray(array)
        image.SetSpacing((spacing,) * 3)
        sitk.WriteImage(image, str(folder / name))

    return change


CUBE = np.ones((SIZE,) * 3, np.uint8)


class TestStrangers:
    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            (_without(mask_file(3)), r"00003_mask\.seg\.nrrd is missing where 8 volumes are said to be"),
            (_without(texture_file(0)), r"00000_texture\.nrrd is missing"),
            (_saying(axes=2), r"masks\.nrrd is missing"),
            (_saying(axes="3"), "axes are 2 or 3"),
            (_saying(count=10**9), "more volumes than a synthesis holds"),
            (_saying(count=9), r"00008_mask\.seg\.nrrd is missing where 9"),
            (_saying(count=None), "more volumes|does not say"),
            (_saying(size=10**6), "volumes have 32, 48, 64, 96, 128 voxels"),
            (_saying(size=48), "is no volume of uint8 48 × 48 × 48"),
            (_saying(table={"structures": [{"name": "wall"}]}), "has a label 2 of 1 that it names"),
            (_written(mask_file(2), CUBE[:20]), r"00002_mask\.seg\.nrrd is no volume of uint8 32 × 32 × 32"),
            (_written(mask_file(2), CUBE, 3.0), r"00002_mask\.seg\.nrrd is no volume .* on the grid of all others"),
            (_written(mask_file(2), CUBE.astype(np.int16)), r"00002_mask\.seg\.nrrd is no volume of uint8"),
            (_written(texture_file(2), CUBE), r"00002_texture\.nrrd is no volume of int16"),
            (lambda folder: (folder / mask_file(1)).write_bytes(b"NRRD0004\n"), "cannot be read: it is damaged"),
        ],
    )
    def test_folders_are_refused_in_a_sentence(
        self, tmp_path: Path, painted: Path, spoil: Callable[[Path], None], said: str
    ) -> None:
        copy = shutil.copytree(painted, tmp_path / "copy")
        spoil(copy)
        with pytest.raises(InputError, match=said):
            export(copy, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_whole_folders_are_read(self, painted: Path, folder: Path) -> None:
        masks, textures = read_masks(painted, report(painted)), read_textures(painted, report(painted))
        assert textures is not None and masks.array.shape == textures.array.shape == (8, SIZE, SIZE, SIZE)
        assert masks.geometry.spacing == (VOXEL,) * 3 and np.array_equal(masks.volume(2).array, mask(painted, 2))
        assert read_textures(folder, report(folder)) is None


def test_results_are_not_written_into_the_model(tmp_path: Path, ring_model: Path) -> None:
    copy = shutil.copytree(ring_model, tmp_path / "model")
    before = sorted(copy.rglob("*"))
    (tmp_path / "link").symlink_to(copy)
    for out in (copy / "samples", copy / "docs" / "samples", tmp_path / "link" / "samples"):
        with pytest.raises(InputError, match=r"would lie inside the model package .*: name a folder outside of it\.$"):
            synthesize(copy, out, SynthesisSettings(count=1))
    assert sorted(copy.rglob("*")) == before
