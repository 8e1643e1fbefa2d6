"""Run folders that were damaged, forged or mistaken for something else."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

from hostile_corpus.case import Arguments, Case, Place
from hostile_corpus.spoiling import DEEP_JSON, Bomb, Spoil, cut, json_values, text

CONFIG, STATUS, EVENTS = "config.json", "status.json", "events.jsonl"


def resumed(*spoils: Spoil, dataset: bool = True) -> Callable[[Place], Arguments]:
    """Going on with a run that was stopped, after spoiling it."""

    def build(place: Place) -> Arguments:
        folder = place.copy("run")
        for spoil in spoils:
            spoil(folder)
        where = ["--dataset", str(place.good["training_set"])] if dataset else []
        return ["resume", str(folder), *where]

    return build


def asked(name: str, *spoils: Spoil) -> Callable[[Place], Arguments]:
    """``status`` or ``stop`` of a spoiled run."""

    def build(place: Place) -> Arguments:
        folder = place.copy("run")
        for spoil in spoils:
            spoil(folder)
        return [name, str(folder)]

    return build


def every_checkpoint(spoil: Callable[[Path], None]) -> Spoil:
    def spoil_all(folder: Path) -> None:
        for path in (folder / "checkpoints").iterdir():
            spoil(path)

    return spoil_all


def bytes_of(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content)


def with_values(**changes: object) -> Callable[[Path], None]:
    """Change the JSON that a checkpoint carries beside its tensors; ... removes an entry."""

    def spoil(path: Path) -> None:
        content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        table = json.loads(content[8 : 8 + length])
        values = json.loads(table["__metadata__"]["topogan"])
        values = {name: value for name, value in {**values, **changes}.items() if value is not ...}
        table["__metadata__"]["topogan"] = json.dumps(values)
        text = json.dumps(table).encode()
        text += b" " * (-len(text) % 8)
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])

    return spoil


def without_tensors(path: Path) -> None:
    content = path.read_bytes()
    table = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
    text = json.dumps({"__metadata__": table["__metadata__"]}).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def pickled(folder: Path) -> None:
    every_checkpoint(bytes_of(pickle.dumps(Bomb(folder.parent / "executed"))))(folder)


JSON = "cannot be read as JSON"
BROKEN = "[cC]heckpoints? .* (are|is) damaged"
FAILED = "^run/(run.lock|log.txt|status.json|events.jsonl|history.json)$"

CASES = [
    Case("run: not there", lambda place: ["resume", str(place.folder / "gone")], "config.json is missing"),
    Case("run: a training set", lambda place: ["resume", str(place.good["training_set"])], "config.json is missing"),
    Case("run: status of nothing", lambda place: ["status", str(place.folder)], "status.json is missing"),
    Case("run: stop of nothing", lambda place: ["stop", str(place.folder)], "status.json is missing"),
    Case("run: stop of what is stopped", asked("stop"), "Nothing is running in"),
    Case("run: status empty", asked("status", text(STATUS, "")), JSON),
    Case("run: status too deep", asked("status", text(STATUS, DEEP_JSON)), JSON),
    Case(
        "run: status from the future", asked("status", json_values(STATUS, schema="topogan.status/9")), "has the schema"
    ),
    Case("run: status with words for numbers", asked("status", json_values(STATUS, step="far")), "is damaged"),
    Case("run: configuration cut off", resumed(cut(CONFIG)), JSON),
    Case(
        "run: configuration from the future",
        resumed(json_values(CONFIG, schema="topogan.run/2")),
        "has the schema 'topogan.run/2'",
    ),
    Case("run: no settings", resumed(json_values(CONFIG, settings=...)), "config.json is damaged"),
    Case("run: settings a list", resumed(json_values(CONFIG, settings=[])), "config.json is damaged"),
    Case("run: a setting beyond measure", resumed(json_values(CONFIG, settings__masks__width=10**9)), "masks.width"),
    Case(
        "run: a setting unheard of", resumed(json_values(CONFIG, settings__magic=1)), "The setting magic does not exist"
    ),
    Case("run: no id", resumed(json_values(CONFIG, id=...), dataset=False), "config.json is damaged"),
    Case(
        "run: id a path",
        resumed(json_values(CONFIG, id="../../../etc/passwd"), dataset=False),
        "config.json is damaged",
    ),
    Case("run: no training set said", resumed(json_values(CONFIG, training_set=...)), "damaged"),
    Case(
        "run: another training set",
        resumed(json_values(CONFIG, training_set__content_hash="0" * 64)),
        "is not the training set",
    ),
    # An id of its own: where the training set of the other copies lies has been remembered by now.
    Case(
        "run: training set unknown",
        resumed(json_values(CONFIG, id="0" * 32), dataset=False),
        "name it with --dataset",
    ),
    Case("run: device of fancy", resumed(json_values(CONFIG, device=7, settings__device="quantum")), "device"),
    Case("run: threads a text", resumed(json_values(CONFIG, threads="all")), "config.json is damaged"),
    Case(
        "run: no checkpoint that is whole",
        resumed(every_checkpoint(bytes_of(b"x" * 100))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case("run: checkpoints pickles", resumed(pickled), BROKEN, code=1, may_change=FAILED),
    Case(
        "run: checkpoints with a table of 2⁶⁰ bytes",
        resumed(every_checkpoint(bytes_of(struct.pack("<Q", 1 << 60) + b"{}"))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints without tensors",
        resumed(every_checkpoint(without_tensors)),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints of an unknown stage",
        resumed(every_checkpoint(with_values(stage="magic"))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints of another schema",
        resumed(every_checkpoint(with_values(schema="topogan.checkpoint/9"))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints without a stage",
        resumed(every_checkpoint(with_values(stage=...))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints with a step in words",
        resumed(every_checkpoint(with_values(stage_step="far"))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: checkpoints with negative events",
        resumed(every_checkpoint(with_values(events_bytes=-5))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "run: events no JSON",
        resumed(text(EVENTS, b"\xff\xfe not json\n" * 200)),
        "events.jsonl in the run folder is damaged",
        code=1,
        may_change=FAILED,
    ),
]
