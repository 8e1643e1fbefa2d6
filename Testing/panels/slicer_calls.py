"""Finds every name of Slicer, Qt, CTK and MRML that the Slicer-side code uses, without running it."""

from __future__ import annotations

import ast
import functools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FORMS = {path.stem: path for path in sorted(REPOSITORY.glob("TopoGAN*/Resources/UI/*.ui"))}
"""All forms by name: that of a module, and of the parts below it, ``TopoGANTrainData``."""
MODULES = ("TopoGANTrain", "TopoGANSynth")
_ROOTS = {"slicer", "qt", "ctk"}
# What C++ has singletons for; their members are those of the class.
_SINGLETONS = {"slicer.mrmlScene": "vtkMRMLScene"}
# Modules whose functions are capitalized too.
_OTHERS = {"argparse", "qt", "sitk", "slicer", "subprocess", "tempfile", "threading", "vtk", "zipfile"}
# What a form's widgets inherit and every widget has.
_OWN_WIDGETS = ("ctk", "qMRML")
# Of a signal, as Qt normalizes it.
_SIGNATURE = re.compile(r"\w+\([\w:,*&<>]*\)")


def sources() -> list[Path]:
    """All Python files that run inside Slicer."""
    found = [REPOSITORY / name / f"{name}.py" for name in MODULES]
    return found + sorted(path for path in REPOSITORY.glob("TopoGAN*/TopoGAN*Lib/**/*.py"))


def module_of(form: str) -> str:
    """The module that shows a form."""
    return FORMS[form].parents[2].name


def widgets(form: Path) -> dict[str, str]:
    """Names and classes of a form's widgets."""
    return {widget.attrib["name"]: widget.attrib["class"] for widget in ET.parse(form).iter("widget")}


@functools.cache
def all_widgets() -> dict[str, str]:
    """Of all forms; a name that both modules have is of one class."""
    found: dict[str, str] = {}
    for form in FORMS.values():
        for name, kind in widgets(form).items():
            assert found.setdefault(name, kind) == kind, f"{name} is of two classes"
    return found


def dotted_names(path: Path) -> Iterator[str]:
    """Names below slicer, qt and ctk: ``slicer.util.loadUI``, ``vtkMRMLScene.GetNodeByID``, ``qt.QTimer``."""
    for node in ast.walk(_tree(path)):
        chain = _chain(node)
        if chain and chain[0] in _ROOTS and len(chain) > 1:
            name = ".".join(chain)
            for singleton, kind in _SINGLETONS.items():
                if name.startswith(singleton + "."):
                    name = kind + name.removeprefix(singleton)
            yield name.removeprefix("slicer.") if name.startswith(("slicer.vtk", "slicer.qMRML")) else name
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in _ROOTS:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def vtk_methods(path: Path) -> Iterator[str]:
    """Names of methods in VTK's style, called on whatever: ``GetName``."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name[0].isupper() and not name.isupper() and _chain(node.func)[:1] not in [[other] for other in _OTHERS]:
                yield name


def widget_members(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a form's widget and what is used of it: ``("startButton", "enabled")``."""
    known = all_widgets()
    for node in ast.walk(_tree(path)):
        chain = _chain(node)
        if not chain:
            continue
        for index, part in enumerate(chain[:-1]):
            if part in ("ui", "_ui") and chain[index + 1] in known and len(chain) > index + 2:
                yield chain[index + 1], chain[index + 2]


def signals(path: Path) -> Iterator[tuple[str, str]]:
    """Pairs of a sender and a signature that is connected: ``("startButton", "clicked()")``; "" for another sender."""
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.Call):
            continue
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        for text in texts:
            if _SIGNATURE.fullmatch(text):
                chain = _chain(node.args[0]) or [""]
                yield (chain[-1] if chain[-1] in all_widgets() else ""), text


def form_members(form: Path) -> Iterator[str]:
    """Properties that a form sets on widgets of CTK and Slicer: ``qMRMLNodeComboBox.noneEnabled``."""
    for widget in ET.parse(form).iter("widget"):
        kind = widget.attrib["class"]
        if kind.startswith(_OWN_WIDGETS):
            yield kind
            for member in widget.findall("property"):
                if member.attrib.get("stdset") != "0" and member.attrib["name"] != "toolTip":
                    yield f"{kind}.{member.attrib['name']}"


def words(path: Path) -> set[str]:
    """Every name in the code and every text that it works with; neither comments nor docstrings."""
    found: set[str] = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Name):
                found.add(child.id)
            elif isinstance(child, ast.Attribute):
                found.add(child.attr)
            elif isinstance(child, ast.alias):
                found.update(child.name.split("."))
            elif isinstance(child, ast.Constant) and isinstance(child.value, str):
                found.update(re.findall(r"\w+", child.value))
    return found


@functools.cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _chain(node: ast.AST) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []
