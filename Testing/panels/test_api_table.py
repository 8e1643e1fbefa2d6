"""Every name of Slicer, Qt and CTK that the code uses is in api_table.csv, with the file that defines it.

``SLICER_SOURCE`` and ``CTK_SOURCE`` (checkouts) let each row be looked up there; Qt's rows are asked of Qt itself.
"""

from __future__ import annotations

import csv
import functools
import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest
import slicer_calls as calls

_TABLE = Path(__file__).with_name("api_table.csv")


def rows() -> dict[str, str]:
    """Name → file; those of Qt are ``Qt:class``, those of CTK ``CTK:path``."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["defined_in"] for row in csv.DictReader(file)}


@functools.cache
def used() -> frozenset[str]:
    """Every name that the code or a form uses, as the table writes it."""
    names = set().union(*(calls.form_members(form) for form in calls.FORMS.values()))
    kinds = calls.all_widgets()
    for path in calls.sources():
        names |= set(calls.dotted_names(path))
        names |= {f"{kinds[widget]}.{member}" for widget, member in calls.widget_members(path)}
        names |= {f"{kinds[sender]}.{signal}" for sender, signal in calls.signals(path) if sender}
        names |= {f"?.{signal}" for sender, signal in calls.signals(path) if not sender}
    return frozenset(names)


def test_the_table_is_sorted_into_no_doubles() -> None:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert len(names) == len(set(names)) > 200


def test_every_name_is_in_the_table() -> None:
    table = rows()
    endings = {name.partition(".")[2] for name in table}
    missing = {name for name in used() if name not in table}
    # Of a sender that is no widget of a form only the signature is known.
    missing -= {name for name in missing if name.startswith("?.") and name[2:] in endings}
    assert not missing, "add them to api_table.csv, with the file that defines them"


def test_every_method_in_vtks_style_is_in_the_table_or_vtks_own() -> None:
    import SimpleITK as sitk
    import vtk

    in_table = {name.partition(".")[2] for name in rows()}
    used_methods = set().union(*(set(calls.vtk_methods(path)) for path in calls.sources()))
    of_itk = {name for kind in (sitk.Image, sitk.ImageFileReader) for name in dir(kind)}
    unknown = used_methods - in_table - of_itk
    vtk_own = {name for kind in vars(vtk).values() if isinstance(kind, type) for name in vars(kind)}
    assert not unknown - vtk_own, "add them to api_table.csv, with the header that declares them"


def left_over(names: Collection[str], paths: Iterable[Path]) -> list[str]:
    """Which names nobody uses; a class may be there for members of it that are listed."""
    in_use = set(used())
    in_use |= {name.partition(".")[2] for name in in_use} - {""}
    for path in paths:
        in_use |= {*calls.vtk_methods(path), *calls.words(path)}
    classes = {name.partition(".")[0] for name in names if "." in name}
    return [name for name in names if not {name, name.partition(".")[2]} & in_use and name not in classes]


def test_no_row_is_left_over() -> None:
    assert not left_over(rows(), calls.sources()), "no longer used: take them out of api_table.csv"


def test_a_name_in_a_comment_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "code.py"
    path.write_text(
        '"""About GetNonsense."""\n\n\ndef read(node):\n    """Not GetMore."""\n    # nor GetLess\n    node.Get()\n'
    )
    names = ["vtkMRMLNode.GetNonsense", "vtkMRMLNode.GetMore", "vtkMRMLNode.GetLess"]
    assert left_over([*names, "vtkMRMLNode.Get"], [path]) == names


def is_defined(member: str, text: str) -> bool:
    """Whether a header or a Python file defines a name, be it by a macro that adds Get, Set or On."""
    stem = re.sub(r"^(Get|Set|Is)|(On|Off)$", "", member.partition("(")[0])
    return re.search(rf"\b(Get|Set|Is|set|is)?{re.escape(stem)}(On|Off|Event)?\b", text, re.IGNORECASE) is not None


@pytest.mark.parametrize(("prefix", "variable"), [("", "SLICER_SOURCE"), ("CTK:", "CTK_SOURCE")])
def test_the_sources_define_what_the_table_says(prefix: str, variable: str) -> None:
    """With no checkout at hand, at least every row says where to look."""
    table = {name: where for name, where in rows().items() if where.startswith(prefix)}
    table = {name: where for name, where in table.items() if prefix or ":" not in where}
    assert table
    source = os.environ.get(variable)
    for name, where in table.items():
        path = where.removeprefix(prefix)
        assert re.fullmatch(r"[\w/.-]+\.(h|py|cxx)", path), f"{name}: {where}"
        if source:
            text = (Path(source) / path).read_text(encoding="utf-8")
            member = name.rpartition(".")[2] if "(" not in name else name.partition(".")[2]
            assert is_defined(member, text), f"{name} is not in {path}"


def test_qt_has_what_the_table_says() -> None:
    from PySide6 import QtCore, QtGui, QtWidgets

    table = {name: where for name, where in rows().items() if where.startswith("Qt:")}
    assert table
    for name, where in table.items():
        kind: Any = next(
            getattr(module, where[3:]) for module in (QtWidgets, QtGui, QtCore) if hasattr(module, where[3:])
        )
        member = name.partition(".")[2]
        if not member or name.startswith("qt."):
            continue
        meta = kind.staticMetaObject
        assert (
            meta.indexOfProperty(member) >= 0
            or meta.indexOfSignal(member) >= 0
            or callable(getattr(kind, member, None))
            or name == "QTimer.timeout()"  # private in C++, which only C++ minds
        ), name


def test_signals_are_named_by_one_overload() -> None:
    """A bare name would take whichever overload comes first, which differs between Qt 5 and Qt 6."""
    for path in calls.sources():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\.(\w+)\.(connect|disconnect)\(", text), path
