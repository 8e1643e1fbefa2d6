"""Nothing half written, nothing foreign deleted, no schema misread."""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from pathlib import Path

import pytest

from topogan import files
from topogan.errors import DiskFull, InputError, WorkError
from topogan_contract import schemas


def test_staged_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with files.staged_folder(out, False, schemas.SYNTHESIS) as work:
        (work / "a.txt").write_text("a")
        assert not out.exists()
    assert (out / "a.txt").read_text() == "a"

    with pytest.raises(RuntimeError), files.staged_folder(tmp_path / "other", False, schemas.SYNTHESIS) as work:
        (work / "a.txt").write_text("a")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_older_result_stays_until_the_new_one_is_complete(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with files.staged_folder(out, False, schemas.SYNTHESIS) as work:
        files.write_json(work / "report.json", {"run": 1}, schemas.SYNTHESIS)
    with pytest.raises(InputError, match="is not empty"), files.staged_folder(out, False, schemas.SYNTHESIS):
        pass
    with pytest.raises(RuntimeError), files.staged_folder(out, True, schemas.SYNTHESIS):
        raise RuntimeError
    assert files.read_json(out / "report.json", schemas.SYNTHESIS)["run"] == 1
    with files.staged_folder(out, True, schemas.SYNTHESIS) as work:
        files.write_json(work / "report.json", {"run": 2}, schemas.SYNTHESIS)
    assert files.read_json(out / "report.json", schemas.SYNTHESIS)["run"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_overwrite_never_deletes_what_topogan_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    (tmp_path / "settings.json").write_text('{"schema": "something else"}')
    with pytest.raises(InputError, match="was not written by TopoGAN"):
        files.check_new_folder(tmp_path, True, schemas.SYNTHESIS)
    assert (tmp_path / "thesis.txt").exists()


def test_what_the_system_and_killed_processes_leave_does_not_stand_in_the_way(tmp_path: Path) -> None:
    files.write_json(tmp_path / "report.json", {}, schemas.SYNTHESIS)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._report.json", ".0123abcd.partial.json"):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    files.check_new_folder(tmp_path, True, schemas.SYNTHESIS)


def test_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("")
    with pytest.raises(InputError, match="is a file"):
        files.check_new_folder(target, True, schemas.SYNTHESIS)


def test_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(WorkError, match="free some space"),
        files.staged_folder(tmp_path / "out", False, schemas.SYNTHESIS),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_full_disk_within_a_folder_names_the_folder_of_the_user(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with (
        pytest.raises(DiskFull, match=f"The disk of {re.escape(str(out))} is full"),
        files.staged_folder(out, False, schemas.SYNTHESIS) as folder,
        files.staged_file(folder / "report.json"),
    ):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing"),
        ("{", "cannot be read as JSON"),
        ("[1]", "has the schema None"),
        ('{"schema": "topogan.test/2"}', "another version"),
        ("[" * 100_000, "cannot be read as JSON"),
    ],
)
def test_bad_json_is_refused_in_words(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "dataset.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        files.read_json(path, "topogan.test/1")


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"x": float("nan")}, "topogan.test/1")
    assert list(tmp_path.iterdir()) == []


def test_replace_waits_for_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows an open reader makes ``os.replace`` fail for a moment."""
    attempts = []

    def busy_twice(source: Path, destination: Path) -> None:
        attempts.append(source)
        if len(attempts) < 3:
            raise PermissionError

    monkeypatch.setattr(files.os, "replace", busy_twice)
    files.replace(tmp_path / "a", tmp_path / "b")
    assert len(attempts) == 3


def test_what_came_into_the_folder_meanwhile_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(InputError, match="is not empty"), files.staged_folder(out, False, schemas.SYNTHESIS) as folder:
        (folder / "mine").touch()
        out.mkdir()
        (out / "theirs").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "theirs"]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_without_an_exchange_of_folders_a_failed_move_loses_nothing(
    failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows and some network disks; the first move takes the older result away, the second brings the new one."""
    out, moves, real = tmp_path / "out", [], os.replace
    with files.staged_folder(out, False, schemas.SYNTHESIS) as folder:
        files.write_json(folder / "report.json", {"run": 1}, schemas.SYNTHESIS)

    def move(source: Path, destination: Path) -> None:
        moves.append(source)
        if len(moves) == failing:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        real(source, destination)

    with suppress(OSError), files.staged_folder(out, True, schemas.SYNTHESIS) as folder:
        files.write_json(folder / "report.json", {"run": 2}, schemas.SYNTHESIS)
        monkeypatch.setattr(files, "exchange", lambda *_: False)
        monkeypatch.setattr(os, "replace", move)
    assert files.read_json(out / "report.json", schemas.SYNTHESIS)["run"] == (1 if failing else 2)
    assert list(tmp_path.iterdir()) == [out]


def test_overwriting_never_leaves_a_moment_without_a_folder(tmp_path: Path) -> None:
    """Old and new folder change places in one step, so that no kill can come in between."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    if not files.exchange(one, other):
        pytest.skip("this system cannot swap two folders in one step")
    assert (one / "other").exists() and (other / "one").exists()


def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "large disk", target_is_directory=True)
    with files.staged_folder(tmp_path / "link", False, schemas.SYNTHESIS) as folder:
        (folder / "result").touch()
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "large disk" / "result").exists()


def test_names_may_be_as_long_as_the_disk_allows(tmp_path: Path) -> None:
    name = "ü" * 120  # 240 bytes
    with files.staged_folder(tmp_path / name, False, schemas.SYNTHESIS) as folder:
        (folder / "result").touch()
    assert (tmp_path / name / "result").exists()


def test_leftovers_of_killed_processes_go_after_a_day(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".out.0123abcd.partial", tmp_path / ".out.4567abcd.partial"
    for folder in (old, fresh):
        folder.mkdir()
        (folder / "half").touch()
    for path in (old / "half", old):
        os.utime(path, (0, 0))
    with files.staged_folder(tmp_path / "out", False, schemas.SYNTHESIS):
        pass
    assert not old.exists()
    assert fresh.exists()


def test_leftovers_are_only_what_is_surely_ours(tmp_path: Path) -> None:
    ours = [".out.0123abcd.partial", ".out.0123abcd.replaced", ".0123abcd.partial.zip"]
    theirs = [".out.old.partial", ".out.mine.0123abcd.partial", "out.0123abcd.partial", f".out.{'0' * 32}.replaced"]
    theirs += [".0123abcd.partial", ".0123abcd.partial.nii", ".config", ".other.0123abcd.partial"]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis").touch()
    (tmp_path / ".out.89abcdef.partial").symlink_to(tmp_path / "elsewhere")
    for name in (*ours, *theirs):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    os.utime(tmp_path / "elsewhere" / "thesis", (0, 0))
    (tmp_path / "out").mkdir()
    files.remove_leftovers(tmp_path / "out")
    files.remove_leftovers(tmp_path / "out.zip")
    assert [name for name in ours if (tmp_path / name).exists()] == []
    assert [name for name in theirs if not (tmp_path / name).exists()] == []
    assert (tmp_path / "elsewhere" / "thesis").exists()


def test_an_older_result_that_has_lost_its_name_stays(tmp_path: Path) -> None:
    """Killed between the two steps of a replacement, where the system cannot exchange folders."""
    kept = tmp_path / ".out.0123abcd.replaced"
    kept.mkdir()
    os.utime(kept, (0, 0))
    files.remove_leftovers(tmp_path / "out")
    assert kept.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(InputError, match="damaged or not a TopoGAN file"):
        files.read_json(tmp_path / "pipe.json", "topogan.x/1")
