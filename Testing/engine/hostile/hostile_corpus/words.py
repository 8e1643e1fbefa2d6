"""Names that libraries cannot take, words that would drive a terminal or a browser, and programs in place of data."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PIL import Image
from safetensors.numpy import save as save_tensors

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.runs import FAILED, STATUS, asked, every_checkpoint, resumed
from hostile_corpus.scene import labels, save
from hostile_corpus.spoiling import Spoil, json_values, linked, text
from hostile_corpus.syntheses import exported

NOT_UTF8 = "is not in UTF-8"
TOO_DEEP = "folders deep"
ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202egnp.exe\n"


def latin(place: Place, name: bytes = b"caf\xe9") -> Path:
    """A path whose name is Latin-1."""
    return Path(os.fsdecode(os.fsencode(place.folder) + b"/" + name))


def pictures(folder: Path, name: bytes = b"1.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    right = folder.parent / "right.png"
    sitk.WriteImage(sitk.GetImageFromArray(labels()[20]), str(right))
    right.rename(Path(os.fsdecode(os.fsencode(folder) + b"/" + name)))
    return folder


def mask(place: Place) -> Arguments:
    return ["-s", str(save(place.path("mask.nii.gz"), labels()))]


def of_pictures(folder: Callable[[Place], Path], name: bytes = b"1.png") -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        pictures(place.folder / "slices", name)
        target = folder(place)
        if target != place.folder / "slices":
            (place.folder / "slices").rename(target)
        return prepare(place, target, None, "--png-pixel-size", "1")

    return build


def series(*, folder: bytes = b"series", file: bytes = b"1.dcm") -> Callable[[Place], Arguments]:
    """A right DICOM series under odd names, as the image of a right mask."""

    def build(place: Place) -> Arguments:
        target = latin(place, folder)
        target.mkdir()
        right = place.folder / "slice.dcm"
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((1, 32, 32), np.int16)), str(right))
        right.rename(Path(os.fsdecode(os.fsencode(target) + b"/" + file)))
        return prepare(place, save(place.path("mask.nii.gz"), labels()), target)

    return build


def to_latin(*command: str) -> Callable[[Place], Arguments]:
    """A command that writes there; names of good outputs stand for their paths."""
    return lambda place: [str(place.good.get(one, one)) if one != "OUT" else str(latin(place)) for one in command]


def from_latin(kind: str, *command: str) -> Callable[[Place], Arguments]:
    """A command on a finished output that lies there."""

    def build(place: Place) -> Arguments:
        path = shutil.copytree(place.good[kind], latin(place))
        known = {"IT": str(path), "OUT": str(place.out), "PAGE": str(place.folder / "page.html")}
        return [known.get(one, str(place.good.get(one, one))) for one in command]

    return build


def too_deep(*command: str, folders: int = 2000) -> Callable[[Place], Arguments]:
    """OUT lies below many folders that are not there."""
    deep = "/".join(["d"] * folders)
    return lambda place: [
        str(place.folder / deep / one.lower()) if one in ("OUT", "OUT.zip") else str(place.good.get(one, one))
        for one in command
    ]


def phantom_out(name: bytes) -> Callable[[Place], Arguments]:
    return lambda place: ["phantom", str(latin(place, name))]


def network(name: str = "network.pt", content: bytes | None = b"PK") -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = latin(place, name.encode("latin-1"))
        if content is not None:
            path.write_bytes(content)
        good, page = place.good, str(place.folder / "page.html")
        start = ["evaluate", str(good["synthesis"]), "--training-set", str(good["training_set"]), "--report", page]
        return [*start, "--feature-network", str(path)]

    return build


def status(**values: object) -> Callable[[Place], Arguments]:
    return asked("status", json_values(STATUS, **values))


def stack_line(old: str, new: str) -> Callable[[Place], Arguments]:
    """One line of the header of a synthesis' masks changed."""

    def spoil(folder: Path) -> None:
        content = (folder / "masks.nrrd").read_bytes()
        assert old.encode() in content
        (folder / "masks.nrrd").write_bytes(content.replace(old.encode(), new.encode(), 1))

    return exported(spoil)


