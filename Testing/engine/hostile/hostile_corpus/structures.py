"""Tables of structures, on the command line, in a file and in a request, that cannot be."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.ours import GIGABYTES, MANY_LISTS, enlarge
from hostile_corpus.scene import labels, save
from hostile_corpus.spoiling import DEEP_JSON
from hostile_corpus.structure_sets import drawn, tube

TWO = ("wall=1", "cavity=2")


def two_labels() -> np.ndarray:
    """The tube and what it surrounds."""
    wall = labels()
    z, y, x = np.indices(wall.shape, dtype=float)
    inside = np.hypot(y - wall.shape[1] / 2, x - wall.shape[2] / 2 + np.sin(z / 6)) < 5
    return np.where(inside, 2, wall).astype(np.uint8)


def named(*structures: str, more: tuple[str, ...] = ()) -> Callable[[Place], Arguments]:
    """Right volumes, and these structures on the command line."""

    def build(place: Place) -> Arguments:
        options = [word for structure in structures for word in ("--structure", structure)]
        return prepare(place, save(place.path("mask.nii.gz"), two_labels()), None, *options, *more)

    return build


def union(*unions: str) -> Callable[[Place], Arguments]:
    return named(*TWO, more=tuple(word for one in unions for word in ("--union", one)))


def table(
    content: object = None, make: Callable[[Path], None] | None = None, **whole: object
) -> Callable[[Place], Arguments]:
    """Right volumes, and a file with this table."""

    def build(place: Place) -> Arguments:
        path = place.path("table.json")
        if make:
            make(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(json.dumps({"schema": SCHEMA, "structures": content, **whole}), encoding="utf-8")
        return named(more=("--structures", str(path)))(place)

    return build


def requested(content: object) -> Callable[[Place], Arguments]:
    """A request with this table."""

    def build(place: Place) -> Arguments:
        mask = save(place.path("mask.nii.gz"), two_labels())
        sources = [{"segmentations": [str(mask)]}]
        request = {"schema": "topogan.prepare-request/1", "sources": sources, "table": content}
        path = place.path("request/request.json")
        path.write_text(json.dumps(request), encoding="utf-8")
        return ["train", str(place.folder / "set"), str(place.out), "--prepare", str(path.parent), "--part", "masks"]

    return build


def one(**values: object) -> list[dict[str, object]]:
    return [{"name": "wall", "labels": [1], **values}]


SCHEMA = "topogan.structures/1"
JSON = "cannot be read as JSON"
MANY = [{"name": f"s{number}", "labels": [number + 1]} for number in range(300)]
CASES = [
    Case(f"structures: {name}", build, says)
    for name, build, says in (
        ("a label twice", named("wall=1", "cavity=1"), "the label 1 is given twice: give it once"),
        ("a label twice in one", named("wall=1,1", "cavity=2"), "the label 1 is given twice"),
        ("a name twice", named("wall=1", "wall=2"), "the structure wall is given twice: give it once"),
        ("a color twice", named("wall=#ff0000", "cavity=#FF0000"), "the color #ff0000 is given twice"),
        ("a name that is a union's", named(*TWO, "wall + cavity=3", more=("--union", "wall+cavity")), "given twice"),
        ("a union with a stranger", union("wall+lung"), "names 'lung', which is none of the structures: choose among"),
        ("a union of one", union("wall"), "the union 'wall' needs two different structures or more"),
        ("a union of the same", union("wall+wall"), "needs two different structures"),
        ("a union twice", union("wall+cavity", "cavity+wall"), "the union .* is given twice"),
        ("a union of nothing", union("+"), "union 1 cannot be ''"),
        ("a union and one structure", named("wall=1", more=("--union", "wall+cavity")), "names 'cavity'"),
        ("300", named(*(f"s{number}={number + 1}" for number in range(300))), "300 structures where 24 are the most"),
        ("300 in a file", table(MANY), "300 structures where 24 are the most"),
        ("300 unions", union(*["wall+cavity"] * 300), "300 unions where 12 are the most"),
        ("no name", named("=1"), "the name of structure 1 cannot be ''"),
        ("a name of control codes", named("wall\x1b[2J=1", "cavity=2"), "characters that cannot be printed"),
        ("a name like an essay", named("x" * 5000 + "=1"), "at most 60 characters"),
        ("label 0", named("wall=0", "cavity=1"), "the labels of structure 1 cannot be 0"),
        ("label 70,000", named("wall=70000"), "cannot be 70000"),
        ("label -1", named("wall=-1"), "says neither labels nor colors: write wall=1"),
        ("label a word", named("wall=red"), "says neither labels nor colors: write wall=1"),
        ("label nothing", named("wall="), "says neither labels nor colors"),
        ("label and color", named("wall=1,#ff0000"), "says neither labels nor colors"),
        ("a color of four digits", named("wall=#ff00"), "cannot be '#ff00', write a color as #e69f00"),
        ("no label", named("wall", "cavity"), "holds label values, and wall has none: write --structure wall=1"),
        ("colors for a volume", named("wall=#ff0000"), "holds label values, and wall has none"),
        ("colors for one of two", named("wall=#ff0000", "cavity=2"), "cavity has no color, and others have"),
        ("--label beside two", named(*TWO, more=("--label", "3")), "--label 3 does not say of which structure"),
        ("--png-structure beside two", named(*TWO, more=("--png-structure", "<128")), "is for a single structure"),
        ("in no volume", named(*TWO, "lung=7"), "No volume shows the structure lung: .* the labels in it are 1, 2"),
        (
            "smaller than a pixel",
            named(*TWO, more=("--pixel-size", "12", "--center", "slice", "--minimum-area", "0")),
            "cavity is in none of the .* training slices: choose smaller pixels",
        ),
        ("a file and more", named("wall=1", more=("--structures", "x.json")), "leave --structure, --label and --union"),
        ("a file that is not there", named(more=("--structures", "gone.json")), "gone.json is missing"),
        ("no JSON", table(b"[1, 2"), JSON),
        ("deep JSON", table(DEEP_JSON.encode()), JSON),
        ("six million lists", table(MANY_LISTS), JSON),
        ("a pipe", table(make=os.mkfifo), JSON),
        ("10 GB", table(make=lambda path: enlarge(path, GIGABYTES)), JSON),
        ("a folder", table(make=Path.mkdir), JSON),
        ("another schema", table(one(), schema="topogan.structures/2"), "has the schema 'topogan.structures/2'"),
        ("no structures", table([]), "it has no structures, add one"),
        ("a union alone", named(more=("--union", "wall+cavity")), "it has no structures, add one"),
        ("structures a word", table("wall"), "structures cannot be 'wall'"),
        ("a structure without a name", table([{"labels": [1]}]), "the name of structure 1 is missing"),
        ("a structure of numbers", table([1, 2]), "structure 1 cannot be 1: it should be a group of values"),
        ("a color in words", table(one(color="red")), "the color of structure 1 cannot be 'red', write a color as"),
        ("a field misspelt", table(one(colour="#ff0000")), "the colour of structure 1 does not exist"),
        ("terminology in lines", table(one(terminology="a\nb")), "the terminology .* cannot be printed"),
        ("terminology like an essay", table(one(terminology="x" * 10**6)), "at most 1000 characters"),
        ("a union of lists", table(one(), unions=[["wall", ["x"]]]), "union 1 cannot be \\['x'\\]"),
        ("a request's table a word", requested("wall"), "in .*request.json cannot be used: it should be a group"),
        ("a request's label twice", requested({"structures": [*one(), {"name": "b", "labels": [1]}]}), "given twice"),
        (
            "regions of which one is not there",
            drawn({"body": tube(), "tube": tube()}, "--structure", "tube", "--structure", "aorta"),
            "No volume shows the structure aorta: .* no region called 'aorta' but 1 'body', 2 'tube'",
        ),
    )
]
