"""Synthesis folders that were damaged or forged, on their way to a report or an export."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from hostile_corpus.case import Arguments, Case, Place
from hostile_corpus.nrrd import header
from hostile_corpus.spoiling import DEEP_JSON, Spoil, cut, json_values, linked, removed, replaced, text

REPORT = "report.json"


def exported(*spoils: Spoil) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        folder = place.copy("synthesis")
        for spoil in spoils:
            spoil(folder)
        return ["export", str(folder), str(place.out)]

    return build


def evaluated(*spoils: Spoil) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        folder = place.copy("synthesis")
        for spoil in spoils:
            spoil(folder)
        report = str(place.folder / "page.html")
        return ["evaluate", str(folder), "--training-set", str(place.good["training_set"]), "--report", report]

    return build


def stack(name: str, array: np.ndarray, **how: bool) -> Spoil:
    return lambda folder: sitk.WriteImage(sitk.GetImageFromArray(array, **how), str(folder / name))


def report_in(name: str) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        return [
            "evaluate",
            str(place.good["synthesis"]),
            "--training-set",
            str(place.good["training_set"]),
            "--report",
            str(place.folder / name),
        ]

    return build


def report_over(content: str) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        place.path("page.html").write_text(content, encoding="utf-8")
        return report_in("page.html")(place)

    return build


DAMAGED = "damaged|synthesize again|cannot be read|is cut off|missing|header of .* is wrong"
ZEROS = np.zeros((8, 64, 64), np.uint8)

CASES = [
    Case(
        "export: nothing there",
        lambda place: ["export", str(place.folder / "gone"), str(place.out)],
        "report.json is missing",
    ),
    Case(
        "export: a training set",
        lambda place: ["export", str(place.good["training_set"]), str(place.out)],
        "report.json is missing",
    ),
    Case(
        "export: from the future",
        exported(json_values(REPORT, schema="topogan.synthesis/3")),
        "has the schema 'topogan.synthesis/3'",
    ),
    Case("export: report too deep", exported(text(REPORT, DEEP_JSON)), "cannot be read as JSON"),
    Case(
        "export: slices that call themselves volumes",
        exported(json_values(REPORT, axes=3)),
        r"00000_mask\.seg\.nrrd is missing where 8 volumes are said to be",
    ),
    Case("export: 10¹⁰ volumes", exported(json_values(REPORT, axes=3, count=10**10)), "more volumes than a synthesis"),
    Case("export: axes of a word", exported(json_values(REPORT, axes="many")), "axes are 2 or 3"),
    Case("export: no textures", exported(removed("textures.nrrd")), "has masks but no textures"),
    Case("export: no masks", exported(removed("masks.nrrd")), DAMAGED),
    Case("export: masks cut off", exported(cut("masks.nrrd")), DAMAGED),
    Case("export: masks a text", exported(text("masks.nrrd", "I am a stack")), DAMAGED),
    Case("export: masks claim 8 GB", exported(text("masks.nrrd", header(sizes="2000 2000 2000"))), DAMAGED),
    Case("export: masks with an endless line", exported(text("masks.nrrd", header(space="9" * 3000))), DAMAGED),
    Case("export: masks in another file", exported(text("masks.nrrd", header(b"", data_file="/etc/passwd"))), DAMAGED),
    Case("export: masks flat", exported(stack("masks.nrrd", ZEROS[0])), DAMAGED + "|no stack"),
    Case(
        "export: masks of colors",
        exported(stack("masks.nrrd", np.zeros((8, 64, 64, 3), np.uint8), isVector=True)),
        DAMAGED + "|color",
    ),
    Case("export: masks of another size", exported(stack("masks.nrrd", ZEROS[:5])), "differ in size"),
    Case("export: masks a link to a device", exported(linked("masks.nrrd", "/dev/zero")), DAMAGED + "|device"),
    Case(
        "evaluate: nothing there",
        lambda place: ["evaluate", str(place.folder / "gone"), "--training-set", str(place.good["training_set"])],
        "report.json is missing",
    ),
    Case("evaluate: report without numbers", evaluated(json_values(REPORT, settings=...)), DAMAGED + "|lacks"),
    Case(
        "evaluate: histogram of words",
        evaluated(
            json_values(REPORT, regions=[{"betti_histogram_before_cleaning": {"ring": "many"}}], settings__clean=9)
        ),
        DAMAGED + "|lacks",
    ),
    Case(
        "evaluate: histogram of 10¹⁰ samples",
        evaluated(
            json_values(REPORT, regions=[{"betti_histogram_before_cleaning": {"1,1": 10**10}}], settings__clean=9)
        ),
        DAMAGED + "|lacks",
    ),
    Case("evaluate: accepted NaN", evaluated(json_values(REPORT, accepted_percent=float("nan"))), DAMAGED + "|lacks"),
    Case("evaluate: a table of nothing", evaluated(json_values(REPORT, table={"structures": []})), DAMAGED + "|must"),
    Case("export: a table of nothing", exported(json_values(REPORT, table={"structures": []})), DAMAGED),
    Case("evaluate: labels without a name", evaluated(stack("masks.nrrd", ZEROS + 9)), DAMAGED + "|lacks"),
    Case("export: labels without a name", exported(stack("masks.nrrd", ZEROS + 9)), "has a label 9 of 1"),
    Case("evaluate: levels beyond", evaluated(replaced("samples.csv", ",,", ",7,")), DAMAGED + "|beyond"),
    Case(
        "evaluate: asked for three numbers", evaluated(json_values(REPORT, requested_betti=["a"])), DAMAGED + "|lacks"
    ),
    Case("evaluate: no table", evaluated(removed("samples.csv")), DAMAGED),
    Case("evaluate: table binary", evaluated(text("samples.csv", bytes(range(256)))), DAMAGED),
    Case("evaluate: table a row short", evaluated(cut("samples.csv", 0.6)), DAMAGED + "|lists"),
    Case("evaluate: table without seeds", evaluated(replaced("samples.csv", "seed", "dees")), DAMAGED + "|lacks"),
    Case("evaluate: masks cut off", evaluated(cut("masks.nrrd")), DAMAGED),
    Case(
        "evaluate: textures of another size",
        evaluated(stack("textures.nrrd", ZEROS[:3].astype(np.int16))),
        DAMAGED + "|3 textures",
    ),
    Case(
        "evaluate: textures of fractions",
        evaluated(stack("textures.nrrd", np.full((8, 64, 64), np.nan, np.float32))),
        DAMAGED + "|no stack",
    ),
    Case(
        "evaluate: masks of another size",
        evaluated(stack("masks.nrrd", np.zeros((8, 32, 32), np.uint8)), removed("textures.nrrd")),
        "32 pixels wide",
    ),
    Case(
        "evaluate: pixels of another size",
        evaluated(lambda folder: sitk.WriteImage(sitk.GetImageFromArray(ZEROS), str(folder / "masks.nrrd"))),
        "pixels of 1 mm",
    ),
    Case("evaluate: one sample", evaluated(stack("masks.nrrd", ZEROS[:1]), removed("textures.nrrd")), "1 slice|lists"),
    Case("evaluate: report exists", report_over("mine"), "exists"),
    Case("evaluate: report in a folder that is not there", report_in("gone/page.html"), "does not exist"),
    Case("evaluate: report called .exe", report_in("page.exe"), "cannot be named"),
]
