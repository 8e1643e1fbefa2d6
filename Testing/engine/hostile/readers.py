"""The readers that are fuzzed: of the formats of our own, on both sides, and of volumes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import SimpleITK as sitk
from hostile_corpus.dicom import write_series
from hostile_corpus.scene import image_of, labels, save, scan
from hostile_corpus.structure_sets import structure_set, tube
from training_sets import sign


def _nothing(folder: Path) -> None:
    """Most formats have no hashes to make right again."""


@dataclass(frozen=True)
class Reader:
    """One reader.

    Attributes:
        prepare: writes a right input into a folder that it makes; takes the folder and finished outputs by kind.
        files: names of the files in it that are changed.
        read: reads it as the program does.
        sign: makes hashes right again, as someone would who changed a file on purpose.
        errors: its own errors, beside InputError and WorkError.
    """

    prepare: Callable[[Path, dict[str, Path]], Any]
    files: Callable[[Path], list[str]]
    read: Callable[[Path], Any]
    sign: Callable[[Path], None] = _nothing
    errors: tuple[type[Exception], ...] = ()


def make_good(folder: Path) -> None:
    """Make a training set, a model, a synthesis and a run that was stopped; tiny, in some seconds."""
    import topogan
    from topogan.config import MaskSettings, Part, SynthesisSettings, TextureSettings, TrainSettings

    folder.mkdir(parents=True)
    volumes = folder.parent / "volumes"
    pair = save(volumes / "mask.nii.gz", labels()), save(volumes / "ct.nii.gz", scan(labels()))
    training_set = topogan.prepare(folder / "training_set", [pair[0]], [pair[1]])
    settings = TrainSettings(
        masks=MaskSettings(width=4, latent=4, steps=4, batch=4),
        textures=TextureSettings(width=4, steps=2, batch=2),
        threads=1,
        checkpoint_every=2,
        preview_every=2,
    )
    run = topogan.train(training_set, volumes / "run", settings)
    shutil.copytree(run / "model", folder / "model")
    topogan.synthesize(folder / "model", folder / "synthesis", SynthesisSettings(count=4))

    def stop(event: dict) -> None:
        if event.get("step") == 2:
            (folder / "run" / "stop").touch()

    topogan.train(training_set, folder / "run", settings.model_copy(update={"part": Part.MASKS}), on_event=stop)


def _copied(kind: str) -> Callable[[Path, dict[str, Path]], Any]:
    return lambda folder, good: shutil.copytree(good[kind], folder)


def _named(*names: str) -> Callable[[Path], list[str]]:
    return lambda folder: [name for name in names if (folder / name).is_file()]


def _every_file(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]


def _read_training_set(folder: Path) -> None:
    from topogan.training_set import TrainingSet

    found = TrainingSet.open(folder)
    assert found.masks.shape == (len(found.levels), found.size, found.size)
    assert len(found.masks) == 0 or found.masks[0].size
    found.diagrams()


def _sign_training_set(folder: Path) -> None:
    try:
        sign(folder)
    except Exception:
        return  # what cannot be read cannot be signed


def _read_model(folder: Path) -> None:
    from topogan.model import load_model

    samples = load_model(folder, discriminators=False).sample(1)
    assert samples.labels.shape[0] == 1


def _sign_model(folder: Path) -> None:
    from topogan.files import content_hash
    from topogan.model.metadata import file_hash

    path = folder / "configs" / "metadata.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content["files"] = {name: file_hash(folder / name) for name in content["files"] if (folder / name).is_file()}
        content["content_hash"] = content_hash(content["files"])
        path.write_text(json.dumps(content), encoding="utf-8")
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return  # the metadata are what was changed


def _prepare_zip(folder: Path, good: dict[str, Path]) -> None:
    from topogan.model import pack_model

    folder.mkdir(parents=True)
    pack_model(good["model"], folder / "model.zip")


def _read_zip(folder: Path) -> None:
    from topogan.model import load_model

    load_model(folder / "model.zip", discriminators=False)


def _read_synthesis(folder: Path) -> None:
    from topogan.evaluation.synthetic_set import SyntheticSet

    found = SyntheticSet.open(folder)
    assert found.labels.ndim == 3 and found.pixel_size > 0


def _read_run(folder: Path) -> None:
    from topogan.presets import recorded_settings
    from topogan.runs.checkpoints import latest_checkpoint
    from topogan.runs.events import EventLog
    from topogan.runs.folder import read_config
    from topogan.runs.status import read_status
    from topogan.training.loop import progress_of

    read_status(folder)
    settings = recorded_settings(read_config(folder)["settings"])
    checkpoint = latest_checkpoint(folder / "checkpoints")
    if checkpoint is not None:
        progress_of(checkpoint, settings, 64, 1, 2)
    # On a copy: the log is cut where the checkpoint ends.
    copy = folder.parent / "events"
    copy.mkdir(exist_ok=True)
    shutil.copy(folder / "events.jsonl", copy)
    EventLog(copy, keep_bytes=1 << 20).close()


def _run_files(folder: Path) -> list[str]:
    newest = max((folder / "checkpoints").iterdir()).relative_to(folder).as_posix()
    return ["config.json", "status.json", "events.jsonl", newest]


def _prepare_request(folder: Path, good: dict[str, Path]) -> None:
    folder.mkdir(parents=True)
    request = {"schema": "topogan.request/1", "model": str(good["model"]), "settings": {"count": 3, "betti": "1,1"}}
    (folder / "requests").mkdir()
    (folder / "requests" / "a.json").write_text(json.dumps(request), encoding="utf-8")


def _read_request(folder: Path) -> None:
    from topogan.serve.request_folder import RequestFolder

    os.utime(folder / "requests" / "a.json", (0, 0))  # so old that nobody can still be writing it
    RequestFolder(folder).read("a")


def _prepare_plane(folder: Path, good: dict[str, Path]) -> None:
    folder.mkdir(parents=True)
    (folder / "plane.json").write_text(json.dumps([np.eye(4).tolist()] * 2), encoding="utf-8")


def _read_plane(folder: Path) -> None:
    from topogan.plane import read_plane

    read_plane(str(folder / "plane.json"))


def _prepare_volumes(*endings: str) -> Callable[[Path, dict[str, Path]], Any]:
    def prepare(folder: Path, good: dict[str, Path]) -> None:
        folder.mkdir(parents=True)
        for ending in endings:
            sitk.WriteImage(image_of(labels()[:4, :8, :8]), str(folder / f"labels{ending}"), True)
            sitk.WriteImage(
                image_of(scan(labels())[:4, :8, :8].astype(np.float32)), str(folder / f"plain{ending}"), False
            )
            phases = np.stack([scan(labels())[:3, :6, :6]] * 3)
            sitk.WriteImage(image_of(phases), str(folder / f"phases{ending}"), True)

    return prepare


def _read_volumes(folder: Path) -> None:
    """Every volume that can be read; the first refusal is told when all have been tried."""
    from topogan.errors import InputError
    from topogan.volumes import open_volume

    refusal = None
    for path in sorted(folder.iterdir()):
        if ".raw" not in path.suffixes and ".zraw" not in path.suffixes:  # data beside a header
            try:
                for volume in open_volume(path).volumes():
                    assert volume.array.size
            except InputError as error:
                refusal = error
    if refusal:
        raise refusal


def _prepare_dicom(folder: Path, good: dict[str, Path]) -> None:
    write_series(folder / "series", scan(labels())[:3])
    structure_set({"tube": tube()[:4], "other": tube()[:2]}).save_as(folder / "rtss.dcm", enforce_file_format=True)


def _read_dicom(folder: Path) -> None:
    from topogan.volumes import RegionChoice, StructureSet, is_structure_set, open_volume

    series = open_volume(folder / "series")
    list(series.volumes())
    if is_structure_set(folder / "rtss.dcm"):
        list(StructureSet.open(folder / "rtss.dcm", series, RegionChoice("tube")).volumes())


def _prepare_png(folder: Path, good: dict[str, Path]) -> None:
    (folder / "png").mkdir(parents=True)
    for number, plane in enumerate(labels()[:3]):
        sitk.WriteImage(sitk.GetImageFromArray(plane), str(folder / "png" / f"{number}.png"))


def _read_png(folder: Path) -> None:
    from topogan.volumes import PngOptions, open_volume

    list(open_volume(folder / "png", PngOptions(1.0)).volumes())


def _read_synthesis_in_slicer(folder: Path) -> None:
    from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

    found = read_synthesis_folder(folder)
    # What the panel asks of it next.
    assert found.structure and (found.window is None or len(found.window) == 2) and found.is_ct in (True, False)


def _slicer_errors() -> tuple[type[Exception], ...]:
    from TopoGANLib.scene.synthesis_folder import SynthesisFolderError

    return (SynthesisFolderError,)


def _read_run_in_slicer(folder: Path) -> None:
    """What a panel does at every tick: it must never fail, whatever is in the folder."""
    from TopoGANLib.engine.run_monitor import RunMonitor

    monitor = RunMonitor(folder)
    monitor.poll()
    monitor.log()
    monitor.latest_preview()


def _read_card_in_slicer(folder: Path) -> None:
    # Of Slicer it needs what translates its sentences.
    i18n = types.ModuleType("slicer.i18n")
    i18n.tr = str  # type: ignore[attr-defined]
    with patch.dict(sys.modules, {"slicer": types.ModuleType("slicer"), "slicer.i18n": i18n}):
        from TopoGANSynthLib.model_card import ModelRefused, first_wrong_file, read_model_card

    with suppress(ModelRefused):
        first_wrong_file(folder, dict(read_model_card(folder).hashes))


SYNTHESIS_FILES = ("report.json", "samples.csv", "diagrams.npz", "masks.nrrd", "textures.nrrd")
SET_FILES = ("dataset.json", "slices.csv", "diagrams.npz", "masks.npy", "images.npy")
READERS: dict[str, Reader] = {
    "training set": Reader(_copied("training_set"), _named(*SET_FILES), _read_training_set, _sign_training_set),
    "model": Reader(_copied("model"), _every_file, _read_model, _sign_model),
    "zip": Reader(_prepare_zip, _every_file, _read_zip),
    "synthesis": Reader(_copied("synthesis"), _named(*SYNTHESIS_FILES), _read_synthesis),
    "run": Reader(_copied("run"), _run_files, _read_run),
    "request": Reader(_prepare_request, _every_file, _read_request),
    "plane": Reader(_prepare_plane, _every_file, _read_plane),
    "synthesis in Slicer": Reader(
        _copied("synthesis"), _named(*SYNTHESIS_FILES), _read_synthesis_in_slicer, errors=_slicer_errors()
    ),
    "run in Slicer": Reader(_copied("run"), _named("config.json", "status.json", "events.jsonl"), _read_run_in_slicer),
    "model card in Slicer": Reader(_copied("model"), _every_file, _read_card_in_slicer),
    "nifti": Reader(_prepare_volumes(".nii", ".nii.gz"), _every_file, _read_volumes),
    "nrrd": Reader(_prepare_volumes(".nrrd", ".nhdr"), _every_file, _read_volumes),
    "metaimage": Reader(_prepare_volumes(".mha", ".mhd"), _every_file, _read_volumes),
    "dicom": Reader(_prepare_dicom, _every_file, _read_dicom),
    "png": Reader(_prepare_png, _every_file, _read_png),
}
