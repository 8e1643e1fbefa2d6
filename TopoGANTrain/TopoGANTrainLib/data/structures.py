"""Structures and unions as one types them into a line, for the table of a request to prepare."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from topogan_contract.schemas import STRUCTURES, find_json
from TopoGANLib.scene.voxels import InputError
from TopoGANLib.words import tr as _


def structures_in(text: str) -> list[dict[str, Any]]:
    """Read ``lv_cavity=1; myocardium=2,3``.

    A structure of several labels has commas, PNG colors have the form ``#rrggbb``, and a region of an RTSTRUCT or a
    segment of a DICOM SEG needs its name alone.

    Raises:
        InputError: what cannot be read, in words.
    """
    structures = []
    for entry in _parts(text, ";"):
        name, equals, values = entry.rpartition("=") if "=" in entry else (entry, "", "")
        words = list(_parts(values, ","))
        colors = [word for word in words if word.startswith("#")]
        labels = [word for word in words if not word.startswith("#")]
        if not name.strip() or not all(word.isdecimal() for word in labels) or (equals and not words):
            raise InputError(
                _("Structures: {entry} is not of the form name=label: write myocardium=2 or myocardium=2,3.").format(
                    entry=repr(entry)
                )
            )
        structures.append({"name": name.strip(), "labels": [int(word) for word in labels], "png_colors": colors})
    return structures


def unions_in(text: str, names: Iterable[str]) -> list[list[str]]:
    """Read ``lv_cavity + myocardium; left_atrium + lv_cavity``, of structures with these names.

    Raises:
        InputError: a union is of one, or names what is no structure.
    """
    known = list(names)
    unions = [list(_parts(entry, "+")) for entry in _parts(text, ";")]
    for union in unions:
        unknown = [name for name in union if name not in known]
        if unknown:
            raise InputError(
                _("Unions: {unknown} is none of the structures {known}.").format(
                    unknown=unknown[0], known=", ".join(known)
                )
            )
        if len(set(union)) < 2:
            raise InputError(
                _("Unions: {union} needs two different structures: write one + other.").format(union=" + ".join(union))
            )
    return unions


def table_in(path: Path) -> dict[str, Any]:
    """Read a file of structures and unions, which the engine will look into more closely.

    Raises:
        InputError: it is none.
    """
    content = find_json(path, STRUCTURES)
    if content is None:
        raise InputError(
            _("{path} is no table of structures ({schema}): choose another.").format(path=path, schema=STRUCTURES)
        )
    return {name: value for name, value in content.items() if name != "schema"}


def _parts(text: str, separator: str) -> Iterable[str]:
    return filter(None, map(str.strip, text.split(separator)))
