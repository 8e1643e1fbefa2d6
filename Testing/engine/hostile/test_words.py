"""What a bad input of the corpus cannot show: right input with odd words in it, and who may read what is written."""

from __future__ import annotations

import json
import os
import shutil
import stat
import warnings
from pathlib import Path

import numpy as np
import pytest
from hostile_corpus.scene import labels, save
from matplotlib.image import imsave
from PIL import Image

from topogan import cli
from topogan.errors import WorkError
from topogan.runs.failures import failure_sentence
from topogan.training_set import TrainingSet
from topogan.volumes import PngOptions, open_volume


def test_a_dollar_and_html_in_a_name_are_letters(tmp_path: Path) -> None:
    save(tmp_path / "mask.nii.gz", labels())
    name = r"$\frac{$ <b>x</b> [a](javascript:b)"
    prepared, run = tmp_path / "set", tmp_path / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cli.run(["prepare", str(prepared), "-s", str(tmp_path / "mask.nii.gz"), "--structure", name]) == 0
    assert TrainingSet.open(prepared).table.names == (name,)
    tiny = ["--part", "masks", "--masks-steps", "2", "--masks-width", "4", "--masks-batch", "2", "--masks-latent", "8"]
    assert cli.run(["train", str(prepared), str(run), *tiny]) == 0
    assert cli.run(["synthesize", str(run / "model"), str(tmp_path / "samples"), "--count", "2"]) == 0
    card = (run / "model" / "docs" / "README.md").read_text(encoding="utf-8")
    assert "<" not in card
    assert "](" not in card


def test_the_umask_says_who_may_read(tmp_path: Path, good: dict[str, Path]) -> None:
    before = os.umask(0o027)
    try:
        run = Path(shutil.copytree(good["run"], tmp_path / "run"))
        for path in (run / "checkpoints").iterdir():
            path.chmod(0o640)
        assert cli.run(["resume", str(run), "--dataset", str(good["training_set"])]) == 0
        assert cli.run(["pack", str(run / "model"), str(tmp_path / "model.zip")]) == 0
        assert cli.run(["synthesize", str(tmp_path / "model.zip"), str(tmp_path / "out"), "--count", "2"]) == 0
    finally:
        os.umask(before)
    written = [*(run / "model").rglob("*"), *(run / "checkpoints").iterdir(), *(tmp_path / "out").rglob("*")]
    assert len(written) > 10
    for path in [*written, tmp_path / "model.zip"]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o750 if path.is_dir() else 0o640), path


def test_grey_with_alpha_is_grey(tmp_path: Path) -> None:
    grey = np.array([[0, 127], [128, 255]] * 8, np.uint8).repeat(8, axis=1)
    for name, alpha in (("1.png", 255), ("2.png", 7)):
        Image.fromarray(np.dstack([grey, np.full_like(grey, alpha)]), "LA").save(tmp_path / name)
    (volume,) = open_volume(tmp_path, PngOptions(1.0)).volumes()
    assert np.array_equal(volume.array, [grey, grey])
    imsave(tmp_path / "2.png", np.dstack([grey, grey, grey]))
    (volume,) = open_volume(tmp_path, PngOptions(1.0)).volumes()
    assert np.array_equal(volume.array, [grey, grey])


def test_a_name_in_latin_1_is_no_reason_where_we_read_ourselves(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    for ending in (".nii.gz", ".nrrd", ".mha"):
        right = save(tmp_path / f"mask{ending}", labels())
        (volume,) = open_volume(Path(shutil.copy(right, folder))).volumes()
        assert np.array_equal(volume.array, labels())


def test_no_checkpoint_is_not_called_whole() -> None:
    full = WorkError("full")
    full.__cause__ = OSError(28, "No space left on device")
    for error in (full, KeyError("x")):
        assert "no checkpoint yet" in failure_sentence(error, 0)
        assert "checkpoint of step 5 is whole" in failure_sentence(error, 5)


def test_status_prints_a_strangers_words_as_one_short_line(
    tmp_path: Path, good: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(good["run"], tmp_path / "run"))
    content = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**content, "state": "failed", "error": "\x1b[2J\n\u202e" * 9999}))
    assert cli.run(["status", str(run)]) == 0
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 2
    assert all(line.isprintable() for line in printed.splitlines())
    assert len(printed) < 10_000
