"""Paths that lead nowhere, around in circles, or to what is no file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import labels, save, scan


def nowhere(name: str) -> Callable[[Place], Arguments]:
    return lambda place: prepare(place, place.folder / name)


def link(target: str, name: str = "mask.nii") -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path(name)
        path.symlink_to(target)
        return prepare(place, path)

    return build


def loop(place: Place) -> Arguments:
    one, two = place.path("one.nii"), place.path("two.nii")
    one.symlink_to(two)
    two.symlink_to(one)
    return prepare(place, one)


def folder_loop(place: Place) -> Arguments:
    folder = place.folder / "masks"
    folder.mkdir()
    (folder / "again").symlink_to(folder)
    return prepare(place, folder)


def pipe(name: str) -> Callable[[Place], Arguments]:
    """A file that never begins: whoever opens it waits for ever."""

    def build(place: Place) -> Arguments:
        path = place.path(name)
        os.mkfifo(path)
        return prepare(place, path if path.parent == place.folder else path.parent)

    return build


def folder(*files: str) -> Callable[[Place], Arguments]:
    """A folder with some files in it that are none of ours."""

    def build(place: Place) -> Arguments:
        path = place.folder / "masks"
        path.mkdir()
        for name in files:
            place.path(f"masks/{name}").write_text("not a volume", encoding="utf-8")
        return prepare(place, path)

    return build


def folder_as_file(place: Place) -> Arguments:
    path = place.folder / "mask.nii.gz"
    path.mkdir()
    return prepare(place, path)


def without_partner(place: Place) -> Arguments:
    for name in ("p1.nii.gz", "p2.nii.gz"):
        save(place.path(f"masks/{name}"), labels())
    for name in ("p1.nii.gz", "p3.nii.gz"):
        save(place.path(f"scans/{name}"), scan(labels()))
    return prepare(place, place.folder / "masks", place.folder / "scans")


def same_name_twice(place: Place) -> Arguments:
    for name in ("p1.nii.gz", "p1.nrrd"):
        save(place.path(f"masks/{name}"), labels())
        save(place.path(f"scans/{name}"), scan(labels()))
    return prepare(place, place.folder / "masks", place.folder / "scans")


def other_ending(name: str) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        right = save(place.path("right.nii"), labels())
        return prepare(place, right.rename(place.folder / name))

    return build


def control_characters(place: Place) -> Arguments:
    """A name that would clear the terminal and break the sentence into lines."""
    return prepare(place, place.folder / "mask\n\x1b[2J\x1b[31mred\r.nii")


def undecodable(place: Place) -> Arguments:
    return prepare(place, Path(os.fsdecode(os.fsencode(place.folder) + b"/m\xff\xfe.nii")))


def right(place: Place) -> Arguments:
    return prepare(place, save(place.path("mask.nii.gz"), labels()))


def out_is_file(place: Place) -> Arguments:
    place.out.write_text("mine", encoding="utf-8")
    return right(place)


def out_is_full(place: Place, *more: str) -> Arguments:
    place.path("out/thesis.docx").write_text("three years of work", encoding="utf-8")
    return [*right(place), *more]


def out_below_file(place: Place) -> Arguments:
    place.path("file").write_text("mine", encoding="utf-8")
    return ["prepare", str(place.folder / "file" / "out"), *right(place)[2:]]


def out(name: str) -> Callable[[Place], Arguments]:
    return lambda place: ["prepare", str(place.folder / name), *right(place)[2:]]


CASES = [
    Case("path: nothing there", nowhere("gone.nii"), "does not exist"),
    Case("path: a name too long for the disk", nowhere("x" * 5000), "cannot be opened"),
    Case("path: with control characters", control_characters, r"does not exist"),
    Case("path: not in the system's encoding", undecodable, "does not exist"),
    Case("path: empty", lambda place: ["prepare", str(place.out), "-s", ""], "."),
    Case("path: link to nothing", link("gone.nii"), "does not exist"),
    Case("path: links in a circle", loop, "cannot be opened"),
    Case("path: folder that contains itself", folder_loop, "holds no volumes"),
    Case("path: link to an endless device", link("/dev/zero"), "is no file"),
    Case("path: link to an empty device", link("/dev/null"), "is no file"),
    Case("path: a pipe", pipe("mask.nii"), "is no file"),
    Case("path: a pipe among slices", pipe("slices/1.png"), "cannot be read|pixel size|no volumes"),
    Case("path: a pipe among files", pipe("masks/mask.nii"), "is no file"),
    Case("path: empty folder", folder(), "holds no volumes"),
    Case("path: folder of other things", folder("a.txt", "b.docx", ".hidden.nii"), "holds no volumes"),
    Case("path: folder called like a file", folder_as_file, "holds no volumes"),
    Case("path: segmentations without partners", without_partner, "No partner of the same name"),
    Case("path: one name twice", same_name_twice, "have the same name"),
    Case("path: a volume called .txt", other_ending("mask.txt"), "no volume that can be read"),
    Case("path: NIfTI called .nrrd", other_ending("mask.nrrd"), "does not begin as an NRRD file"),
    Case("path: NIfTI called .mha", other_ending("mask.mha"), "does not begin as a MetaImage file"),
    Case("path: NIfTI called .dcm", other_ending("mask.dcm"), "no volume that can be read"),
    Case("output: a file", out_is_file, "is a file"),
    Case("output: a folder with a thesis", out_is_full, "is not empty"),
    Case(
        "output: a thesis, --overwrite", lambda place: out_is_full(place, "--overwrite"), "was not written by TopoGAN"
    ),
    Case("output: below a file", out_below_file, "cannot be written"),
    Case("output: name too long for the disk", out("x" * 300), "cannot be written"),
]
