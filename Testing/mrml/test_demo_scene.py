"""The program that makes the demo's scene and pictures, as the demo starts it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from TopoGANLib.headless import demo_scene
from TopoGANLib.headless.application import SceneError

MakeFolder = Callable[..., Path]
PICTURES = ("slices.png", "barcode.png", "diagram.png", "gallery.png")


def run(*arguments: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "TopoGANLib.headless.demo_scene", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def picture(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_scene_and_pictures_are_written_and_named(synthesis_folder: Path, tmp_path: Path) -> None:
    done = run(synthesis_folder, tmp_path / "out" / "scene")
    assert done.returncode == 0, done.stderr
    assert "ERR|" not in done.stderr, "no error of VTK or MRML"
    for name in ("scene.mrb", *PICTURES):
        assert (tmp_path / "out" / "scene" / name).is_file()
        assert name in done.stdout
    for name in PICTURES:
        drawn = picture(tmp_path / "out" / "scene" / name)
        assert drawn.shape[1] >= 800
        assert drawn.std() > 10, "not blank"


@pytest.mark.parametrize(("count", "textures"), [(1, True), (3, False), (60, True)])
def test_any_number_of_samples_fills_the_pictures(
    make_folder: MakeFolder, tmp_path: Path, count: int, textures: bool
) -> None:
    folder = make_folder("samples", count=count, textures=textures)
    demo_scene.make_demo_scene(folder, tmp_path / "out")
    gallery = picture(tmp_path / "out" / "gallery.png")
    tiles = min(count, demo_scene.GALLERY_COLUMNS * demo_scene.GALLERY_ROWS)
    columns = min(count, demo_scene.GALLERY_COLUMNS)
    assert gallery.shape[1] >= 800
    size = (gallery.shape[1] - 4) // columns
    assert (gallery.shape[0] - 4) // size == -(-tiles // columns)
    assert picture(tmp_path / "out" / "slices.png").shape[1] >= 800


def test_several_structures_have_a_barcode_each(structures_folder: Path, tmp_path: Path) -> None:
    written = demo_scene.make_demo_scene(structures_folder, tmp_path / "out")
    assert len(written) == 5
    assert picture(tmp_path / "out" / "barcode.png").shape[0] == 3 * (560 + 4) + 4


def test_running_it_again_replaces_the_files(synthesis_folder: Path, tmp_path: Path) -> None:
    demo_scene.make_demo_scene(synthesis_folder, tmp_path / "out")
    (tmp_path / "out" / "slices.png").write_bytes(b"old")
    demo_scene.make_demo_scene(synthesis_folder, tmp_path / "out")
    assert picture(tmp_path / "out" / "slices.png").ndim == 3


def test_a_wrong_folder_is_exit_code_2_and_one_sentence(tmp_path: Path) -> None:
    done = run(tmp_path, tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.strip() == (
        f"{tmp_path} holds no report.json: it is not a synthesis folder, choose one that 'topogan synthesize' wrote."
    )
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_a_file_is_one_sentence(synthesis_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(SceneError, match="out cannot be made"):
        demo_scene.make_demo_scene(synthesis_folder, tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_without_opengl_the_scene_is_complete_and_the_exit_code_is_1(
    synthesis_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_can_be_drawn(*_: object) -> None:
        raise SceneError("no OpenGL")

    monkeypatch.setattr(demo_scene, "SliceViewPicture", nothing_can_be_drawn)
    assert demo_scene.main([str(synthesis_folder), str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "no OpenGL"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scene.mrb"]