def lock(content: bytes) -> Spoil:
    return text("run.lock", content)


def no_checkpoints(folder: Path) -> None:
    every_checkpoint(lambda path: path.write_bytes(b""))(folder)


def served(parent: str) -> Callable[[Place], Arguments]:
    return lambda place: ["serve", str(place.folder / "served"), "--parent", parent]


DAMAGED = "is damaged"
OTHER_WEIGHTS = save_tensors({"a": np.zeros(2, np.float32)})
STACK = "damaged|header of .* is wrong|cut off"


def grey_with_alpha(spoil: Callable[[bytes], bytes]) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path("slices/1.png")
        Image.fromarray(np.dstack([labels()[20]] * 2), "LA").save(path)
        path.write_bytes(spoil(path.read_bytes()))
        return prepare(place, path.parent, None, "--png-pixel-size", "1")

    return build


CASES = [
    Case(
        "words: grey with alpha, cut off", grey_with_alpha(lambda content: content[:60]), "cannot be read as a picture"
    ),
    Case(
        "words: grey with alpha of 16 bits",
        grey_with_alpha(lambda png: png[:24] + b"\x10" + png[25:]),
        "16 bits of grey",
    ),
    Case(
        "words: grey with alpha, a byte changed",
        grey_with_alpha(lambda png: png[:50] + b"\0\0" + png[52:]),
        "cannot be read",
    ),
    Case("words: PNG folder in Latin-1", of_pictures(latin), NOT_UTF8),
    Case("words: PNG file in Latin-1", of_pictures(lambda place: place.folder / "slices", b"caf\xe9.png"), NOT_UTF8),
    Case("words: PNG file of bytes", of_pictures(lambda place: place.folder / "slices", b"\xff\xfe.png"), NOT_UTF8),
    Case("words: DICOM folder in Latin-1", series(folder=b"caf\xe9"), NOT_UTF8),
    Case("words: DICOM file in Latin-1", series(file=b"M\xfcller.dcm"), NOT_UTF8),
    Case("words: DICOM file of bytes", series(file=b"\xc3\x28.dcm"), NOT_UTF8),
    Case("words: prepare into Latin-1", lambda place: ["prepare", str(latin(place)), *mask(place)], NOT_UTF8),
    Case("words: phantom into Latin-1", phantom_out(b"caf\xe9"), NOT_UTF8),
    Case("words: phantom into half a letter", phantom_out(b"\xe2\x82"), NOT_UTF8),
    Case("words: phantom into a surrogate", phantom_out(b"\xed\xa0\x80"), NOT_UTF8),
    Case("words: phantom below Latin-1", phantom_out(b"caf\xe9/out"), NOT_UTF8),
    Case("words: export into Latin-1", to_latin("export", "synthesis", "OUT"), NOT_UTF8),
    Case("words: samples into Latin-1", to_latin("synthesize", "model", "OUT", "--count", "2"), NOT_UTF8),
    Case("words: training into Latin-1", to_latin("train", "training_set", "OUT"), NOT_UTF8),
    Case("words: pack into Latin-1", to_latin("pack", "model", "OUT"), f"{NOT_UTF8}|end"),
    Case("words: demo into Latin-1", to_latin("demo", "OUT"), NOT_UTF8),
    Case(
        "words: report into Latin-1",
        to_latin("evaluate", "synthesis", "--training-set", "training_set", "--report", "OUT"),
        NOT_UTF8,
    ),
    Case("words: model in Latin-1", from_latin("model", "synthesize", "IT", "OUT", "--count", "2"), NOT_UTF8),
    Case("words: run in Latin-1", from_latin("run", "resume", "IT", "--dataset", "training_set"), NOT_UTF8),
    Case("words: feature network in Latin-1", network(name="caf\xe9.pt"), NOT_UTF8),
    Case("words: 2,000 folders, prepare", lambda place: [*too_deep("prepare", "OUT")(place), *mask(place)], TOO_DEEP),
    Case("words: 2,000 folders, phantom", too_deep("phantom", "OUT"), TOO_DEEP),
    Case("words: 2,000 folders, train", too_deep("train", "training_set", "OUT"), TOO_DEEP),
    Case("words: 2,000 folders, synthesize", too_deep("synthesize", "model", "OUT"), TOO_DEEP),
    Case("words: 2,000 folders, export", too_deep("export", "synthesis", "OUT"), TOO_DEEP),
    Case("words: 2,000 folders, pack", too_deep("pack", "model", "OUT.zip"), TOO_DEEP),
    Case("words: 2,000 folders, demo", too_deep("demo", "OUT"), TOO_DEEP),
    Case("words: 1,000 folders, phantom", too_deep("phantom", "OUT", folders=1000), TOO_DEEP),
    Case("words: parent beyond 2⁶³", served(str(2**63)), "parent"),
    Case("words: parent of 400 digits", served("9" * 400), "parent"),
    Case("words: parent beyond 2³¹", served(str(2**31)), "parent"),
    Case("words: parent negative", served("-1"), "parent"),
    Case("words: parent a word", served("init"), "parent"),
    Case("words: status with escapes as state", status(state=ESCAPES), DAMAGED),
    Case("words: status of no known state", status(state="flying"), DAMAGED),
    Case("words: status with a state of 1 MB", status(state="r" * 2**20), DAMAGED),
    Case("words: status with an error that is a list", status(error=[ESCAPES]), DAMAGED),
    Case("words: status at step NaN", status(step=float("nan")), DAMAGED),
    Case("words: status at step -1", status(step=-1), DAMAGED),
    Case("words: status at step 10⁴⁰⁰", status(step=10**400), DAMAGED),
    Case("words: status with infinity left", status(eta_seconds=float("inf")), DAMAGED),
    Case("words: status with NaN left", status(eta_seconds=float("nan")), DAMAGED),
    Case("words: status with 10³⁰⁰ s left", status(eta_seconds=1e300), DAMAGED),
    Case("words: status of a machine that is a number", status(machine=7), DAMAGED),
    Case("words: stop where the state is escapes", asked("stop", json_values(STATUS, state=ESCAPES)), DAMAGED),
    Case("words: stop of a run whose lock names process 1", asked("stop", lock(b"\n1\n")), "Nothing is running in"),
    Case("words: stop of a run whose lock is 1 MB", asked("stop", lock(b"9" * 2**20)), "Nothing is running in"),
    Case(
        "words: empty checkpoints, resumed",
        resumed(no_checkpoints),
        "damaged",
        code=1,
        may_change=FAILED,
    ),
    Case("words: feature network, a zip", network(), "no safetensors file"),
    Case("words: feature network, a text", network(content=b"a text of some length"), "no safetensors file"),
    Case("words: feature network, another", network(content=OTHER_WEIGHTS), "another network .*'a'"),
    Case("words: feature network, a huge table", network(content=b"\xff" * 7 + b"\x7f{}"), "no safetensors file"),
    Case("words: feature network empty", network(content=b""), "no safetensors file"),
    Case("words: feature network, a folder", network(name="", content=None), "is no file"),
    Case("words: feature network not there", network(content=None), "does not exist"),
    Case("words: stack that hides a field", stack_line("kinds:", "byte skip: 9 :=\nkinds:"), STACK),
    Case("words: stack with data of another folder", stack_line("kinds:", "data file: /etc/passwd\nkinds:"), STACK),
    Case("words: stack with a size twice", stack_line("kinds:", "sizes: 1 1 1\nkinds:"), STACK),
    Case("words: stack of one more slice", stack_line("64 64 8", "64 64 9"), STACK),
    Case("words: stack of NaN mm", stack_line("space directions: (", "space directions: (nan"), STACK),
    Case("words: stack a pipe's link", exported(linked("masks.nrrd", "/dev/stdin")), "damaged|missing"),
]
