"""What the user reads can be translated: no sentence without ``_()``, and none is lost on its way from a thread."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from standin import StandIn

_REPOSITORY = Path(__file__).resolve().parents[2]
_ROOMS = (
    "TopoGANTrain/TopoGANTrainLib",
    "TopoGANTrain/TopoGANLib/engine",
    "TopoGANTrain/TopoGANLib/forms",
    "TopoGANTrain/TopoGANLib/scene/scene_input.py",
    "TopoGANTrain/TopoGANLib/scene/voxels.py",
    "TopoGANSynth/TopoGANSynthLib",
)
_ENDS = (".", "?", "!", "…")


def sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of what looks like a sentence, and is neither in ``_()`` nor a docstring nor for the log."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            passed.update(map(id, node.values))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).partition(".")[0] in ("_", "logging"):
            passed.update(id(part) for one in node.args for part in ast.walk(one))
    for node in ast.walk(tree):
        if id(node) not in passed:
            text = _text(node)
            has_words = any(word.isalpha() for word in text.split())
            if has_words and " " in text.strip() and text.rstrip().endswith(_ENDS):
                yield node.lineno, text  # type: ignore[attr-defined]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_every_sentence_can_be_translated() -> None:
    found = []
    for room in _ROOMS:
        place = _REPOSITORY / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [f"{path.relative_to(_REPOSITORY)}:{line}: {text}" for line, text in sentences(tree)]
    assert not found, "put them into _()\n" + "\n".join(found)


def test_the_search_finds_what_it_should() -> None:
    code = '"""Not this one."""\nraise A(f"No {x} is there.")\nb = _("Is it?")\n'
    code += 'logging.error("Not this.")\nc = "No way."\n'
    assert [text for _line, text in sorted(sentences(ast.parse(code)))] == ["No {} is there.", "No way."]


@pytest.fixture
def german(application: StandIn, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The application in another language, as far as it goes; what is looked up, in which context."""
    import threading

    from slicer import i18n

    asked: list[tuple[str, str]] = []
    words = {"{name} holds {other}.": "{name} enthält {other}.", "a cat": "eine Katze", "Broken {x}.": "Kaputt {y}."}

    def translate(context: str, text: str) -> str:
        assert threading.current_thread() is threading.main_thread(), "Qt is not for threads"
        asked.append((context, text))
        return words.get(text, text)

    monkeypatch.setattr(i18n, "translate", translate)
    return asked


def test_sentences_of_a_thread(german: list[tuple[str, str]]) -> None:
    from TopoGANLib.forms.background import Background
    from TopoGANLib.words import tr as _
    from TopoGANLib.words import translated

    def refuse() -> None:
        raise ValueError(_("{name} holds {other}.").format(name="one", other=_("a cat")))

    work: Any = Background(refuse, no_memory="")
    assert work.done(10)
    assert german == []
    assert work.error == "one enthält eine Katze."
    assert german[0][0].endswith("test_translations")
    with pytest.raises(ValueError, match="one enthält eine Katze"):
        refuse()
    result: Any = Background(lambda: _("Broken {x}.").format(x=1), no_memory="")
    assert result.done(10)
    assert result.result == "Broken 1.", "English for who writes it to a file"
    assert translated(result.result) == "Broken 1.", "a translation that lost a name is none"


def test_what_the_list_of_runs_says(german: list[tuple[str, str]], tmp_path: Path) -> None:
    """The list is read on a thread."""
    from run_folders import make_run

    from TopoGANLib.forms.background import Background
    from TopoGANTrainLib.runs.run_list import RunList
    from TopoGANTrainLib.runs.run_words import sentence

    make_run(tmp_path, "one", "running")
    reading: Any = Background(lambda: RunList().read(tmp_path), no_memory="")
    assert reading.done(10)
    assert sentence(reading.result[0]).startswith("The engine ended without a word at step 300")
    assert ("engine.run_monitor", german[-1][1]) == german[-1]
