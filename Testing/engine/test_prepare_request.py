"""``topogan train SET RUN --prepare FOLDER``: what the panel starts as one process, and how it ends it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.cli import run
from topogan.config import MaskSettings, Part, TextureSettings, TrainSettings
from topogan.dataset.request import prepare_as_requested
from topogan.errors import Cancelled, InputError
from topogan.presets import asked_batch, fit_batches, train_settings
from topogan.runs import read_status
from topogan.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("no_previews")

SLICES = 42
TINY = ["--masks-steps", "3", "--masks-width", "4", "--textures-steps", "2", "--textures-width", "4", "--threads", "1"]
MASKS = TrainSettings(part=Part.MASKS)


@pytest.fixture(autouse=True)
def own_settings_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, home)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tube in 42 slices, as a segmentation and its CT."""
    folder = tmp_path_factory.mktemp("own data")
    row, column = np.indices((40, 40)) - 19.5
    distance = np.hypot(row, column)
    labels = np.repeat(((distance < 14) & (distance >= 7))[None], SLICES, axis=0).astype(np.uint8)
    scan = np.where(labels, 300, -100).astype(np.int16)
    for name, array in (("mask", labels), ("ct", scan)):
        sitk.WriteImage(sitk.GetImageFromArray(array), folder / f"{name}.nii.gz")
    return folder / "mask.nii.gz", folder / "ct.nii.gz"


def ask(folder: Path, volumes: tuple[Path, Path], **changes: Any) -> Path:
    """Write a request into a new folder, as the panel does; ``changes`` of the request, or of its only source."""
    source = {"segmentations": [str(volumes[0])], "images": [str(volumes[1])], "patient": "", "plane": "axial"}
    source |= {name: changes.pop(name) for name in [*source, "cases"] if name in changes}
    request = {
        "schema": "topogan.prepare-request/1",
        "sources": [source],
        "settings": {"structure": "tube", "pixel_size": 1.0},
        "temporary": True,
        **changes,
    }
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(request))
    return folder


