"""Runs and service folders that lead to what is not ours, files without end, and options that imply too much."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.paths import right
from hostile_corpus.runs import (
    BROKEN,
    CONFIG,
    EVENTS,
    FAILED,
    JSON,
    STATUS,
    asked,
    every_checkpoint,
    resumed,
    with_values,
)
from hostile_corpus.scene import labels, save, scan
from hostile_corpus.spoiling import Spoil, json_values, text

SERVED = "^served/"
STRANGE = "where TopoGAN writes something else"
LOCK, HISTORY, LOG, STOP = "run.lock", "history.json", "log.txt", "stop"
GIGABYTES = 10 << 30


def victim(folder: Path) -> Path:
    """Something of the user's beside the run, which must stay as it is."""
    path = folder.parent / "victim"
    path.mkdir(exist_ok=True)
    for name in ("step-00000001.safetensors", ".0123abcd.partial.json", "thesis.docx"):
        (path / name).write_text("three years of work", encoding="utf-8")
    return path


def gone(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def link_to_folder(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).symlink_to(victim(folder))

    return spoil


def link_to_file(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).symlink_to(victim(folder) / "thesis.docx")

    return spoil


def link_to_nothing(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).symlink_to(folder.parent / "new")

    return spoil


def link_to_device(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).symlink_to("/dev/zero")

    return spoil


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        os.mkfifo(folder / name)

    return spoil


def folder_for(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).mkdir()

    return spoil


def file_for(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        gone(folder / name)
        (folder / name).write_text("no folder", encoding="utf-8")

    return spoil


def sparse(name: str, size: int = GIGABYTES) -> Spoil:
    """As many zeros as no disk holds."""
    return lambda folder: enlarge(folder / name, size)


def enlarge(path: Path, size: int = GIGABYTES) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def sole_checkpoint(spoil: Callable[[Path], None]) -> Spoil:
    return lambda folder: spoil(max((folder / "checkpoints").iterdir()))


def one_gone_for(make: Callable[[Path], None]) -> Spoil:
    def spoil(path: Path) -> None:
        path.unlink()
        make(path)

    return sole_checkpoint(spoil)


def run_link(command: str) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        run = place.copy("run").rename(place.folder / "real")
        (place.folder / "run").symlink_to(run)
        dataset = str(place.good["training_set"])
        link = str(place.folder / "run")
        return {
            "resume": ["resume", link, "--dataset", dataset],
            "train": ["train", dataset, link],
            "overwrite": ["train", dataset, link, "--overwrite"],
            "stop": ["stop", link],
        }[command]

    return build


def alive(folder: Path) -> None:
    """A run that claims to work on another computer: it may be asked to stop."""
    json_values(STATUS, state="running", host="elsewhere")(folder)


def trained(*more: str, spoil: Spoil | None = None) -> Callable[[Place], Arguments]:
    """A new training over an older run."""

    def build(place: Place) -> Arguments:
        run = place.copy("run")
        if spoil is not None:
            spoil(run)
        return ["train", str(place.good["training_set"]), str(run), *more]

    return build


def over(kind: str, name: str, spoil: Callable[[str], Spoil] | None = None) -> Callable[[Place], Arguments]:
    """A command with ``--overwrite`` on a result of ours, which holds something else besides."""

    def build(place: Place) -> Arguments:
        older = place.copy(kind)
        if spoil is not None:
            spoil(name)(older)
        else:
            place.path(f"{kind}/{name}").write_text("three years of work", encoding="utf-8")
        command = {
            "training_set": ["prepare", str(older), *right(place)[2:]],
            "synthesis": ["synthesize", str(place.good["model"]), str(older), "--count", "2"],
            "run": ["train", str(place.good["training_set"]), str(older)],
        }[kind]
        return [*command, "--overwrite"]

    return build


def kept_alone(command: str) -> Callable[[Place], Arguments]:
    """Killed between the two steps of a replacement: the older run has only its hidden name."""

    def build(place: Place) -> Arguments:
        run = place.copy("run")
        run.rename(place.folder / f".run.{'0' * 32}.replaced")
        dataset = str(place.good["training_set"])
        return {
            "resume": ["resume", str(run), "--dataset", dataset],
            "train": ["train", dataset, str(run)],
            "overwrite": ["train", dataset, str(run), "--overwrite"],
        }[command]

    return build


def served(spoil: Callable[[Path], None]) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        folder = place.folder / "served"
        folder.mkdir()
        spoil(folder)
        return ["serve", str(folder), "--parent", "4194304"]

    return build


def lies_elsewhere(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).symlink_to(victim(folder))


def in_place_of(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda folder: make(folder / name)


def implied(*more: str, ct: bool = False) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        if not ct:
            return [*right(place), *more]
        mask, image = save(place.path("mask.nii.gz"), labels()), save(place.path("ct.nii.gz"), scan(labels()))
        return prepare(place, mask, image, *more)

    return build


def many_tiles(place: Place) -> Arguments:
    """Of a volume that is damaged within, which shows when it is read."""
    arguments = implied("--tiling", "--pixel-size", "0.05", "--slice-spacing", "0.01")(place)
    path = place.path("mask.nii.gz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return arguments


def requested(
    content: str | bytes | None = None, make: Callable[[Path], None] | None = None
) -> Callable[[Place], Arguments]:
    """``train --prepare`` with this request."""

    def build(place: Place) -> Arguments:
        path = place.path("request/request.json")
        if make is not None:
            make(path)
        else:
            path.write_bytes(content)
        return ["train", str(place.folder / "set"), str(place.out), "--prepare", str(path.parent), "--part", "masks"]

    return build


MANY_LISTS = b"[" + b"[]," * (6 << 20) + b"[]]"
MANY_CURVES = "".join(
    json.dumps({"stage": "masks", "step": 1, "values": {f"loss_{row}_{one}": 1 for one in range(200)}}) + "\n"
    for row in range(20)
)
KEEP_ALL = every_checkpoint(with_values(events_bytes=1 << 40))
EVENTS_BROKEN = "events.jsonl in the run folder is damaged"

CASES = [
    *(
        Case(f"ours: {what} of a run, a link to a folder of the user's", resumed(link_to_folder(what)), STRANGE)
        for what in ("checkpoints", "previews", "model", LOG, EVENTS, HISTORY, STOP, LOCK)
    ),
    *(
        Case(f"ours: {what} of a run, a link to a file of the user's", resumed(link_to_file(what)), STRANGE)
        for what in ("checkpoints", "previews", "model", LOG, EVENTS, HISTORY, STOP, LOCK)
    ),
    *(
        Case(f"ours: {what} of a run, a link to nothing yet", resumed(link_to_nothing(what)), STRANGE)
        for what in (LOG, EVENTS, HISTORY, STOP, LOCK, "model")
    ),
    *(
        Case(f"ours: {what} of a run, a pipe", resumed(pipe(what)), STRANGE)
        for what in (LOG, EVENTS, HISTORY, STOP, LOCK, "checkpoints", "previews", "model")
    ),
    *(
        Case(f"ours: {what} of a run, an endless device", resumed(link_to_device(what)), STRANGE)
        for what in (LOG, EVENTS, HISTORY, LOCK)
    ),
    *(
        Case(f"ours: {what} of a run, a folder", resumed(folder_for(what)), STRANGE)
        for what in (LOG, EVENTS, HISTORY, STOP, LOCK)
    ),
    *(
        Case(f"ours: {what} of a run, a file", resumed(file_for(what)), STRANGE)
        for what in ("checkpoints", "previews", "model")
    ),
    *(
        Case(f"ours: {what} of a run, a pipe ({name})", build, JSON)
        for what in (CONFIG, STATUS)
        for name, build in (("resume", resumed(pipe(what))),)
    ),
    Case("ours: status of a run, a pipe (status)", asked("status", pipe(STATUS)), JSON),
    *(
        Case(f"ours: {what} of a run, {kind} ({command})", asked(command, alive, link(what)), STRANGE)
        for what in (STATUS, LOCK)
        for command in ("status", "stop")
        for kind, link in (("endless", link_to_device), ("a link to a file", link_to_file))
    ),
    Case("ours: status of 10 GB", asked("status", sparse(STATUS)), JSON),
    Case("ours: configuration of 10 GB", resumed(sparse(CONFIG)), JSON),
    Case("ours: configuration of six million lists", resumed(text(CONFIG, MANY_LISTS)), JSON),
    Case("ours: configuration a folder", resumed(folder_for(CONFIG)), JSON),
    Case("ours: lock a pipe (train --overwrite)", trained("--overwrite", spoil=pipe(LOCK)), "cannot be written"),
    Case("ours: stop through a link", asked("stop", alive, link_to_nothing(STOP)), STRANGE),
    *(
        Case(f"ours: a run that is a link ({command})", run_link(command), f"is a link|{STRANGE}|Nothing is running")
        for command in ("resume", "train", "overwrite", "stop")
    ),
    *(
        Case(f"ours: killed in a replacement ({command})", kept_alone(command), "is kept in .*replaced")
        for command in ("resume", "train", "overwrite")
    ),
    *(
        Case(f"ours: {kind} with {name} in it, replaced", over(kind, name), f"holds {re.escape(name)}, which")
        for kind, name in (
            ("training_set", "thesis.docx"),
            ("training_set", "papers/thesis.docx"),
            ("synthesis", "thesis.docx"),
            ("synthesis", "masks (2).nrrd"),
            ("synthesis", ".thesis"),
            ("run", "notes.txt"),
            ("run", "samples/report.json"),
            ("run", "checkpoints/step-best.safetensors"),
            ("run", "model/docs/paper.pdf"),
        )
    ),
    Case("ours: synthesis with a link, replaced", over("synthesis", "gallery.png", link_to_file), "holds gallery.png"),
    Case("ours: synthesis with a linked folder, replaced", over("synthesis", "x", link_to_folder), "holds x, which"),
    Case("ours: run with linked previews, replaced", over("run", "previews", link_to_folder), "holds previews, which"),
    Case("ours: a run there, without --overwrite", trained(), "is not empty"),
    Case("ours: too many threads of a run", resumed(json_values(CONFIG, threads=4096)), "4096 threads would share"),
    Case("ours: too many threads (train)", trained("--overwrite", "--threads", "512"), "512 threads would share"),
    Case("ours: far too many threads (train)", trained("--overwrite", "--threads", "4096"), "threads"),
    Case("ours: a checkpoint, a pipe", resumed(one_gone_for(os.mkfifo)), STRANGE),
    Case("ours: a checkpoint, a device", resumed(one_gone_for(lambda path: path.symlink_to("/dev/zero"))), STRANGE),
    Case("ours: a checkpoint, a folder", resumed(one_gone_for(Path.mkdir)), STRANGE),
    Case(
        "ours: a checkpoint, a file of the user's",
        resumed(one_gone_for(lambda path: path.symlink_to(victim(path.parents[1]) / "thesis.docx"))),
        STRANGE,
    ),
    Case("ours: checkpoints of 10 GB", resumed(every_checkpoint(enlarge)), BROKEN, code=1, may_change=FAILED),
    Case(
        "ours: checkpoints with a table of 50 MB",
        resumed(every_checkpoint(lambda path: path.write_bytes((50 << 20).to_bytes(8, "little") + bytes(50 << 20)))),
        BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case("ours: events of 10 GB", resumed(sparse(EVENTS), KEEP_ALL), EVENTS_BROKEN, code=1, may_change=FAILED),
    Case(
        "ours: events of a gigabyte without a line end",
        resumed(text(EVENTS, ""), sparse(EVENTS, 1 << 30), KEEP_ALL),
        EVENTS_BROKEN,
        code=1,
        may_change=FAILED,
    ),
    Case(
        "ours: events of 4,000 curves",
        resumed(text(EVENTS, MANY_CURVES), KEEP_ALL),
        EVENTS_BROKEN,
        code=1,
        may_change=FAILED,
    ),
    *(
        Case(f"ours: served, {name} lies elsewhere", served(lies_elsewhere(name)), "is a link to another folder")
        for name in ("requests", "results")
    ),
    Case(
        "ours: served, the lock a pipe",
        served(in_place_of("serve.lock", os.mkfifo)),
        "cannot be opened",
        may_change="served",
    ),
    Case(
        "ours: served, the lock a folder",
        served(in_place_of("serve.lock", Path.mkdir)),
        "cannot be opened",
        may_change="served",
    ),
    Case(
        "ours: served, the lock a link", served(lies_elsewhere("serve.lock")), "cannot be opened", may_change="^served"
    ),
    Case("ours: served, requests a file", served(in_place_of("requests", Path.touch)), "cannot be used"),
    Case(
        "ours: served, the status a folder",
        served(in_place_of("serve.json", Path.mkdir)),
        "can no longer be written",
        code=1,
        may_change=SERVED,
    ),
    Case("ours: slices of a tenth of a micron", implied("--slice-spacing", "0.0001"), r"cut into \S+ slices"),
    Case(
        "ours: slices of a tenth of a micron, with CT",
        implied("--slice-spacing", "0.0001", ct=True),
        r"into \S+ slices",
    ),
    Case("ours: slices without thickness", implied("--slice-spacing", "1e-300"), r"into \S+ slices"),
    Case("ours: tiles of a micron", implied("--tiling", "--pixel-size", "0.001"), r"into \S+ (tiles|slices)"),
    Case("ours: tiles of a nanometer", implied("--tiling", "--pixel-size", "0.000001"), r"into \S+ (tiles|slices)"),
    Case("ours: tiles without size", implied("--tiling", "--pixel-size", "1e-300"), r"into \S+ (tiles|slices)"),
    Case("ours: tiles of a few voxels in many slices", many_tiles, "into 8000 slices of 15 x 15 tiles of 3.2 mm"),
    Case(
        "ours: tiles in slices of a micron",
        implied("--tiling", "--pixel-size", "0.2", "--slice-spacing", "0.0001"),
        r"into \S+ slices",
    ),
    Case("ours: a request that is a pipe", requested(make=os.mkfifo), JSON),
    Case("ours: a request that is a device", requested(make=lambda path: path.symlink_to("/dev/zero")), JSON),
    Case("ours: a request that is a folder", requested(make=Path.mkdir), JSON),
    Case("ours: a request of 10 GB", requested(make=enlarge), JSON),
    Case("ours: a request of six million lists", requested(MANY_LISTS), JSON),
]
