"""The table of samples: the part of each, its patient, its level and its Betti numbers."""

from __future__ import annotations

import csv
import io
import math
import stat
from pathlib import Path
from typing import NamedTuple

from topogan.errors import InputError
from topogan.structures import StructureTable
from topogan.training_set.damage import damaged

TRAIN, VALIDATION, TEST = PARTS = "train", "validation", "test"
# The first schema has two parts: what is called test now, and nothing was set aside for validation.
OLD_TEST = "held_out"
TABLE_FILES = {2: "slices.csv", 3: "volumes.csv"}
"""The table with a line for each sample, of slices and of volumes."""
# A volume of 128 voxels has no room for more connected components or tunnels, nor has a patch of 512 pixels.
_MOST_CLASSES = 128**3
# 64 letters for each of as many samples as there may be diagrams: beyond every set.
_MOST_TABLE_BYTES, _MOST_COLUMNS = 64 << 20, 200


def betti_columns(table: StructureTable, axes: int) -> tuple[tuple[str, ...], ...]:
    """The columns of the table of samples with b0 and b1 (in volumes b2) of each region."""
    return tuple(tuple(f"b{number} {region.name}" for number in range(axes)) for region in table.regions)


class Row(NamedTuple):
    """What is read of a line of the table of samples."""

    patient: str
    level: float
    split: str
    betti: tuple[tuple[int, ...], ...]


def read_table(path: Path) -> bytes:
    """Read the file, which is hashed as well as parsed.

    Raises:
        InputError: it is missing, cannot be read, or is larger than that of any set.
    """
    try:
        state = path.stat()
        if stat.S_ISREG(state.st_mode) and state.st_size <= _MOST_TABLE_BYTES:
            return path.read_bytes()
    except FileNotFoundError as error:
        raise damaged(path.parent, f"{path.name} is missing") from error
    except OSError as error:
        raise damaged(path.parent, f"{path.name} cannot be read") from error
    raise damaged(path.parent, f"{path.name} is no file, or larger than that of any set")


def parse_rows(folder: Path, table: bytes, expected: int, betti_columns: tuple[tuple[str, ...], ...]) -> list[Row]:
    """Take the samples from the content of the table.

    Args:
        folder: of the training set, for the words of an error.
        table: content of the file.
        expected: how many lines there are said to be; no more are read.
        betti_columns: names of the columns with Betti numbers, for each region.

    Raises:
        InputError: there are more, or a line lacks something.
    """
    rows: list[Row] = []
    name = TABLE_FILES[len(betti_columns[0])]
    try:
        lines = csv.reader(io.StringIO(table.decode("utf-8"), newline=""))
        columns = next(lines, [])
        if len(columns) > _MOST_COLUMNS:
            raise damaged(folder, f"{name} has {len(columns)} columns")
        for line in lines:
            if len(rows) == expected:
                raise damaged(folder, f"{name} and dataset.json count differently")
            rows.append(_row(dict(zip(columns, line, strict=True)), betti_columns))
    except InputError:
        raise
    except (UnicodeDecodeError, csv.Error) as error:
        raise damaged(folder, f"{name} cannot be read") from error
    except (KeyError, ValueError, OverflowError) as error:
        raise damaged(folder, f"a line of {name} lacks something or holds no numbers") from error
    return rows


def _row(line: dict[str, str], betti_columns: tuple[tuple[str, ...], ...]) -> Row:
    part = TEST if line["split"] == OLD_TEST else line["split"]
    betti = tuple(tuple(int(line[column]) for column in columns) for columns in betti_columns)
    row = Row(line["patient"], float(line["level"]), part, betti)
    if not math.isfinite(row.level) or not 0 <= min(map(min, betti)) <= max(map(max, betti)) <= _MOST_CLASSES:
        raise ValueError(line)
    return row
