"""Training sets that were damaged, forged, or come from the future."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from training_sets import sign

from hostile_corpus.case import Arguments, Case, Place
from hostile_corpus.spoiling import (
    DEEP_JSON,
    LONG_NUMBER,
    Spoil,
    array,
    arrays,
    bomb_npz,
    cut,
    json_values,
    linked,
    lying_npz,
    npy_header,
    pickled,
    pickled_in_npz,
    pipe,
    removed,
    replaced,
    text,
)

SETTINGS = [
    "--masks-steps",
    "1",
    "--textures-steps",
    "1",
    "--masks-batch",
    "4",
    "--textures-batch",
    "2",
    "--threads",
    "1",
]


def signed(folder: Path) -> None:
    """Make the content hash right again, as someone would who changed a set on purpose."""
    sign(folder)


def trained(*spoils: Spoil, more: tuple[str, ...] = ()) -> Callable[[Place], Arguments]:
    """A short training on a spoiled set."""

    def build(place: Place) -> Arguments:
        folder = place.copy("training_set")
        for spoil in spoils:
            spoil(folder)
        return ["train", str(folder), str(place.out), *SETTINGS, *more]

    return build


def evaluated(spoil: Spoil) -> Callable[[Place], Arguments]:
    """An evaluation against a spoiled set."""

    def build(place: Place) -> Arguments:
        folder = place.copy("training_set")
        spoil(folder)
        report = str(place.folder / "report.html")
        return ["evaluate", str(place.good["synthesis"]), "--training-set", str(folder), "--report", report]

    return build


def synthesized(spoil: Spoil) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        folder = place.copy("training_set")
        spoil(folder)
        return ["synthesize", str(place.good["model"]), str(place.out), "--count", "2", "--training-set", str(folder)]

    return build


def rows_repeated(count: int) -> Spoil:
    def spoil(folder: Path) -> None:
        content = (folder / "slices.csv").read_text(encoding="utf-8").splitlines()
        (folder / "slices.csv").write_text("\n".join(content + content[1:2] * count) + "\n", encoding="utf-8")

    return spoil


DIAGRAMS = ("counts", "dimension", "birth", "death", "birth_index", "death_index")
PYTHON_2 = npy_header((24, 64, 64)).replace(b"24, 64, 64), }  ", b"24L, 64, 64), } ") + bytes(24 * 64 * 64)
DAMAGED = "training set .* is damaged|damaged or not a TopoGAN file"
JSON = "dataset.json"

CASES = [
    Case(
        "training set: not there",
        lambda place: ["train", str(place.folder / "gone"), str(place.out)],
        "There is no training set at",
    ),
    Case(
        "training set: a folder of something else",
        lambda place: ["train", str(place.good["synthesis"]), str(place.out)],
        "dataset.json is missing|There is no",
    ),
    Case(
        "training set: in the run folder",
        lambda place: ["train", str(place.copy("training_set")), str(place.folder), "--overwrite"],
        "is not empty|lies in the run folder|was not written",
    ),
    Case(
        "training set: from the future",
        trained(json_values(JSON, schema="topogan.training-set/4")),
        "has the schema 'topogan.training-set/4'",
    ),
    Case("training set: schema a list", trained(json_values(JSON, schema=["x" * 500] * 50)), "has the schema"),
    Case("training set: description empty", trained(text(JSON, "")), DAMAGED),
    Case("training set: description cut off", trained(cut(JSON)), DAMAGED),
    Case("training set: description binary", trained(text(JSON, b"\xff\xfe\x00")), DAMAGED),
    Case("training set: description a list", trained(text(JSON, "[1, 2]")), "has the schema None"),
    Case("training set: description too deep", trained(text(JSON, DEEP_JSON)), DAMAGED),
    Case("training set: number of 10,000 digits", trained(text(JSON, LONG_NUMBER)), DAMAGED),
    Case("training set: description of 70 MB", trained(text(JSON, b" " * (70 << 20))), DAMAGED),
    Case("training set: description a pipe", trained(pipe(JSON)), DAMAGED),
    Case("training set: description an endless device", trained(linked(JSON, "/dev/zero")), DAMAGED),
    Case("training set: no size", trained(json_values(JSON, size=...)), DAMAGED),
    Case("training set: size a text", trained(json_values(JSON, size="big")), DAMAGED),
    Case("training set: size -64", trained(json_values(JSON, size=-64)), DAMAGED),
    Case("training set: size 63", trained(json_values(JSON, size=63)), DAMAGED),
    Case("training set: size 10¹²", trained(json_values(JSON, size=10**12)), DAMAGED),
    Case("training set: pixel size 0", trained(json_values(JSON, pixel_size_mm=0)), DAMAGED),
    Case("training set: pixel size NaN", trained(json_values(JSON, pixel_size_mm=float("nan"))), DAMAGED),
    Case("training set: window null", trained(json_values(JSON, window=None)), DAMAGED),
    Case("training set: window of one number", trained(json_values(JSON, window=[1])), DAMAGED),
    Case("training set: window NaN", trained(json_values(JSON, window=[float("nan"), 1])), DAMAGED),
    Case("training set: window upside down", trained(json_values(JSON, window=[600, -200])), DAMAGED),
    Case("training set: intensity made up", trained(json_values(JSON, intensity="loud")), DAMAGED),
    Case("training set: counts a text", trained(json_values(JSON, counts="many")), DAMAGED),
    Case("training set: counts lie", trained(json_values(JSON, counts__train=1000)), DAMAGED),
    Case("training set: modal topology of three", trained(json_values(JSON, betti__modal=[1, 1, 1])), DAMAGED),
    Case("training set: modal topology negative", trained(json_values(JSON, betti__modal=[-1, 1])), DAMAGED),
    Case("training set: structure null", trained(json_values(JSON, structure=None)), DAMAGED),
    Case("training set: structure like an essay", trained(json_values(JSON, structure="x" * 10**6)), DAMAGED),
    Case("training set: structure with control codes", trained(json_values(JSON, structure="heart\x1b[2J\n")), DAMAGED),
    Case("training set: no table", trained(removed("slices.csv")), DAMAGED),
    Case("training set: table binary", trained(text("slices.csv", bytes(range(256)))), DAMAGED),
    Case("training set: table with zeros", trained(text("slices.csv", b"row,patient\0,phase\n0,1\0,2\n")), DAMAGED),
    Case("training set: table without a column", trained(replaced("slices.csv", "split", "tilps")), DAMAGED),
    Case("training set: table a row short", trained(cut("slices.csv", 0.9)), DAMAGED),
    Case("training set: table of 10⁵ rows too many", trained(rows_repeated(10**5)), DAMAGED),
    Case("training set: table with words for numbers", trained(replaced("slices.csv", "1,1\n", "one,one\n")), DAMAGED),
    Case(
        "training set: table with a level NaN", trained(replaced("slices.csv", ",0,0.0,train", ",0,nan,train")), DAMAGED
    ),
    Case("training set: table a pipe", trained(pipe("slices.csv")), DAMAGED),
    Case("training set: no masks", trained(removed("masks.npy")), DAMAGED),
    Case("training set: masks cut off", trained(cut("masks.npy")), DAMAGED),
    Case("training set: masks empty", trained(text("masks.npy", b"")), DAMAGED),
    Case("training set: masks a pickle", trained(pickled("masks.npy")), DAMAGED),
    Case("training set: masks a text", trained(text("masks.npy", "I am an array")), DAMAGED),
    Case("training set: masks of fractions", trained(array("masks.npy", np.zeros((24, 64, 64)))), DAMAGED),
    Case("training set: masks of another size", trained(array("masks.npy", np.zeros((24, 32, 32), np.uint8))), DAMAGED),
    Case("training set: masks fewer", trained(array("masks.npy", np.zeros((4, 64, 64), np.uint8))), DAMAGED),
    Case("training set: masks claim 10¹³ bytes", trained(text("masks.npy", npy_header((10**13,)))), DAMAGED),
    Case("training set: masks as Python 2 wrote them", trained(text("masks.npy", PYTHON_2)), DAMAGED),
    Case("training set: masks claim a negative shape", trained(text("masks.npy", npy_header((-1, 64, 64)))), DAMAGED),
    Case(
        "training set: header of the masks is code",
        trained(text("masks.npy", b"\x93NUMPY\x01\x00\x20\x00" + b"__import__('os').mkdir('boom')  \n")),
        DAMAGED,
    ),
    Case("training set: masks a pipe", trained(pipe("masks.npy")), DAMAGED),
    Case("training set: masks a device", trained(linked("masks.npy", "/dev/zero")), DAMAGED),
    Case(
        "training set: masks with other labels",
        trained(array("masks.npy", np.full((24, 64, 64), 7, np.uint8)), signed),
        "holds no structure of its table",
    ),
    Case(
        "training set: masks all empty",
        trained(array("masks.npy", np.zeros((24, 64, 64), np.uint8)), signed),
        "holds no structure of its table",
    ),
    Case("training set: no images", trained(removed("images.npy")), DAMAGED),
    Case(
        "training set: images of fractions", trained(array("images.npy", np.zeros((24, 64, 64), np.float32))), DAMAGED
    ),
    Case(
        "training set: images where none are said",
        trained(json_values(JSON, intensity="none")),
        "names images and no window, or a window and no images",
    ),
    Case(
        "training set: no diagrams",
        trained(removed("diagrams.npz"), more=("--part", "masks")),
        "diagrams.npz is missing",
    ),
    Case("training set: diagrams cut off", trained(cut("diagrams.npz")), "holds no persistence diagrams"),
    Case(
        "training set: diagrams a pickle",
        trained(pickled_in_npz("diagrams.npz", "counts")),
        "holds no persistence diagrams",
    ),
    Case(
        "training set: diagrams claim 80 TB",
        trained(lying_npz("diagrams.npz", *DIAGRAMS)),
        "holds no persistence diagrams",
    ),
    Case(
        "training set: diagrams a bomb", trained(bomb_npz("diagrams.npz", *DIAGRAMS)), "holds no persistence diagrams"
    ),
    Case(
        "training set: ten million empty diagrams",
        trained(arrays("diagrams.npz", counts=np.zeros(10**7, np.int64))),
        "do not fit together",
    ),
    Case(
        "training set: diagrams of negative length",
        trained(arrays("diagrams.npz", counts=np.array([-1, 1]))),
        "do not fit together",
    ),
    Case("training set: all for training", trained(replaced("slices.csv", "test", "train")), DAMAGED),
    Case("training set: evaluated, masks missing", evaluated(removed("masks.npy")), DAMAGED),
    Case("training set: synthesized, of another size", synthesized(json_values(JSON, size=128)), DAMAGED),
    Case(
        "training set: batch larger than the set",
        trained(more=("--masks-batch", "500")),
        "masks.batch is 500 and the training set has 16",
    ),
]