def copies(folder: Path, volumes: tuple[Path, Path], count: int) -> dict[str, list[str]]:
    """Several files of equal content, as a source names them."""
    folder.mkdir()
    found = []
    for name, volume in zip(("mask", "ct"), volumes, strict=True):
        paths = [folder / f"{name}{number}.nii.gz" for number in range(count)]
        for path in paths:
            path.write_bytes(volume.read_bytes())
        found.append([str(path) for path in paths])
    return {"segmentations": found[0], "images": found[1]}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_whole_way_in_one_process(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    ask(tmp_path / "request", volumes)
    command = [sys.executable, "-m", "topogan", "train", "set", "run", "--prepare", "request", *TINY]
    environment = {**os.environ, "TOPOGAN_TRACEBACK": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    log = tmp_path / "run" / "log.txt"
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + (log.read_text() if log.exists() else "")
    assert read_status(tmp_path / "run").state == "finished"
    assert TrainingSet.open(tmp_path / "set").table.names == ("tube",)
    assert names(tmp_path) == {"set", "run"}, "no copy of patient data is left"
    assert "masks.batch is" in done.stdout
    assert "No slice is left" not in done.stdout


def test_folders_of_volumes(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    for name, volume in zip(("masks", "scans"), volumes, strict=True):
        (tmp_path / name).mkdir()
        for patient in ("a", "b"):
            (tmp_path / name / f"{patient}.nii.gz").write_bytes(volume.read_bytes())
    folders = {"segmentations": [str(tmp_path / "masks")], "images": [str(tmp_path / "scans")]}
    prepare_as_requested(ask(tmp_path / "request", volumes, **folders), tmp_path / "set", TrainSettings(), print)
    assert len(TrainingSet.open(tmp_path / "set").masks) == 2 * SLICES


def test_a_folder_that_is_not_temporary_stays(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    request = ask(tmp_path / "request", volumes, temporary=False)
    (request / "notes.txt").touch()
    prepare_as_requested(request, tmp_path / "set", TrainSettings(), print)
    assert names(request) == {"request.json", "notes.txt"}


def test_a_file_stops_the_preparation(volumes: tuple[Path, Path], tmp_path: Path) -> None:
    """Asked while volumes are measured, and again while patches are cut; nothing is left."""
    for moment in ("measure", "cut"):
        request = ask(tmp_path / moment, volumes, **copies(tmp_path / f"{moment} data", volumes, 3))
        seen = []

        def stop(event: dict[str, Any], request: Path = request, moment: str = moment, seen: list = seen) -> None:
            seen.append(event.get("stage"))
            if event.get("stage") == moment:
                (request / "stop").touch()

        with pytest.raises(Cancelled, match=r"The preparation was stopped\."):
            prepare_as_requested(request, tmp_path / "set", TrainSettings(), stop)
        assert seen.count(moment) == 1
        assert names(tmp_path) <= {"measure data", "cut data"}


def test_a_stop_is_exit_code_1_and_a_sentence(
    volumes: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ask(tmp_path / "request", volumes)
    (request / "stop").touch()
    assert run(["train", str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(request)]) == 1
    assert capsys.readouterr().err == "The preparation was stopped.\n"
    assert names(tmp_path) == set()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": "topogan.prepare-request/2"}, "another version of TopoGAN"),
        ({"segmentations": "mask.nii.gz"}, "segmentations"),
        ({"segmentations": []}, "segmentations, or a table of cases"),
        ({"sources": []}, "sources"),
        ({"sources": None}, "sources"),
        ({"sources": ["/a"]}, r"sources\.0 cannot be '/a': it should be a group of values"),
        ({"patient": 7}, r"sources\.0\.patient cannot be 7"),
        ({"patient": "p" * 201}, r"sources\.0\.patient"),
        ({"cases": "/a.csv"}, "nothing else beside a table of cases"),
        ({"sources": [{"cases": "a.csv"}]}, "absolute path"),
        ({"sources": [{"cases": "/nowhere.csv"}]}, "nowhere.csv does not exist"),
        ({"sources": [{"segmentations": ["/a"], "name": "Smith"}]}, r"sources\.0\.name does not exist"),
        ({"segmentations": ["mask.nii.gz"]}, "absolute path"),
        ({"segmentations": ["/a\0b"]}, "absolute path"),
        ({"segmentations": ["/\ud800"]}, "segmentations"),
        ({"segmentations": [7]}, "segmentations"),
        ({"segmentations": ["/nowhere.nii.gz"]}, "nowhere.nii.gz"),
        ({"segmentations": ["/a"] * 100_001}, "segmentations"),
        ({"images": None}, "images"),
        ({"images": []}, "choose the part masks"),
        ({"plane": "sagittal"}, "The plane in"),
        ({"plane": [[1, 2], [3]]}, "The plane in"),
        ({"plane": {"a": 1}}, "The plane in"),
        ({"plane": [[2.0] * 4] * 4}, "not orthogonal unit vectors"),
        ({"settings": {"size": 63}}, r"settings\.size cannot be 63"),
        ({"settings": {"pixel_size": "wide"}}, r"settings\.pixel_size cannot be 'wide'"),
        ({"settings": {"png_structure": "x"}}, r"settings\.png_structure cannot be 'x': What"),
        ({"settings": {"sise": 64}}, r"settings\.sise does not exist"),
        ({"settings": [1]}, "settings"),
        ({"overwrite": True}, "overwrite does not exist"),
    ],
)
def test_a_wrong_request_is_one_sentence_and_nothing_is_done(
    volumes: tuple[Path, Path], tmp_path: Path, changes: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the engine's own, and of both commands; a copy of patient data that it knows of is gone."""
    left = {"1"} if "schema" in changes else set()
    with pytest.raises(InputError, match=said):
        prepare_as_requested(ask(tmp_path / "1", volumes, **changes), tmp_path / "set", TrainSettings(), print)
    assert names(tmp_path) == left
    request = ask(tmp_path / "2", volumes, **changes)
    assert run(["train", str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(request)]) == 2
    if changes != {"images": []}:  # enough for a set
        request = ask(tmp_path / "3", volumes, **changes)
        assert run(["prepare", str(tmp_path / "set"), "--request", str(request)]) == 2
    assert {line.endswith(".") for line in capsys.readouterr().err.splitlines()} == {True}
    assert names(tmp_path) <= {"1", "2", "3"} if left else not names(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "9" * 10_000])
def test_what_is_no_request_at_all(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    request = tmp_path / "request"
    arguments = ["train", str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(request)]
    assert run(arguments) == 2, "there is no folder"
    request.mkdir()
    (request / "request.json").write_text(text)
    assert run(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 2
    assert names(tmp_path) == {"request"}


@pytest.mark.parametrize("existing", ["set", "run"])
def test_what_exists_is_refused_before_any_work(
    volumes: tuple[Path, Path], tmp_path: Path, existing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / existing).mkdir()
    (tmp_path / existing / "mine.txt").write_text("mine")
    request = ask(tmp_path / "request", volumes)
    assert run(["train", str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(request)]) == 2
    said = capsys.readouterr()
    assert "is not empty" in said.err
    assert "measure" not in said.out
    assert names(tmp_path) - {"request"} == {existing}


def test_a_batch_that_was_asked_for_is_refused_before_patches_are_cut(
    volumes: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ask(tmp_path / "request", volumes)
    arguments = ["train", str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(request)]
    assert run([*arguments, "--masks-batch", "32"]) == 2
    said = capsys.readouterr()
    assert "at least 32 and 1 are needed" in said.err
    assert "choose a smaller batch" in said.err
    assert "measure 1/1" in said.out
    assert "cut" not in said.out
    assert names(tmp_path) == set()


def test_a_demo_on_one_small_scan(volumes: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """42 slices leave fewer for training than the default batch: it adapts and says so."""
    from topogan import demo

    monkeypatch.setattr(demo, "_check_slicer_core", lambda: None)
    monkeypatch.setattr(demo, "_make_scene", lambda samples, out: "")
    monkeypatch.setattr(demo, "SAMPLES", 4)
    given = {"masks": {"steps": 2, "width": 4}, "textures": {"steps": 2, "width": 4}, "threads": 1}
    events: list[dict[str, Any]] = []
    demo.run_demo(
        tmp_path / "out", [volumes[0]], [volumes[1]], ({}, None), given, overwrite=False, on_event=events.append
    )
    slices = len(TrainingSet.open(tmp_path / "out" / "training_set").train)
    assert 16 <= slices < 32
    said = f"masks.batch is {slices} and not 32: there are no more slices for training."
    assert said in [event["text"] for event in events if event["kind"] == "message"]
    settings = json.loads((tmp_path / "out" / "run" / "config.json").read_text())["settings"]
    assert settings["masks"]["batch"] == slices
    assert settings["textures"]["batch"] == 4


def test_what_was_asked_for_is_told_from_presets_and_defaults() -> None:
    paper = train_settings("paper", {"masks": {"steps": 5}})
    assert (paper.masks.batch, paper.masks.steps, asked_batch(paper)) == (128, 5, 0)
    assert asked_batch(train_settings("paper", {"masks": {"batch": 64}})) == 64
    assert asked_batch(TrainSettings(masks=MaskSettings(batch=32))) == 32
    masks_alone = TrainSettings(part=Part.MASKS, textures=TextureSettings(batch=99))
    assert asked_batch(masks_alone) == 0
    assert fit_batches(masks_alone, 40) == (masks_alone, [])


def test_batches_fit_or_are_refused() -> None:
    fitted, said = fit_batches(train_settings("paper", {}), 20)
    assert (fitted.masks.batch, fitted.textures.batch) == (20, 4)
    assert said == ["masks.batch is 20 and not 128: there are no more slices for training."]
    with pytest.raises(InputError, match=r"masks\.batch is 128 and the training set has 20 slices"):
        fit_batches(train_settings("quick", {"masks": {"batch": 128}}), 20)
