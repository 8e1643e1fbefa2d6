"""A table that names the volumes of a training set and whom they belong to: ``image,label,patient,phase``."""

from __future__ import annotations

import csv
import io
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from topogan.dataset.inputs import plane_of_each
from topogan.dataset.volume_list import Volumes
from topogan.errors import InputError
from topogan.files import check_exists
from topogan.plane import Plane

_NEEDED, _OPTIONAL = ("image", "label", "patient"), ("phase",)
# 100,000 rows with names of 160 letters.
_MOST_BYTES, _MOST_ROWS = 16 << 20, 100_000
_LONGEST_NAME, _MOST_QUOTED = 200, 60


class _Row(NamedTuple):
    line: int
    image: Path | None
    label: Path
    patient: str
    phase: int | None


def read_cases(table: Path, plane: Plane = "axial") -> Volumes:
    """Read a table of cases: a volume a line, with its image, its patient and, if need be, its phase.

    Args:
        table: CSV in UTF-8 with the columns ``image``, ``label``, ``patient`` and, if wanted, ``phase``, in any order,
            between commas (or semicolons, as spreadsheets of some countries write them). Paths are relative to its
            folder. ``image`` is empty in all rows, or in none. ``phase`` orders the volumes of a patient.
        plane: one for all volumes, or one for each line.

    Returns:
        The volumes; those of a patient in the order of their phases, else in that of the lines.

    Raises:
        InputError: one sentence on the first thing that is wrong, with its line.
    """
    rows = _rows(table)
    planes = plane_of_each(plane, len(rows))
    _check_phases(table, rows)
    _check_images(table, rows)
    _check_twice(table, rows)
    first = {row.patient: number for number, row in reversed(list(enumerate(rows)))}
    order = sorted(range(len(rows)), key=lambda number: (first[rows[number].patient], rows[number].phase or 0, number))
    ordered = [rows[number] for number in order]
    return Volumes(
        [row.label for row in ordered],
        [row.image for row in ordered if row.image],
        [("of a table", row.patient) for row in ordered],
        [planes[number] for number in order],
    )


def volumes_given(segmentations: Sequence[Path], images: Sequence[Path], cases: Path | None, plane: Plane) -> Volumes:
    """The volumes that a command line names: by files and folders, or by a table of cases.

    Raises:
        InputError: it names both or neither, or one of them cannot be used.
    """
    if cases is None:
        if not segmentations:
            raise InputError("No segmentation was given: name files or folders with -s, or a table with --cases.")
        return Volumes.of_files(segmentations, images, None, plane)
    if segmentations or images:
        raise InputError(f"{cases} is to name segmentations and images: leave -s and -c out.")
    return read_cases(cases, plane)


def _rows(table: Path) -> list[_Row]:
    lines = csv.reader(io.StringIO(text := _text(table), newline=""), delimiter=_delimiter(text), strict=True)
    try:
        columns = _columns(table, next(lines, []))
        rows: list[_Row] = []
        for words in lines:
            if not any(word.strip() for word in words):
                continue
            if len(words) != len(columns):
                raise _wrong(table, lines.line_num, f"has {len(words)} columns, and the first has {len(columns)}", "")
            if len(rows) == _MOST_ROWS:
                raise InputError(f"{table} has more than {_MOST_ROWS:,} lines: divide it.")
            values = {name: word.strip() for name, word in zip(columns, words, strict=True)}
            rows.append(_row(table, lines.line_num, values))
    except csv.Error as error:
        raise InputError(f"{table} cannot be read as CSV ({error}, line {lines.line_num}): save it anew.") from error
    if not rows:
        raise InputError(f"{table} has no line below its header: name a segmentation in each.")
    return rows


