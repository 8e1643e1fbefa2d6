"""The synthesis folder and the export of samples."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.image import imread

from topogan.cli import run
from topogan.config import SynthesisSettings
from topogan.errors import Cancelled, InputError, WorkError
from topogan.export import LAYOUTS, ExportedSamples, export
from topogan.homology import betti_numbers, load_diagrams
from topogan.model import Model, load_model
from topogan.synthesis import synthesize
from topogan.training_set import TrainingSet
from topogan_contract.stacks import Segment, read_stack

SETTINGS = SynthesisSettings(count=12, seed=1)


@pytest.fixture(scope="module")
def model(ring_model: Path) -> Model:
    return load_model(ring_model, discriminators=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, model: Model) -> Path:
    return synthesize(model, tmp_path_factory.mktemp("synthesis") / "samples", SETTINGS)


@pytest.fixture(scope="module")
def masks_only(model: Model) -> Model:
    return replace(model, textures=None)


def stack(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


class TestFolder:
    def test_stacks_are_the_samples(self, folder: Path, model: Model) -> None:
        samples = model.sample(12, seed=1)
        masks, textures = stack(folder / "masks.nrrd"), stack(folder / "textures.nrrd")
        assert (masks.dtype, textures.dtype) == (np.uint8, np.int16)
        assert np.array_equal(masks, samples.labels)
        assert np.array_equal(textures, samples.textures)

    def test_stacks_have_the_pixel_size_and_say_that_they_are_no_volumes(self, folder: Path) -> None:
        for name in ("masks.nrrd", "textures.nrrd"):
            image = sitk.ReadImage(str(folder / name))
            assert image.GetSpacing() == (1.5, 1.5, 1.5)
            assert "not a volume" in image.GetMetaData("content")
        assert "not a volume" in report(folder)["nature"]

    def test_table_fits_the_masks(self, folder: Path, model: Model) -> None:
        masks, table = stack(folder / "masks.nrrd"), rows(folder)
        assert list(table[0]) == [
            "sample", "seed", "level", "b0 ring", "b1 ring", "verdict ring", "area_mm2 ring", "real % ring",
        ]  # fmt: skip
        for index, (mask, row) in enumerate(zip(masks, table, strict=True)):
            assert int(row["sample"]) == index
            assert (int(row["b0 ring"]), int(row["b1 ring"])) == betti_numbers(mask)
            assert float(row["area_mm2 ring"]) == pytest.approx(mask.sum() * 1.5**2, rel=1e-5)
            assert row["level"] == ""
            assert (row["verdict ring"] == "valid") == (betti_numbers(mask) == (1, 1))
        assert "no hole" in {row["verdict ring"] for row in table}
        counts = model.metadata.betti.train["ring"]
        for row in table:
            real = 100 * counts.get(f"{row['b0 ring']},{row['b1 ring']}", 0) / sum(counts.values())
            assert float(row["real % ring"]) == pytest.approx(real, rel=1e-3)
        again = model.draw([int(table[7]["seed"])])
        assert np.array_equal(again.labels[0], masks[7])

    def test_diagrams_are_one_a_sample(self, folder: Path) -> None:
        assert len(load_diagrams(folder / "diagrams.npz")) == 12

    def test_report_counts(self, folder: Path, model: Model) -> None:
        found = report(folder)
        table = rows(folder)
        valid = sum(row["verdict ring"] == "valid" for row in table)
        assert found["schema"] == "topogan.synthesis/2"
        assert (found["count"], found["tries"], found["accepted_percent"]) == (12, 12, 100.0)
        (region,) = found["regions"]
        assert found["requested_betti"] is None and region["expected_betti"] == [1, 1] and found["levels"] is None
        assert found["valid_percent"] == region["valid_percent"] == pytest.approx(100 * valid / 12)
        assert region["betti_histogram"]["1,1"] == valid and sum(region["betti_histogram"].values()) == 12
        assert region["betti_histogram_before_cleaning"] == region["betti_histogram"]
        assert found["summary"] == f"{valid} of 12 samples have 1 piece and 1 hole."
        assert found["window"] == [-200.0, 600.0] and found["pixel_size_mm"] == 1.5
        assert found["center"] == "slice"
        assert found["model"]["content_hash"] == model.metadata.content_hash
        assert found["settings"] == SETTINGS.model_dump(mode="json")

    def test_gallery_shows_masks_on_textures(self, folder: Path) -> None:
        picture = imread(folder / "gallery.png")[..., :3]
        outline = np.array([0xE6, 0x9F, 0x00]) / 255
        close = np.abs(picture - outline).max(axis=-1) < 0.15
        assert close.sum() > 500, "the outlines of the masks are drawn"
        grey = np.ptp(picture, axis=-1) < 0.02
        assert ((picture[..., 0] > 0.2) & (picture[..., 0] < 0.8) & grey).mean() > 0.1, "textures are grey"

    def test_same_settings_same_bytes(self, folder: Path, tmp_path: Path, ring_model: Path) -> None:
        again = synthesize(ring_model, tmp_path / "again", SETTINGS)
        for name in ("masks.nrrd", "textures.nrrd", "samples.csv", "report.json", "gallery.png"):
            assert (again / name).read_bytes() == (folder / name).read_bytes(), name

    def test_no_path_is_written(self, tmp_path: Path, ring_model: Path, ring_training_set: Path) -> None:
        copy = shutil.copytree(ring_model, tmp_path / "Mustermann" / "model")
        out = synthesize(copy, tmp_path / "out", SynthesisSettings(count=1), training_set=ring_training_set)
        for path in out.iterdir():
            content = path.read_bytes()
            for word in ("Mustermann", str(tmp_path), str(ring_training_set)):
                assert word.encode() not in content, path


class TestChoices:
    @pytest.mark.parametrize(("asked", "got"), [("modal", [1, 1]), ("1,0", [1, 0])])
    def test_topology(self, tmp_path: Path, model: Model, asked: str, got: list[int]) -> None:
        out = synthesize(model, tmp_path / "out", SynthesisSettings(count=8, seed=1, betti=asked))
        found = report(out)
        assert found["requested_betti"] == [found["regions"][0]["expected_betti"]] == [got]
        assert found["valid_percent"] == 100.0
        assert found["accepted_percent"] == pytest.approx(800 / found["tries"]) and found["tries"] > 8
        assert {row["verdict ring"] for row in rows(out)} == {"valid"}

    def test_cleaning_is_reported_raw_and_cleaned(self, tmp_path: Path, model: Model) -> None:
        found = report(synthesize(model, tmp_path / "out", SynthesisSettings(count=8, seed=1, clean=4096)))["regions"][
            0
        ]
        assert found["betti_histogram"] == {"1,0": 8}
        assert found["betti_histogram_before_cleaning"] != found["betti_histogram"]

    def test_masks_alone(self, tmp_path: Path, masks_only: Model) -> None:
        out = synthesize(masks_only, tmp_path / "out", SynthesisSettings(count=3))
        assert not (out / "textures.nrrd").exists()
        assert report(out)["intensity"] == "none" and report(out)["window"] is None
        assert (out / "gallery.png").stat().st_size > 1000

    def test_nearest_training_mask(self, tmp_path: Path, model: Model, ring_training_set: Path) -> None:
        real = TrainingSet.open(ring_training_set)
        out = synthesize(model, tmp_path / "out", SynthesisSettings(count=4), training_set=ring_training_set)
        for mask, row in zip(stack(out / "masks.nrrd") == 1, rows(out), strict=True):
            training = [np.asarray(real.masks[index]) == 1 for index in real.train]
            dice = [2 * (mask & other).sum() / (mask.sum() + other.sum()) for other in training]
            assert float(row["dice_to_training"]) == pytest.approx(max(dice), abs=1e-6)
            assert int(row["nearest_training_row"]) == real.train[int(np.argmax(dice))]
        assert report(out)["dice_to_training"]["training_set"] == real.content_hash

    def test_events_rise_to_the_total(self, tmp_path: Path, model: Model) -> None:
        events: list[dict[str, Any]] = []
        synthesize(model, tmp_path / "out", SynthesisSettings(count=8, betti="modal"), on_event=events.append)
        assert {event["kind"] for event in events} == {"step"} and {event["stage"] for event in events} == {"samples"}
        steps = [event["step"] for event in events]
        assert steps == sorted(steps) and steps[-1] == 8 and {event["total"] for event in events} == {8}
        assert events[-1]["values"]["tries"] >= 8


class TestSeveralStructures:
    @pytest.fixture(scope="class")
    def hearts(self, tmp_path_factory: pytest.TempPathFactory, heart_model: Model, heart_training_set: Path) -> Path:
        out = tmp_path_factory.mktemp("hearts") / "samples"
        return synthesize(heart_model, out, SynthesisSettings(count=40, seed=1), training_set=heart_training_set)

    def test_masks_are_labels_that_name_their_segments(self, hearts: Path, heart_model: Model) -> None:
        assert set(np.unique(stack(hearts / "masks.nrrd"))) == {0, 1, 2}
        segments = read_stack(hearts / "masks.nrrd").segments
        assert segments == (Segment("wall", 1, "#e69f00"), Segment("cavity", 2, "#56b4e9"))

    def test_table_has_a_verdict_on_each_structure_and_union(self, hearts: Path, heart_model: Model) -> None:
        table, masks = rows(hearts), stack(hearts / "masks.nrrd")
        assert list(table[0])[:6] == ["sample", "seed", "level", "b0 wall", "b1 wall", "verdict wall"]
        assert list(table[0])[9:14] == [
            "b0 wall + cavity", "b1 wall + cavity", "verdict wall + cavity", "area_mm2 wall", "area_mm2 cavity",
        ]  # fmt: skip
        real = heart_model.metadata.real
        for row, labels in zip(table, masks, strict=True):
            level = float(row["level"])
            for number, region in enumerate(heart_model.metadata.regions):
                betti = betti_numbers(region.of(labels))
                assert (int(row[f"b0 {region.name}"]), int(row[f"b1 {region.name}"])) == betti
                assert row[f"verdict {region.name}"] == real.verdict(betti, number, level)
                share = 100 * real.share(betti, number, level)
                assert float(row[f"real % {region.name}"]) == pytest.approx(share, rel=1e-3)
        middle = [row for row in table if 0.45 < float(row["level"]) < 0.65]
        assert {row["verdict wall"] for row in middle} == {"valid", "no hole"}
        assert {row["verdict wall"] for row in table if float(row["level"]) < 0.1} == {"valid"}

    def test_report_sums_up(self, hearts: Path) -> None:
        found, table = report(hearts), rows(hearts)
        both = [row["verdict wall"][:5] == row["verdict cavity"][:5] == "valid" for row in table]
        assert found["valid_percent"] == pytest.approx(100 * np.mean(both)) and 0 < found["valid_percent"] < 100
        assert [region["name"] for region in found["regions"]] == ["wall", "cavity", "wall + cavity"]
        assert {region["expected_betti"] for region in found["regions"]} == {None}
        assert found["summary"].startswith(
            f"In {found['valid_percent']:.0f} % of 40 samples every structure has a topology that real slices of its "
            "level show: wall "
        )
        levels = [float(row["level"]) for row in table]
        assert found["levels"] == pytest.approx({"lowest": min(levels), "highest": max(levels)}, abs=1e-6)
        assert found["table"]["unions"] == [["wall", "cavity"]]

    def test_diagrams_are_one_a_region(self, hearts: Path) -> None:
        assert len(load_diagrams(hearts / "diagrams.npz")) == 40 * 3

    def test_nearest_training_mask_is_one_of_the_same_labels(self, hearts: Path, heart_training_set: Path) -> None:
        real = TrainingSet.open(heart_training_set)
        for labels, row in list(zip(stack(hearts / "masks.nrrd"), rows(hearts), strict=True))[:5]:
            training = [real.masks[int(index)] for index in real.train]
            dice = [
                2 * ((labels == one) & (one > 0)).sum() / ((labels > 0).sum() + (one > 0).sum()) for one in training
            ]
            assert float(row["dice_to_training"]) == pytest.approx(max(dice), abs=1e-6)

    @pytest.mark.parametrize(
        ("asked", "got"),
        [
            ("modal", [[1, 1], [1, 0], [1, 0]]),
            ("wall=1,1;cavity=1,0", [[1, 1], [1, 0], None]),
            ("1,1", [[1, 1], None, None]),
            ("real", "real"),
            ("wall=real;cavity=1,0", ["real", [1, 0], None]),
        ],
    )
    def test_topology_is_asked_for(self, tmp_path: Path, heart_model: Model, asked: str, got: Any) -> None:
        out = synthesize(heart_model, tmp_path / "out", SynthesisSettings(count=8, seed=1, betti=asked))
        found = report(out)
        assert found["requested_betti"] == got and found["tries"] >= 8
        for number, region in enumerate(found["regions"]):
            wanted = got[number] if isinstance(got[number], list) else None
            assert region["expected_betti"] == wanted
            if wanted:
                assert region["betti_histogram"] == {",".join(map(str, wanted)): 8}
                assert region["valid_percent"] == 100.0
        assert found["valid_percent"] == 100.0 or asked == "1,1"

    def test_gallery_shows_each_structure_in_its_color(self, hearts: Path) -> None:
        picture = imread(hearts / "gallery.png")[..., :3]
        for color in ((0xE6, 0x9F, 0x00), (0x56, 0xB4, 0xE9)):
            assert (np.abs(picture - np.array(color) / 255).max(axis=-1) < 0.15).sum() > 300

    def test_masks_alone_are_shown_in_their_colors(self, tmp_path: Path, heart_model: Model) -> None:
        bare = replace(heart_model, textures=None)
        picture = imread(synthesize(bare, tmp_path / "out", SynthesisSettings(count=4)) / "gallery.png")[..., :3]
        assert (np.abs(picture - np.array((0xE6, 0x9F, 0x00)) / 255).max(axis=-1) < 0.02).sum() > 5000

    def test_another_training_set_is_refused(self, tmp_path: Path, heart_model: Model, ring_training_set: Path) -> None:
        with pytest.raises(InputError, match="shows ring and the model makes wall, cavity"):
            synthesize(heart_model, tmp_path / "out", SynthesisSettings(count=1), training_set=ring_training_set)

    def test_export_has_all_labels(self, tmp_path: Path, hearts: Path) -> None:
        out = export(hearts, tmp_path / "out")
        labels = json.loads((out / "dataset.json").read_text())["labels"]
        assert labels == {"background": 0, "wall": 1, "cavity": 2}
        written = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "labelsTr" / "synthetic_000003.nii.gz")))
        assert np.array_equal(written[0], stack(hearts / "masks.nrrd")[3])

    def test_export_refuses_labels_without_a_name(self, tmp_path: Path, hearts: Path) -> None:
        copy = shutil.copytree(hearts, tmp_path / "copy")
        content = report(copy)
        content["table"] = {"structures": content["table"]["structures"][:1]}
        (copy / "report.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match="has a label 2 of 1 that it names"):
            export(copy, tmp_path / "out")
        (copy / "report.json").write_text(json.dumps({**content, "table": 3}))
        with pytest.raises(InputError, match="does not say what its labels are"):
            export(copy, tmp_path / "out")


class TestNothingIsWritten:
    def test_when_the_topology_is_too_rare(self, tmp_path: Path, model: Model) -> None:
        with pytest.raises(WorkError, match="Only 0 of 4 tries had 9 pieces and 9 holes"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=2, betti="9,9", attempts=2))
        assert not list(tmp_path.iterdir())

    def test_when_cancelled(self, tmp_path: Path, model: Model) -> None:
        with pytest.raises(Cancelled):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=2), cancelled=lambda: True)
        assert not list(tmp_path.iterdir())

    def test_when_the_folder_is_taken(self, tmp_path: Path, ring_model: Path, model: Model) -> None:
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(InputError, match="not empty"):
            synthesize(tmp_path / "missing_model", tmp_path, SynthesisSettings(count=1))
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    def test_when_it_cannot_fit_into_memory(self, tmp_path: Path, model: Model) -> None:
        huge = replace(model, metadata=model.metadata.model_copy(update={"size": 256}))
        with pytest.raises(InputError, match="at most 4096"):
            synthesize(huge, tmp_path / "out", SynthesisSettings(count=100_000))
        assert not list(tmp_path.iterdir())

    def test_when_the_training_set_does_not_fit(self, tmp_path: Path, model: Model, ring_training_set: Path) -> None:
        other = replace(TrainingSet.open(ring_training_set), size=128)
        with pytest.raises(InputError, match="patches of 128 pixels and the model makes 64"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=1), training_set=other)
        with pytest.raises(InputError):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=1), training_set=tmp_path / "none")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("name", ["masks.nrrd", "textures.nrrd"])
    def test_when_the_disk_fills_up(
        self, tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        def full(path: Path, *_: object) -> None:
            if path.name == name:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("topogan.synthesis.writing._write_stack", full)
        with pytest.raises(WorkError, match=r"The disk of .* is full"):
            synthesize(model, tmp_path / "out", SynthesisSettings(count=2))
        assert not list(tmp_path.iterdir())

    def test_when_it_fails_the_old_one_stays(self, tmp_path: Path, model: Model) -> None:
        out = synthesize(model, tmp_path / "out", SynthesisSettings(count=1))
        before = (out / "report.json").read_bytes()
        with pytest.raises(WorkError):
            synthesize(model, out, SynthesisSettings(count=1, betti="9,9", attempts=1), overwrite=True)
        assert (out / "report.json").read_bytes() == before
        synthesize(model, out, SynthesisSettings(count=2), overwrite=True)
        assert report(out)["count"] == 2


class TestExport:
    @pytest.mark.parametrize("name", ["synthetic_000001_0000.nii.gz", "synthetic_000001.nii.gz"])
    def test_a_disk_that_fills_up_without_a_word(
        self, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        write = sitk.WriteImage

        def truncated(image: sitk.Image, path: str, useCompression: bool) -> None:
            write(image, path, useCompression=useCompression)
            if path.endswith(name):
                os.truncate(path, os.path.getsize(path) - 20)

        monkeypatch.setattr(sitk, "WriteImage", truncated)
        with pytest.raises(WorkError, match=f"{name} could not be written completely"):
            export(folder, tmp_path / "Dataset501_Ring")
        assert not list(tmp_path.iterdir())

    def test_layout_is_that_of_nnunet(self, tmp_path: Path, folder: Path) -> None:
        out = export(folder, tmp_path / "Dataset501_Ring")
        description = json.loads((out / "dataset.json").read_text())
        assert description["channel_names"] == {"0": "CT"}
        assert description["labels"] == {"background": 0, "ring": 1}
        assert (description["numTraining"], description["file_ending"]) == (12, ".nii.gz")
        images = sorted(path.name for path in (out / "imagesTr").iterdir())
        labels = sorted(path.name for path in (out / "labelsTr").iterdir())
        assert images == [f"synthetic_{index:06d}_0000.nii.gz" for index in range(12)]
        assert labels == [f"synthetic_{index:06d}.nii.gz" for index in range(12)]

    def test_cases_are_the_samples_on_one_grid(self, tmp_path: Path, folder: Path) -> None:
        out = export(folder, tmp_path / "out")
        for index in (0, 11):
            image = sitk.ReadImage(str(out / "imagesTr" / f"synthetic_{index:06d}_0000.nii.gz"))
            label = sitk.ReadImage(str(out / "labelsTr" / f"synthetic_{index:06d}.nii.gz"))
            assert image.GetSize() == label.GetSize() == (64, 64, 1)
            assert image.GetOrigin() == label.GetOrigin() == (0.0, 0.0, 0.0)
            assert image.GetSpacing() == label.GetSpacing() == (1.5, 1.5, 1.5)
            assert np.array_equal(sitk.GetArrayFromImage(image)[0], stack(folder / "textures.nrrd")[index])
            assert np.array_equal(sitk.GetArrayFromImage(label)[0], stack(folder / "masks.nrrd")[index])

    def test_a_layout_from_outside_is_one_entry(
        self, tmp_path: Path, folder: Path, masks_only: Model, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def write_masks(samples: ExportedSamples, out: Path) -> None:
            np.save(out / "masks.npy", samples.masks.array)

        monkeypatch.setitem(LAYOUTS, "masks", write_masks)
        bare = synthesize(masks_only, tmp_path / "bare", SynthesisSettings(count=2))
        assert run(["export", str(bare), str(tmp_path / "out"), "--layout", "masks"]) == 0
        assert np.array_equal(np.load(tmp_path / "out" / "masks.npy"), stack(bare / "masks.nrrd"))
        assert json.loads((tmp_path / "out" / "topogan.json").read_text())["layout"] == "masks"

    def test_an_unknown_layout_is_refused_before_anything_is_written(self, tmp_path: Path, folder: Path) -> None:
        with pytest.raises(InputError, match="The setting layout cannot be 'nnUNet': choose nnunet"):
            export(folder, tmp_path / "out", "nnUNet")
        assert not list(tmp_path.iterdir())

    def test_refusals(self, tmp_path: Path, folder: Path, masks_only: Model) -> None:
        bare = synthesize(masks_only, tmp_path / "bare", SynthesisSettings(count=1))
        damaged = shutil.copytree(folder, tmp_path / "damaged")
        (damaged / "masks.nrrd").write_bytes(b"NRRD0004\n")
        for source, said in ((bare, "no textures"), (tmp_path, "missing"), (damaged, "masks.nrrd")):
            with pytest.raises(InputError, match=said):
                export(source, tmp_path / "out")
        with pytest.raises(InputError, match="not empty"):
            export(folder, bare)
        assert not (tmp_path / "out").exists()
