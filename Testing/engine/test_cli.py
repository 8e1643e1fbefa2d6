"""The command line's manners: help one can read, one sentence for a mistake, the contract's exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from topogan import cli
from topogan.cli import run
from topogan.homology import gudhi_cubical
from topogan.progress import ProgressReporter, duration

COMMANDS = [
    "phantom", "prepare", "train", "resume", "stop", "status",
    "synthesize", "serve", "evaluate", "downstream", "paint", "export", "pack", "demo", "doctor", "version",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert "Usage: topogan" in capsys.readouterr().out


def test_help_shows_unit_range_and_default(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    run(["train", "--help"])
    assert "masks per step. (2 to 512; default 32)" in " ".join(capsys.readouterr().out.split()).lower()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "set"], "Missing argument 'out'"),
        (["train", "set", "run", "--device", "gpu"], "'gpu' is not one of 'auto', 'cuda', 'mps', 'cpu'"),
        (["prepare", "out", "--context", "lung"], "'--context': 'lung' is not one of 'lungs', 'bone', 'body': see"),
        (["train", "set", "run", "--masks-steps", "many"], "--masks-steps"),
        (["train", "set", "run", "--masks-width", "1"], "masks.width cannot be 1"),
        (["train", "set", "run", "--preset", "slow"], "There is no preset 'slow'"),
        (["train", "nowhere", "run"], "nowhere"),
        (["resume", "nowhere"], "nowhere"),
        (["stop", "nowhere"], "nowhere"),
        (["status", "nowhere"], "nowhere"),
        (["synthesize", "nowhere", "out"], "nowhere"),
        (["synthesize", "nowhere", "out", "--betti", "lots"], "betti cannot be 'lots'"),
        (["synthesize", "nowhere", "out", "--betti", "a=1,1", "--betti", "b"], "betti cannot be 'a=1,1;b'"),
        (["evaluate", "nowhere", "--training-set", "nowhere"], "nowhere"),
        (["downstream", "nowhere", "--training-set", "nowhere"], "nowhere"),
        (["export", "nowhere", "out"], "nowhere"),
        (["pack", "nowhere", "model.zip"], "nowhere"),
        (["synthesize", "nowhere", "out", "--betti", "lots"], "for one piece and one hole"),
        (["prepare", "out"], "No segmentation was given"),
        (["prepare", "out", "-s", "nowhere.nii.gz"], "nowhere.nii.gz"),
        (["prepare", "out", "-s", "nowhere.nii.gz", "--plane", "sagittal"], "sagittal"),
        (["demo", "out", "--ct", "nowhere.nii.gz"], "--segmentation"),
        (["demo", "out", "--structure", "a=1", "--structure", "b=2"], "Structures were named without --segmentation"),
        (["phantom", "out", "--patients", "0"], "patients cannot be 0"),
    ],
)
def test_a_mistake_is_one_sentence_and_code_2(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1, "one sentence"
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_existing_output_is_refused_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert run(["phantom", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert run(["phantom", str(tmp_path), "--overwrite"]) == 2
    assert "was not written by TopoGAN" in capsys.readouterr().err
    assert run(["demo", str(tmp_path)]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_doctor_reports_this_environment(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == (1 if found["problems"] else 0)
    assert found["schema"] == "topogan.doctor/1"
    assert "cpu" in found["devices"]
    assert found["packages"]["gudhi"]


def test_doctor_notes_a_gudhi_without_the_fast_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topogan.doctor.nvidia_gpu", lambda: "")
    assert run(["doctor"]) == 0
    assert "gudhi (" not in capsys.readouterr().out
    monkeypatch.setattr(gudhi_cubical, "import_module", lambda name: object())
    assert run(["doctor"]) == 0
    assert "lacks the fast routine" in capsys.readouterr().out


def test_interrupt_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupt)
    assert run(["version"]) == 1
    assert capsys.readouterr().err == "Interrupted.\n"


def test_progress_away_from_a_terminal_is_plain_lines() -> None:
    out = io.StringIO()
    with ProgressReporter(Console(file=out, force_terminal=False)) as report:
        for step in range(101):
            report({"kind": "step", "stage": "masks", "step": step, "total": 100, "values": {"loss": 0.5}})
        report({"kind": "message", "text": "3 [of] 4"})
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("masks 0/100")
    assert lines[-2].startswith("masks 100/100")
    assert lines[-1] == "3 [of] 4"
    assert "\x1b" not in out.getvalue() and "\r" not in out.getvalue()


def test_a_panel_that_reads_the_lines_gets_more_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr("topogan.progress.time.monotonic", lambda: next(clock))
    lines = []
    for seconds in (1.0, 10.0):
        out = io.StringIO()
        with ProgressReporter(Console(file=out), seconds_between_lines=seconds) as report:
            for step in range(30):
                report({"kind": "step", "stage": "paint", "step": step, "total": 100})
        lines.append(len(out.getvalue().splitlines()))
    assert lines == [30, 3]


def test_time_left_is_shown_after_20_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr("topogan.progress.time.monotonic", lambda: next(clock))
    out = io.StringIO()
    with ProgressReporter(Console(file=out, width=200)) as report:
        for step in range(25):
            report({"kind": "step", "stage": "masks", "step": step, "total": 100})
    lines = out.getvalue().splitlines()
    assert "left" not in lines[19]
    assert lines[20].endswith("left")


@pytest.mark.parametrize(("seconds", "text"), [(4.4, "4 s"), (120, "2 min"), (3600 * 2 + 300, "2 h 05 min")])
def test_durations_are_said_as_people_do(seconds: float, text: str) -> None:
    assert duration(seconds) == text