def _text(table: Path) -> str:
    check_exists(table)
    state = table.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST_BYTES:
        raise InputError(f"{table} is no file, or too large for a table of cases: name a CSV file.")
    try:
        text = table.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{table} is not in UTF-8: save it as CSV in UTF-8.") from error
    if "\0" in text:
        raise InputError(f"{table} holds zero bytes, which no text has: save it as CSV in UTF-8.")
    if not text.strip():
        raise InputError(f"{table} is empty: begin it with the line {','.join(_NEEDED + _OPTIONAL)}.")
    return text


def _delimiter(text: str) -> str:
    header = text.partition("\n")[0]
    return ";" if ";" in header and "," not in header else ","


def _columns(table: Path, header: Sequence[str]) -> list[str]:
    names = [name.strip().lower() for name in header]
    if not set(names) & {*_NEEDED, *_OPTIONAL}:
        raise InputError(f"{table} has no header: begin it with the line {','.join(_NEEDED + _OPTIONAL)}.")
    for name in names:
        if name not in _NEEDED + _OPTIONAL:
            known = ", ".join(_NEEDED + _OPTIONAL)
            raise InputError(
                f"The column {name[:_MOST_QUOTED]!r} of {table} is none of {known}: leave it out, or rename it."
            )
        if names.count(name) > 1:
            raise InputError(f"{table} has the column {name} twice: leave one out.")
    for name in _NEEDED:
        if name not in names:
            empty = ", which may be empty" if name == "image" else ""
            raise InputError(f"{table} has no column {name}: add it{empty}.")
    return names


def _row(table: Path, line: int, values: dict[str, str]) -> _Row:
    for name in ("label", "patient"):
        if not values[name]:
            raise _wrong(table, line, f"has no {name}", "fill it in")
    if len(values["patient"]) > _LONGEST_NAME:
        raise _wrong(table, line, f"has a patient of more than {_LONGEST_NAME} letters", "write a short name")
    phase = values.get("phase", "")
    if phase and not (phase.isascii() and phase.isdigit() and len(phase) < 10):
        raise _wrong(table, line, f"has the phase {phase[:_MOST_QUOTED]!r}", "write 0, 1, 2 ...")
    image, label = (_path(table, line, values[name]) if values[name] else None for name in ("image", "label"))
    assert label is not None
    return _Row(line, image, label, values["patient"], int(phase) if phase else None)


def _path(table: Path, line: int, name: str) -> Path:
    path = table.parent / name
    try:
        check_exists(path)
    except InputError as error:
        said = str(error).rstrip(".")
        raise InputError(f"In line {line} of {table}: {said}; paths are relative to the table's folder.") from error
    return path


def _check_phases(table: Path, rows: Sequence[_Row]) -> None:
    seen: dict[str, dict[int | None, int]] = {}
    for row in rows:
        lines = seen.setdefault(row.patient, {})
        if row.phase is not None and row.phase in lines:
            what = f"has the phase {row.phase} of the same patient as line {lines[row.phase]}"
            raise _wrong(table, row.line, what, "number the phases")
        if lines and (None in lines) != (row.phase is None):
            raise _wrong(
                table, row.line, "has a patient of whom some lines have a phase and some have none", "fill it in"
            )
        lines[row.phase] = row.line


def _check_images(table: Path, rows: Sequence[_Row]) -> None:
    without = [row.line for row in rows if row.image is None]
    if without and len(without) < len(rows):
        raise _wrong(table, without[0], "has no image, and other lines have one", "give one in each line, or in none")


def _check_twice(table: Path, rows: Sequence[_Row]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        for path in filter(None, (row.image, row.label)):
            real = os.path.realpath(path)
            if real in seen:
                where = (
                    f"stands in line {seen[real]} as well" if seen[real] != row.line else "is image and label at once"
                )
                raise _wrong(table, row.line, f"names {path}, which {where}", "name each file once")
            seen[real] = row.line


def _wrong(table: Path, line: int, what: str, remedy: str) -> InputError:
    return InputError(f"Line {line} of {table} {what}: {remedy or 'write as many, empty ones too'}.")
