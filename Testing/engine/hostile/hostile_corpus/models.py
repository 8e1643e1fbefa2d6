"""Model packages from strangers, through the command line; more of them in test_model_strangers.py."""

from __future__ import annotations

import pickle
import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from hostile_corpus.case import Arguments, Case, Place
from hostile_corpus.spoiling import (
    DEEP_JSON,
    Bomb,
    Spoil,
    cut,
    json_values,
    linked,
    pipe,
    removed,
    text,
)

METADATA = "configs/metadata.json"
GENERATOR = "models/masks_generator.safetensors"


def drawn(*spoils: Spoil) -> Callable[[Place], Arguments]:
    """Samples of a spoiled package."""

    def build(place: Place) -> Arguments:
        folder = place.copy("model")
        for spoil in spoils:
            spoil(folder)
        return ["synthesize", str(folder), str(place.out), "--count", "2"]

    return build


def command(*arguments: str) -> Callable[[Place], Arguments]:
    """Any command on a right package; MODEL and OUT stand for the paths."""
    return lambda place: [{"MODEL": str(place.good["model"]), "OUT": str(place.out)}.get(one, one) for one in arguments]


def pickle_called(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(pickle.dumps(Bomb(folder.parent / "executed")))

    return spoil


def zipped(
    *more: tuple[zipfile.ZipInfo | str, bytes], spoil: Callable[[bytes], bytes] | None = None
) -> Callable[[Place], Arguments]:
    """A right package as a zip with more members, or with its bytes spoiled."""

    def build(place: Place) -> Arguments:
        path = Path(shutil.make_archive(str(place.folder / "model"), "zip", place.good["model"]))
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in more:
                archive.writestr(entry, content)
        if spoil:
            path.write_bytes(spoil(path.read_bytes()))
        return ["synthesize", str(path), str(place.out), "--count", "2"]

    return build


def packed_into_itself(place: Place) -> Arguments:
    model = place.copy("model")
    return ["pack", str(model), str(model / "docs" / "model.zip")]


def drawn_into_itself(place: Place) -> Arguments:
    model = place.copy("model")
    return ["synthesize", str(model), str(model / "docs" / "samples"), "--count", "2"]


def link_entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


def as_file(content: bytes, name: str = "model.zip") -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path(name)
        path.write_bytes(content)
        return ["synthesize", str(path), str(place.out), "--count", "2"]

    return build


SHORT = ["--masks-batch", "4"]
CANNOT = "model package .* cannot be used"

CASES = [
    Case(
        "model: not there", lambda place: ["synthesize", str(place.folder / "gone"), str(place.out)], "does not exist"
    ),
    Case(
        "model: an empty folder",
        lambda place: ["synthesize", str(place.path("empty/x").parent), str(place.out)],
        "is no model package",
    ),
    Case(
        "model: a training set",
        lambda place: ["synthesize", str(place.good["training_set"]), str(place.out)],
        "is no model package",
    ),
    Case("model: a pickle as file", as_file(pickle.dumps(Bomb(Path("/executed"))), "model.pt"), "is no model package"),
    Case("model: a text as zip", as_file(b"PK\3\4 trust me"), "is no model package|" + CANNOT),
    Case("model: an empty zip", as_file(b"PK\5\6" + bytes(18)), CANNOT + "|is no model package"),
    Case(
        "model: a pickle among the weights",
        drawn(pickle_called("models/model.pt")),
        "which is no part of a model package",
    ),
    Case("model: a pickle as weights", drawn(pickle_called(GENERATOR)), "was changed or damaged"),
    Case(
        "model: a pickle as configuration",
        drawn(pickle_called("configs/inference.json")),
        "which is no part of a model",
    ),
    Case("model: weights cut off", drawn(cut(GENERATOR)), "was changed or damaged"),
    Case("model: weights missing", drawn(removed(GENERATOR)), "is missing"),
    Case("model: packed into itself", packed_into_itself, "lies in the package"),
    Case("model: samples into itself", drawn_into_itself, "would lie inside the model package"),
    Case("model: slices that call themselves volumes", drawn(json_values(METADATA, axes=3)), "should have 3 numbers"),
    Case("model: four axes", drawn(json_values(METADATA, axes=4)), CANNOT),
    Case("model: weights a link", drawn(linked(GENERATOR, "/etc/passwd")), "is a link or a device"),
    Case("model: weights a pipe", drawn(pipe(GENERATOR)), "is a link or a device"),
    Case("model: metadata a link", drawn(linked(METADATA, "/dev/zero")), "is a link or a device"),
    Case(
        "model: from the future",
        drawn(json_values(METADATA, schema="topogan.model/3")),
        "has the schema 'topogan.model/3'",
    ),
    Case("model: metadata empty", drawn(text(METADATA, "")), CANNOT),
    Case("model: metadata too deep", drawn(text(METADATA, DEEP_JSON)), CANNOT),
    Case("model: metadata of 2 MB", drawn(text(METADATA, b" " * (2 << 20))), "is larger than 1 MB"),
    Case("model: size 10⁹", drawn(json_values(METADATA, size=10**9)), "size"),
    Case("model: width 10⁹", drawn(json_values(METADATA, settings__masks__width=10**9)), "masks.width"),
    Case("model: pixel size NaN", drawn(json_values(METADATA, pixel_size_mm=float("nan"))), "pixel_size_mm"),
    Case(
        "model: structure with control codes",
        drawn(json_values(METADATA, table={"structures": [{"name": "heart\x1b[2J\n"}]})),
        "structure",
    ),
    Case("model: zip with a path out of it", zipped(("../evil.txt", b"evil")), "leads out of it"),
    Case("model: zip with an absolute path", zipped(("/evil.txt", b"evil")), "leads out of it"),
    Case("model: zip with a link", zipped((link_entry("docs/link"), b"/etc/passwd")), "is a link"),
    Case("model: zip bomb", zipped(("docs/zeros.txt", bytes(64 << 20))), "grow more than 100-fold"),
    Case(
        "model: zip of 300 files",
        zipped(*((f"docs/{number}.txt", b"") for number in range(300))),
        "more than 200 files",
    ),
    Case(
        "model: zip cut off",
        zipped(spoil=lambda content: content[: len(content) // 2]),
        "is no model package|" + CANNOT,
    ),
    Case("model: zip with a damaged middle", zipped(spoil=lambda c: c[:2000] + bytes(500) + c[2500:]), CANNOT),
    Case("synthesize: no samples", command("synthesize", "MODEL", "OUT", "--count", "0"), "count cannot be 0"),
    Case("synthesize: 10⁹ samples", command("synthesize", "MODEL", "OUT", "--count", "1000000000"), "count cannot be"),
    Case(
        "synthesize: topology in words", command("synthesize", "MODEL", "OUT", "--betti", "one ring"), "betti cannot be"
    ),
    Case("synthesize: topology negative", command("synthesize", "MODEL", "OUT", "--betti", "-1,1"), "betti cannot be"),
    Case(
        "synthesize: topology never seen",
        command("synthesize", "MODEL", "OUT", "--count", "2", "--betti", "9,9", "--attempts", "1"),
        "Only 0 of 2 tries had 9 pieces and 9 holes",
        code=1,
    ),
    Case("synthesize: seed negative", command("synthesize", "MODEL", "OUT", "--seed", "-1"), "seed cannot be -1"),
    Case("synthesize: device of fancy", command("synthesize", "MODEL", "OUT", "--device", "quantum"), "device"),
    Case(
        "synthesize: over the model",
        lambda place: ["synthesize", str(copy := place.copy("model")), str(copy), "--overwrite"],
        "another kind of result",
    ),
    Case("pack: not a zip name", command("pack", "MODEL", "OUT"), "does not end in .zip"),
    Case(
        "pack: a training set",
        lambda place: ["pack", str(place.good["training_set"]), str(place.folder / "a.zip")],
        "is no model package",
    ),
    Case(
        "train: from a pickle",
        lambda place: [
            "train",
            str(place.good["training_set"]),
            str(place.out),
            *SHORT,
            "--from",
            as_file(pickle.dumps(Bomb(place.folder / "executed")), "m.pt")(place)[1],
        ],
        "is no model package",
    ),
    Case(
        "train: from a model of another size",
        lambda place: [
            "train",
            str(place.good["training_set"]),
            str(place.out),
            *SHORT,
            "--from",
            drawn(json_values(METADATA, size=128))(place)[1],
        ],
        CANNOT,
    ),
    Case(
        "train: preset of fancy",
        lambda place: ["train", str(place.good["training_set"]), str(place.out), "--preset", "magic"],
        "magic",
    ),
    Case(
        "train: preset of a path",
        lambda place: ["train", str(place.good["training_set"]), str(place.out), "--preset", "../../etc/passwd"],
        "preset",
    ),
    Case(
        "train: learning rate NaN",
        lambda place: ["train", str(place.good["training_set"]), str(place.out), "--masks-learning-rate", "nan"],
        "learning_rate cannot be nan",
    ),
]
