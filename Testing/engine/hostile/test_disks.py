"""Disks that are full or cannot be written, files that cannot be read: one sentence, and nothing half."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hostile_corpus.scene import labels, save, scan
from kill_commands import fingerprint

from topogan.cli import run

TINY = ["--masks-steps", "4", "--textures-steps", "2", "--masks-batch", "4", "--textures-batch", "2", "--threads", "1"]
TINY += ["--masks-width", "4", "--textures-width", "4", "--checkpoint-every", "2", "--preview-every", "2"]

WEIGHTS = "model/models/masks_generator.safetensors"
LARGE = 128 << 10

Arguments = Callable[[Path], list[str]]


@pytest.fixture(scope="module")
def mask(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(tmp_path_factory.mktemp("volumes") / "mask.nii.gz", labels())


@pytest.fixture(scope="module")
def commands(good: dict[str, Path], mask: Path) -> dict[str, Arguments]:
    """Every command that writes, by its name; takes the disk."""
    ct = str(save(mask.parent / "ct.nii.gz", scan(labels())))
    return {
        "phantom": lambda disk: ["phantom", str(disk / "out"), "--patients", "1", "--phases", "1"],
        "prepare": lambda disk: ["prepare", str(disk / "out"), "--segmentation", str(mask), "--ct", ct],
        "train": lambda disk: ["train", str(good["training_set"]), str(disk / "out"), *TINY],
        "synthesize": lambda disk: ["synthesize", str(good["model"]), str(disk / "out"), "--count", "64"],
        "export": lambda disk: ["export", str(good["synthesis"]), str(disk / "out")],
        "pack": lambda disk: ["pack", str(good["model"]), str(disk / "out.zip")],
        "evaluate": lambda disk: [
            "evaluate", str(good["synthesis"]), "--training-set", str(good["training_set"]),
            "--report", str(disk / "out.html"),
        ],
    }  # fmt: skip


@contextmanager
def mounted(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A disk of its own of a few kilobytes."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk to fill cannot be mounted here: only the superuser of Linux may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def used(disk: Path) -> int:
    """Kilobytes in use."""
    state = os.statvfs(disk)
    return (state.f_blocks - state.f_bfree) * state.f_frsize // 1024


NAMES = ("phantom", "prepare", "train", "synthesize", "export", "pack", "evaluate")


@pytest.mark.parametrize("name", NAMES)
def test_full_disk(
    name: str, commands: dict[str, Arguments], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Full at several stages of the work, from the first file on: said, and nothing is left."""
    with mounted(tmp_path / "whole", kilobytes=LARGE) as whole:
        assert run(commands[name](whole)) == 0
        needed = used(whole)
    capfd.readouterr()
    # An evaluation writes at its end alone.
    for share in (0.4,) if name == "evaluate" else (0.0, 0.4, 0.9):
        with mounted(tmp_path / "disk", kilobytes=max(8, int(share * needed))) as disk:
            assert run(commands[name](disk)) == 1
            said = capfd.readouterr().err
            assert said.count("\n") == 1, said
            assert "free some space" in said, said
            assert not re.search(r"\.(partial|replaced)", said), "a name that the user does not know"
            left = sorted(path.name for path in disk.iterdir())
            # A run that had begun stays, with its last whole checkpoint and a status that says why it failed.
            assert left in ([], ["out"]) if name == "train" else left == [], left


@pytest.mark.parametrize("name", ["prepare", "synthesize", "export", "pack", "evaluate"])
def test_full_disk_keeps_the_older_result(
    name: str, commands: dict[str, Arguments], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "whole", kilobytes=LARGE) as whole:
        assert run(commands[name](whole)) == 0
        needed = used(whole)
    with mounted(tmp_path / "disk", kilobytes=int(1.5 * needed)) as disk:
        assert run(commands[name](disk)) == 0
        before = fingerprint(disk)
        capfd.readouterr()
        assert run([*commands[name](disk), "--overwrite"]) == 1
        assert "free some space" in capfd.readouterr().err
        assert fingerprint(disk) == before


def test_a_run_on_a_full_disk_goes_on_when_there_is_space(
    good: dict[str, Path], commands: dict[str, Arguments], tmp_path: Path
) -> None:
    with mounted(tmp_path / "whole", kilobytes=LARGE) as whole:
        assert run(commands["train"](whole)) == 0
        model = (whole / "out" / WEIGHTS).read_bytes()
        needed = used(whole)
    with mounted(tmp_path / "disk", kilobytes=int(0.6 * needed)) as disk:
        assert run(commands["train"](disk)) == 1
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert run(["resume", str(disk / "out"), "--dataset", str(good["training_set"])]) == 0
        assert (disk / "out" / WEIGHTS).read_bytes() == model


