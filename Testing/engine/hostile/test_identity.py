"""Names, dates, identifiers and paths of the input are in no output: no file, header, log, traceback or report."""

from __future__ import annotations

import base64
import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hostile_corpus.dicom import write_series
from hostile_corpus.nrrd import header
from hostile_corpus.png import chunk
from hostile_corpus.scene import image_of, labels, save, scan
from hostile_corpus.structure_sets import structure_set, tube
from leaks import leaks

from topogan.cli import run

# What is planted, each in several places; whole words, so that none stands in a file by chance.
WORDS = [
    "Zwetschgenbaum", "Przybylski", "PID-7731-XQ", "ACC-5512-ZK", "1958-03-07", "19580307", "20190821",
    "Kreiskrankenhaus", "Hirschlanden", "2.25.7731991234", "Dr. Quastenflosser", "Wachtelkoenig", "Feuersalamander",
    "Bekassine",
]  # fmt: skip
UID = "2.25.7731991234"
TINY = ["--masks-steps", "6", "--textures-steps", "2", "--masks-batch", "4", "--textures-batch", "2", "--threads", "1"]
TINY += ["--masks-width", "4", "--textures-width", "4", "--checkpoint-every", "2", "--preview-every", "2"]


def planted_header(number: int, dataset: object) -> None:
    """All that a hospital writes into a slice."""
    values = {
        "PatientName": "Przybylski^Zwetschgenbaum", "PatientID": "PID-7731-XQ", "PatientBirthDate": "19580307",
        "AccessionNumber": "ACC-5512-ZK", "StudyDate": "20190821", "AcquisitionDate": "20190821",
        "InstitutionName": "Kreiskrankenhaus Hirschlanden", "ReferringPhysicianName": "Dr. Quastenflosser",
        "StudyDescription": "Wachtelkoenig", "SeriesDescription": "Wachtelkoenig 1.0", "ProtocolName": "Wachtelkoenig",
        "ImageComments": "Zwetschgenbaum 1958-03-07", "StudyInstanceUID": UID + ".1", "StudyID": "PID-7731-XQ",
        "SeriesInstanceUID": UID + ".2", "FrameOfReferenceUID": UID + ".3", "StationName": "Hirschlanden",
    }  # fmt: skip
    for name, value in values.items():
        setattr(dataset, name, value)
    dataset.private_block(0x0099, "Hirschlanden", create=True).add_new(1, "LO", "Przybylski")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clinic's folder: the same patient in every format, named everywhere."""
    folder = tmp_path_factory.mktemp("source") / "Przybylski Zwetschgenbaum 1958-03-07"
    folder.mkdir()
    write_series(folder / "CT Wachtelkoenig 20190821", scan(labels()), planted_header)
    content = structure_set({"Bekassine": tube()}, frame=UID + ".3")
    planted_header(0, content)
    content.StructureSetLabel, content.StructureSetName = "Wachtelkoenig", "Zwetschgenbaum"
    content.save_as(folder / "RS PID-7731-XQ.dcm", enforce_file_format=True)
    for name, array in (("mask", labels()), ("ct", scan(labels()))):
        path = save(folder / f"Zwetschgenbaum {name}.nii", array)
        nifti = bytearray(path.read_bytes())
        nifti[14:28] = b"Przybylski\0\0\0\0"  # db_name and what follows
        nifti[148:228] = b"Zwetschgenbaum 1958-03-07, Kreiskrankenhaus Hirschlanden".ljust(80, b"\0")
        nifti[228:252] = b"Feuersalamander".ljust(24, b"\0")
        path.with_suffix(".nii.gz").write_bytes(gzip.compress(bytes(nifti)))
        path.unlink()
    named = "PatientName:=Przybylski\nSegment0_Name:=Bekassine\ncontent: Zwetschgenbaum 20190821\n"
    (folder / "PID-7731-XQ.seg.nrrd").write_bytes(header(more=named))
    image = image_of(labels())
    image.SetMetaData("Comment", "Zwetschgenbaum 1958-03-07")
    image.SetMetaData("PatientID", "PID-7731-XQ")
    sitk.WriteImage(image, str(folder / "Przybylski.mha"))
    (folder / "png Przybylski").mkdir()
    text = chunk(b"tEXt", b"Author\0Dr. Quastenflosser") + chunk(b"zTXt", b"T\0\0" + zlib.compress(b"Zwetschgenbaum"))
    for number, plane in enumerate(labels()):
        path = folder / "png Przybylski" / f"Zwetschgenbaum {number}.png"
        sitk.WriteImage(sitk.GetImageFromArray(plane), str(path))
        content = path.read_bytes()
        path.write_bytes(content[:33] + text + content[33:])
    plane = folder / "plane of Przybylski.json"
    plane.write_text(json.dumps(np.diag([-1.0, 1, 1, 1]).tolist()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def results(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that every command makes of it, and no input."""
    home = tmp_path_factory.mktemp("home") / "Feuersalamander"
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):
            patch.setenv(name, str(home))
        patch.chdir(source)
        make_all(source, folder, patch)
    return folder


def make_all(source: Path, out: Path, patch: pytest.MonkeyPatch) -> None:
    series = next(source.glob("CT *"))
    dicom = ["-s", str(next(source.glob("RS *"))), "--ct", str(series)]
    nifti = [str(source / f"Zwetschgenbaum {name}.nii.gz") for name in ("mask", "ct")]
    for name, arguments in {
        "dicom": dicom,
        "nifti": ["-s", nifti[0], "--ct", nifti[1], "--plane", str(next(source.glob("plane *")))],
        "relative paths": ["-s", "Zwetschgenbaum mask.nii.gz"],
        "nrrd": ["-s", str(source / "PID-7731-XQ.seg.nrrd")],
        "meta": ["-s", str(source / "Przybylski.mha"), "--ct", nifti[1]],
        "png": ["-s", str(source / "png Przybylski"), "--png-pixel-size", "1.5"],
    }.items():
        assert run(["prepare", str(out / name), *arguments]) == 0
    requested(source, out, patch)
    # The training set lies where its path would tell the name.
    secret = source / "set of Przybylski"
    secret.symlink_to(out / "dicom")
    assert run(["train", str(secret), str(out / "run"), *TINY]) == 0
    failed_run(secret, out / "failed", patch)
    assert run(["resume", str(out / "failed"), "--dataset", str(secret)]) == 0
    assert run(["train", str(secret), str(out / "tuned"), "--from", str(out / "run" / "model"), *TINY]) == 0
    synthesis = ["--count", "6", "--training-set", str(secret)]
    assert run(["synthesize", str(out / "run" / "model"), str(out / "synthesis"), *synthesis]) == 0
    # A zip's name is the user's choice for the receiver; the path to it is not.
    assert run(["pack", str(out / "run" / "model"), str(out / "model.zip")]) == 0
    model = source / "model of Zwetschgenbaum.zip"
    model.symlink_to(out / "model.zip")
    assert run(["synthesize", str(model), str(out / "synthesis of a zip"), "--count", "2"]) == 0
    report = ["--training-set", str(secret), "--report", str(out / "report.html")]
    assert run(["evaluate", str(out / "synthesis"), *report]) == 0
    assert run(["export", str(out / "synthesis"), str(out / "nnunet")]) == 0
    served(model, secret, out / "served")


def requested(source: Path, out: Path, patch: pytest.MonkeyPatch) -> None:
    """A panel's request and a table of cases, both full of names: the set, a training that fails and goes on, and all
    that is made of its model.
    """
    table = source / "cases of Zwetschgenbaum.csv"
    table.write_text(
        "image,label,patient,phase\nZwetschgenbaum ct.nii.gz,Zwetschgenbaum mask.nii.gz,Przybylski PID-7731-XQ,1\n",
        encoding="utf-8",
    )
    assert run(["prepare", str(out / "table"), "--cases", str(table)]) == 0
    series, drawn = str(next(source.glob("CT *"))), str(next(source.glob("RS *")))
    sources = [
        {"segmentations": [drawn], "images": [series], "patient": "Przybylski^Zwetschgenbaum"},
        {"cases": str(table)},
    ]
    folder = source / "request of Przybylski"
    folder.mkdir()
    request = {"schema": "topogan.prepare-request/1", "sources": sources, "settings": {}, "temporary": True}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    trained = out / "run of a request"
    secret = source / "results of Przybylski"
    secret.symlink_to(out)
    command = ["train", str(secret / "requested"), str(trained), "--prepare", str(folder), *TINY]
    with patch.context() as broken:
        fail_at_step_3(broken, secret / "requested")
        assert run(command) == 1
    assert not folder.exists()
    assert run(["resume", str(trained)]) == 0
    assert run(["pack", str(trained / "model"), str(out / "requested.zip")]) == 0
    synthesis = out / "synthesis of a request"
    assert run(["synthesize", str(out / "requested.zip"), str(synthesis), "--count", "2"]) == 0
    assert run(["export", str(synthesis), str(out / "nnunet of a request")]) == 0


def failed_run(secret: Path, out: Path, patch: pytest.MonkeyPatch) -> None:
    """A training that fails with paths in its error: what is left is a log with a traceback."""
    with patch.context() as broken:
        fail_at_step_3(broken, secret)
        assert run(["train", str(secret), str(out), *TINY]) == 1


def fail_at_step_3(patch: pytest.MonkeyPatch, secret: Path) -> None:
    """Let the next training fail with a path that tells names."""
    from topogan.training import mask_trainer

    step = mask_trainer.MaskTrainer.train_step

    def fail(trainer: object) -> object:
        if trainer.step == 3:
            raise OSError(5, f"Input/output error at {secret}/masks.npy", str(Path.home() / "Feuersalamander.txt"))
        return step(trainer)

    patch.setattr(mask_trainer.MaskTrainer, "train_step", fail)


def served(model: Path, secret: Path, out: Path) -> None:
    """Requests of a panel: one that is answered, and one that fails."""
    from topogan.serve import serve

    (out / "requests").mkdir(parents=True)
    for name, package in (("good", str(model)), ("bad", str(secret / "no model of Zwetschgenbaum"))):
        request = {
            "schema": "topogan.request/1",
            "model": package,
            "settings": {"count": 2},
            "training_set": str(secret),
        }
        (out / "requests" / f"{name}.json").write_text(json.dumps(request), encoding="utf-8")
    serve(out, idle_seconds=0.5)


def test_the_words_are_in_the_input(source: Path) -> None:
    """Else the tests below would find nothing because there is nothing."""
    found = "\n".join(leaks(source, WORDS))
    for word in WORDS:
        if word != "20190821":
            assert word in found, word
    assert " > gzip" in found and "zTXt" in found


def test_no_output_holds_a_name(results: Path) -> None:
    # Errors of requests are sentences for the panel, which knows the path that it named; they stay in its own folder.
    found = [place for place in leaks(results, WORDS) if "served/results/bad.error.json" not in place]
    assert not found, "\n".join(found)


def test_no_output_holds_a_path(results: Path, source: Path) -> None:
    found = leaks(results, [str(source.parent), str(results), str(Path(sys.prefix).resolve())])
    found = [place for place in found if "served/results/bad.error.json" not in place]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("run_folder", ["failed", "run of a request"])
def test_a_failed_run_says_where_without_paths(results: Path, run_folder: str) -> None:
    log = (results / run_folder / "log.txt").read_text(encoding="utf-8")
    assert "OSError" in log and "test_identity.py:" in log, log
    assert "the training set/masks.npy" in log or "Input/output error" in log, log


def test_outputs_of_the_same_patient_have_pseudonyms(results: Path) -> None:
    for name in ("dicom", "nifti", "nrrd", "meta", "png", "table"):
        described = json.loads((results / name / "dataset.json").read_text(encoding="utf-8"))
        assert [row["patient"] for row in described["volumes"]] == ["patient_001"]
        assert described["table"]["structures"][0]["name"] == "structure"


def test_scene_of_slicer(results: Path, source: Path) -> None:
    """What the panel puts into a scene, saved with everything in it."""
    from topogan.resources import slicer_library_parent

    if find_spec("slicer") is None:
        pytest.skip("slicer-core is not installed")
    # Through a path that tells the name, which storage nodes could keep.
    synthesis, out = source / "synthesis of Przybylski", source / "scene of Zwetschgenbaum"
    synthesis.symlink_to(results / "synthesis")
    environment = {**os.environ, "PYTHONPATH": str(slicer_library_parent())}
    command = [sys.executable, "-m", "TopoGANLib.headless.demo_scene", str(synthesis), str(out)]
    subprocess.run(command, env=environment, check=False, capture_output=True)
    assert (out / "scene.mrb").is_file()
    found = leaks(out, WORDS)
    assert not found, "\n".join(found)


def test_the_search_sees_through_every_packing(tmp_path: Path) -> None:
    """The search is worth what it finds."""
    word = "Zwetschgenbaum"
    np.savez_compressed(tmp_path / "a.npz", words=np.array([word]))
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(gzip.compress(word.encode())))
    (tmp_path / "c.nrrd").write_bytes(header(gzip.compress(word.encode()), encoding="gzip"))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"zTXt", b"k\0\0" + zlib.compress(word.encode())) + chunk(b"IEND", b"")
    (tmp_path / "d.png").write_bytes(png)

    (tmp_path / "e.html").write_bytes(b'<img src="data:image/png;base64,' + base64.b64encode(png) + b'">')
    (tmp_path / "f.safetensors").write_bytes(struct.pack("<Q", 40) + json.dumps({"__metadata__": {"x": word}}).encode())
    (tmp_path / "g.txt").write_bytes(word.encode("utf-16"))
    image = image_of(np.frombuffer((word * 9).encode().ljust(126), np.uint8).reshape(6, 7, 3).copy())
    sitk.WriteImage(image, str(tmp_path / "h.mha"), True)
    found = {place.split(" ")[0].split(":")[0] for place in leaks(tmp_path, [word])}
    assert found == {path.name for path in tmp_path.iterdir()}
