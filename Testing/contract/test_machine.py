"""The id of a computer: the same for all processes of its user, another on another host, and it names nobody."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from topogan_contract.machine import machine_id, user_folder, written_here


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def test_it_is_one_for_all_processes_even_if_they_begin_together() -> None:
    line = "from topogan_contract.machine import machine_id; print(machine_id())"
    started = [subprocess.Popen([sys.executable, "-c", line], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {process.communicate()[0].strip() for process in started} == {machine_id()}
    assert [path.name for path in user_folder().iterdir()] == ["machine"]


def test_hosts_that_share_a_home_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    here = machine_id()
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert machine_id() != here


def test_settings_that_cannot_be_written_or_are_damaged_mean_unknown(own_settings: Path) -> None:
    user_folder().parent.mkdir(parents=True, exist_ok=True)
    user_folder().write_text("a file in the way")
    assert machine_id() == ""
    user_folder().unlink()
    user_folder().mkdir()
    (user_folder() / "machine").write_text("short")
    assert machine_id() == ""
    assert not written_here({"machine": ""}, machine_id()), "unknown is not here"


def test_a_disk_without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_links)
    assert machine_id() == machine_id() != ""
    assert [path.name for path in user_folder().iterdir()] == ["machine"]