@pytest.mark.parametrize("name", NAMES)
def test_disk_that_cannot_be_written(
    name: str, commands: dict[str, Arguments], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with mounted(tmp_path / "disk", kilobytes=64) as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code = run(commands[name](disk))
        said = capfd.readouterr().err
        assert code == 2, said
        assert said.count("\n") == 1 and "cannot be written" in said, said


def test_a_whole_disk_is_no_output_folder(mask: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An empty disk looks like an empty folder, but nothing can take its place."""
    with mounted(tmp_path / "disk", kilobytes=LARGE) as disk:
        assert run(["prepare", str(disk), "--segmentation", str(mask)]) == 2
        assert "is a whole disk" in capfd.readouterr().err
        assert run(["prepare", str(disk / "set"), "--segmentation", str(mask)]) == 0


def test_run_that_cannot_be_written(good: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A run on a disk that is read-only can be looked at, and says why it cannot go on."""
    with mounted(tmp_path / "disk", kilobytes=64 << 10) as disk:
        folder = Path(shutil.copytree(good["run"], disk / "run"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert run(["status", str(folder)]) == 0
        assert run(["resume", str(folder), "--dataset", str(good["training_set"])]) == 2
        said = capfd.readouterr()
        assert said.out.startswith("stopped: step 3 of 6")
        assert "cannot be written (Read-only file system)" in said.err


def test_the_status_of_a_run_behind_a_link(
    good: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who only looks may name a link; the corpus holds that none within a run is followed."""
    (tmp_path / "link").symlink_to(good["run"], target_is_directory=True)
    assert run(["status", str(tmp_path / "link")]) == 0
    assert capfd.readouterr().out.startswith("stopped: step 3 of 6")


@contextmanager
def nobody() -> Iterator[None]:
    """Without the superuser's right to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def common(mask: Path) -> Iterator[Path]:
    """A folder that everyone may enter, with a mask in it; pytest's own may be entered by their owner alone."""
    folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    folder.chmod(0o755)
    shutil.copy(mask, folder / "mask.nii.gz")
    yield folder
    shutil.rmtree(folder)


def test_unreadable_input(common: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = common / "mask.nii.gz"
    locked = common / "locked"
    locked.mkdir()
    shutil.copy(path, locked / "inside.nii.gz")
    path.chmod(0)
    locked.chmod(0)
    for arguments, what in (
        ([str(path)], path),
        ([str(locked)], locked),
        ([str(locked / "inside.nii.gz")], locked / "inside.nii.gz"),
    ):
        with nobody():
            code = run(["prepare", str(common / "out"), "--segmentation", *arguments])
        said = capfd.readouterr().err
        assert code == 2, said
        assert said.count("\n") == 1
        assert str(what) in said and "(Permission denied)" in said, said


def test_unwritable_output(common: Path, mask: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with nobody():
        code = run(["prepare", str(common / "new" / "out"), "--segmentation", str(common / "mask.nii.gz")])
    said = capfd.readouterr().err
    assert code == 2, said
    assert "cannot be written" in said


def test_a_second_training_in_the_same_folder(
    good: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """While a run works, nobody else trains, resumes or replaces it."""
    from topogan.config import MaskSettings, TrainSettings
    from topogan.training import train

    said = []

    def meanwhile(event: dict) -> None:
        if event["kind"] == "step" and event["step"] == 2 and not said:
            for arguments in (
                ["train", str(good["training_set"]), str(tmp_path / "run"), *TINY],
                ["train", str(good["training_set"]), str(tmp_path / "run"), *TINY, "--overwrite"],
                ["resume", str(tmp_path / "run"), "--dataset", str(good["training_set"])],
            ):
                code = run(arguments)
                said.append((code, capfd.readouterr().err))

    settings = TrainSettings(part="masks", masks=MaskSettings(width=4, latent=8, steps=4, batch=4), threads=1)
    train(good["training_set"], tmp_path / "run", settings, on_event=meanwhile)
    assert [code for code, _ in said] == [2, 2, 2]
    assert all("A training is running in" in sentence for _, sentence in said), said
    assert (tmp_path / "run" / "model").is_dir()
