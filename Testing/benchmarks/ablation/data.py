"""Where data that are not the project's own lie."""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = REPOSITORY.parent / "shared" / "data"


class Absent(InputError):
    """The data of a set are not on this machine."""


def present(name: str) -> Path:
    """The path of a file or folder of :data:`DATA`.

    Raises:
        Absent: it is not there.
    """
    path = DATA / name
    if not path.exists():
        raise Absent(f"The data {name} are not here: put them into {DATA} to use this set.")
    return path
