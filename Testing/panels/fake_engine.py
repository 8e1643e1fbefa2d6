"""A package ``topogan`` of a few lines that behaves or misbehaves on command, so that tests of processes are quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from TopoGANLib.engine.process import Engine, kill_tree

_MAIN = "import sys; from topogan.cli import run; sys.exit(run(sys.argv[1:]))"
_CLI = """
import json, os, shutil, socket, struct, subprocess, sys, time, uuid, zlib
from pathlib import Path

from topogan_contract import comparison, preparation, run as layout, schemas
from topogan_contract.lock import RunLock
from topogan_contract.machine import machine_id

def run(arguments):
    verb, *rest = arguments
    return globals()[verb](*rest) or 0

def say(*words):
    print(*words)

def fail(code, sentence):
    print("Reading ...")
    print(sentence, file=sys.stderr)
    return int(code)

def where(*rest):
    group = getattr(os, "getpgrp", os.getpid)()
    print(json.dumps({"path": __file__, "argv": sys.argv[1:], "cwd_on_path": "" in sys.path, "group": group}))

def crash():
    os.abort()

def sleep(*rest):
    print("asleep", flush=True)
    time.sleep(60)

def launcher(path, *hasty):
    # As PythonSlicer: what does the work is a child; its number goes to a file.
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(path).write_text(str(child.pid))
    print("asleep", flush=True)
    if not hasty:
        child.wait()

def doctor(*how):
    package = str(Path(__file__).parent)
    packages = {"torch": "2.9", "gudhi": "3.11"}
    found = {"schema": "topogan.doctor/1", "topogan": "1.2.3", "path": package, "packages": packages}
    found |= {"devices": ["cpu"], "problems": []}
    if "--timings" in how:
        found["timings"] = [{"size": size, "time": f"about {size // 32} min"} for size in (64, 128, 256, 512)]
    if "--volumes" in how:
        found["timings"] = [{"size": size, "time": f"about {size // 8} min"} for size in (32, 48, 64, 96, 128)]
    if "--estimate" in how:
        text = Path(how[how.index("--estimate") + 1]).read_text(encoding="utf-8")
        assert json.loads(text)["schema"] == schemas.ESTIMATE_REQUEST
        Path(__file__).with_name("asked.json").write_text(text)
        found["estimate"] = {"device": "cpu", "step_seconds": {"masks": 0.1, "textures": 0.2}, "seconds": 600.0}
        found["estimate"] |= {"memory_bytes": 1.2e9, "free_memory_bytes": 18e9, "disk_bytes": 3e8}
    state = Path(__file__).with_name("doctor.json")
    if state.exists():
        found |= json.loads(state.read_text())
    print(json.dumps(found))
    return 1 if found["problems"] else 0

def _prepare(out, folder):
    # Leaves something half done if it is killed.
    how = _told("prepare", ())
    request = json.loads((folder / preparation.REQUEST_FILE).read_text(encoding="utf-8"))
    assert request["schema"] == schemas.PREPARE_REQUEST
    for source in request["sources"]:
        paths = [source["cases"]] if "cases" in source else source["segmentations"] + source["images"]
        assert all(Path(path).exists() for path in paths)
    left = out.with_name(f".{out.name}.0123abcd.partial")
    left.mkdir()
    print("Reading the segmentation", flush=True)
    if "fail" in how:
        left.rmdir()
        return fail(2, "The segmentation is empty: choose another.")
    if "sleep" in how or "deaf" in how:
        print("asleep", flush=True)
        while "deaf" in how or not (folder / preparation.STOP_FILE).exists():
            time.sleep(0.01)
        left.rmdir()
        return fail(1, "The preparation was stopped.")
    left.rmdir()
    out.mkdir()
    volumes = bool(request["settings"].get("volumes"))
    counts = {"total": 48, "train": 30, "validation": 10, "test": 8}
    structures = (request.get("table") or {}).get("structures", [{"name": "structure"}])
    names = [(one["name"], one.get("color", "#d8654f")) for one in structures]
    described = {"axes": 3 if volumes else 2, "size": request["settings"].get("size", 64), "counts": counts}
    always = {"schema": "topogan.training-set/3", "content_hash": uuid.uuid4().hex}
    (out / "dataset.json").write_text(json.dumps({**always, **described, "table": {"structures": structures}}))
    often, seldom = ("1,0,0", "2,0,0") if volumes else ("1,0", "1,1")
    betti = [{"topology": often, "train": 27, "validation": 9, "test": 8}]
    betti += [{"topology": seldom, "train": 3, "validation": 1, "test": 0}]
    patients = [{"patient": "patient_001", "phases": 4, "train": 30, "validation": 0, "test": 0}]
    patients += [{"patient": "patient_002", "phases": 1, "train": 0, "validation": 10, "test": 0}]
    patients += [{"patient": "patient_003", "phases": 1, "train": 0, "validation": 0, "test": 8}]
    check = {"schema": schemas.CHECK, "title": "Training set", "noun": "volume" if volumes else "slice", **described}
    check |= {"patients": patients, "pixel_size_mm": 0.63, "remarks": ["One slice was left out: it is too small."]}
    check |= {"regions": [{"name": name, "color": color, "betti": betti} for name, color in names]}
    check |= {"verdict": f"3 patients, 48 {'volumes' if volumes else 'slices'}: enough for masks."}
    (out / "check.json").write_text(json.dumps(check))
    (out / "preview.png").write_bytes(_picture(600, 200))

def prepare(out, how, folder):
    assert how == "--request"
    code = _prepare(Path(out), Path(folder))
    shutil.rmtree(folder)
    return code

def _picture(width, height):
    def part(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(bytes([0, *((40 * (x // 50 + y // 50)) % 256 for x in range(width))]) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = part(b"IHDR", head) + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    return bytes([137, 80, 78, 71, 13, 10, 26, 10]) + parts

def _told(verb, how):
    # The panel's own options say nothing to this engine; a test speaks to it through a file.
    told = Path(__file__).with_name(f"{verb}.txt")
    return told.read_text().split() if told.exists() else how

def train(dataset, out, *how):
    if "--prepare" in how:
        folder = Path(how[how.index("--prepare") + 1])
        code = _prepare(Path(dataset), folder)
        shutil.rmtree(folder)
        if code:
            return code
    how = _told("train", how)
    if "fail" in how:
        return fail(2, "There are too few slices: 16 are needed.")
    Path(out).mkdir()
    described = Path(dataset) / "dataset.json"
    learned = json.loads(described.read_text() or "{}") if described.exists() else {}
    config = {"schema": schemas.RUN, "training_set": {"content_hash": learned.get("content_hash", "")}}
    (Path(out) / layout.CONFIG_FILE).write_text(json.dumps(config))
    return _work(Path(out), 0, how)

def resume(run, *where):
    Path(__file__).with_name("resumed.json").write_text(json.dumps(where))
    if (Path(run) / "broken").exists():
        return fail(2, "The training set has moved: say where it is.")
    return _work(Path(run), json.loads((Path(run) / "status.json").read_text())["step"], ["steps=10"])

def _work(folder, step, how):
    lock = RunLock(folder / layout.LOCK_FILE)
    assert lock.acquire()
    total = next((int(word.partition("=")[2]) for word in how if word.startswith("steps=")), 1000)
    always = {"total": total, "stage": "masks"}
    show = lambda state, **more: _write(folder, {"state": state, "step": step, **always, **more})
    show("queued")
    (folder / "log.txt").write_text("Began.")
    while step < total:
        step += 1
        time.sleep(0.01)
        if not folder.is_dir():
            return fail(1, "The run folder was removed or renamed while the training ran: …")
        show("running", eta_seconds=1.0)
        while "waits" in how and step == 5 and not (folder / "go").exists():
            time.sleep(0.01)
        if (folder / "stop").exists() and "deaf" not in how:
            (folder / "stop").unlink()
            show("stopped")
            return 0
        if "crash" in how and step == 5:
            os.abort()
        if {"full", "readonly"} & {*how} and step == 5:
            # Not even the status can be written any more.
            no_space = "The disk is full: free some space and resume the run; its checkpoint of step 5 is whole."
            forbidden = "The run folder cannot be written any more (Permission denied): allow it again, and resume."
            return fail(1, no_space if "full" in how else forbidden)
        if "failing" in how and step == 5:
            show("failed", error="The loss is not a number: lower the learning rate.")
            return fail(1, "The loss is not a number: lower the learning rate.")
    (folder / "model").mkdir()
    show("finished")

def _write(folder, status):
    more = {"schema": schemas.STATUS, "machine": machine_id(), "heartbeat": 1}
    (folder / "status.partial").write_text(json.dumps({**more, **status}))
    _replace(folder / "status.partial", folder / layout.STATUS_FILE)

def _replace(source, destination):
    for _ in range(50):
        try:
            return os.replace(source, destination)
        except PermissionError:  # Windows, while somebody reads it
            time.sleep(0.02)

def serve(folder, *rest):
    print("serving", flush=True)
    results = Path(folder) / "results"
    results.mkdir(exist_ok=True)
    while True:
        for path in sorted((Path(folder) / "requests").glob("*.json")):
            request = json.loads(path.read_text())
            if request["model"].endswith("idle"):
                return 0
            if request["model"].endswith("crash"):
                print("out of memory", flush=True)
                os.abort()
            _answer(path, request, results, _told("serve", ()))
        time.sleep(0.02)

def paint(model, segmentation, out, *how):
    told = _told("paint", ())
    words = dict(zip(how[::2], how[1::2]))
    table = json.loads(Path(words["--structures"]).read_text())
    assert table["schema"] == schemas.STRUCTURES
    plane = words["--plane"]
    plane = plane if plane == "axial" else json.loads(Path(plane).read_text())
    asked = {"structures": table["structures"], "plane": plane, "seed": int(words["--seed"]), "model": model}
    Path(__file__).with_name("painted.json").write_text(json.dumps(asked))
    if "fail" in told:
        return fail(2, "The model is damaged: choose another.")
    print("paint 3/12  1 s left", flush=True)
    if "sleep" in told:
        time.sleep(60)
    head, labels = Path(segmentation).read_bytes().split(b"\\n\\n", 1)
    # As many voxels of two bytes: 100 in each structure, 200, -1000 between them.
    values = {0: -1000, 1: 100, 2: 200}
    array = labels if "short" in told else b"".join(struct.pack("<h", values[label]) for label in labels)
    Path(out).write_bytes(head.replace(b"type: uint8", b"type: int16") + b"\\n\\n" + array)
    record = {"schema": schemas.PAINTING, "synthetic": True, "model": "abcdef" * 10, "seed": int(words["--seed"])}
    Path(out).with_suffix(".json").write_text(json.dumps(record))

def export(synthesis, out, *how):
    told = _told("export", ())
    assert (Path(synthesis) / "report.json").is_file()
    numbers = [int(number) for word, number in zip(how, how[1:]) if word == "--sample"]
    left = Path(out).with_name(f".{Path(out).name}.0123abcd.partial")
    left.mkdir()
    print("exporting", flush=True)
    if "sleep" in told:
        time.sleep(60)
    if "fail" in told:
        left.rmdir()
        return fail(1, "The disk is full: free some space and run it again.")
    said = {"schema": schemas.EXPORT, "privacy": "Possible copies 17 %: look at them."}
    (left / "topogan.json").write_text(json.dumps({"layout": how[1], "samples": numbers, **said}))
    left.rename(out)

def evaluate(synthesis, *how):
    told, words = _told("evaluate", ()), dict(zip(how[::2], how[1::2]))
    assert (Path(synthesis) / "report.json").is_file()
    Path(__file__).with_name("compared.json").write_text(json.dumps(words))
    if "--prepare" in words:
        asked = Path(words["--prepare"])
        shutil.copy(asked / preparation.REQUEST_FILE, Path(__file__).with_name("prepared.json"))
        if _prepare(Path(words["--training-set"]), asked):
            return 2
        shutil.rmtree(asked)
    print("evaluate 3/8  1 s left", flush=True)
    if "sleep" in told:
        time.sleep(60)
    if "crash" in told:
        os.abort()
    if "fail" in told:
        return fail(2, "The samples are 64 pixels wide and the training set 128: evaluate against another.")
    out = Path(words["--comparison"])
    shutil.copytree(synthesis, out / "nearest")
    report = json.loads((Path(synthesis) / "report.json").read_text())
    found = _comparison(report, "copies" in told, "--prepare" in words)
    (out / comparison.COMPARISON_FILE).write_text(comparison.text_of(found))
    Path(words["--report"]).write_text("<html></html>")

def downstream(synthesis, *how):
    told, words = _told("downstream", ()), dict(zip(how[::2], how[1::2]))
    assert (Path(synthesis) / "report.json").is_file() and (Path(words["--training-set"]) / "dataset.json").is_file()
    if "begin" not in told:
        print("downstream 3/12", flush=True)
    if "sleep" in told or "begin" in told:
        time.sleep(60)
    if "fail" in told:
        return fail(2, "The samples show the liver and the training set the heart.")
    said = {"sentence": "With your 4 patients, synthetic slices raised Dice.", "notes": ["Of one patient."]}
    Path(words["--out"]).write_text(json.dumps({"schema": schemas.DOWNSTREAM, **said} if "nonsense" not in told else 3))

def _comparison(report, copies, foreign):
    # Sample 0 is the least real one.
    count, axes = report["count"], report.get("axes", 2)
    names = [region["name"] for region in report.get("regions", [{"name": report.get("structure", "structure")}])]
    most = ",".join(["1"] * axes)
    sizes = tuple(100.0 + 10 * place for place in range(21))
    row, metrics = comparison.MetricRow, []
    for name in names:
        metrics += [row("Betti error", name, 0.25, 0.1, "", "lower", "2.5 times real", "How much the shares differ.")]
        metrics += [row("Mean area", name, 762.0, None, "mm2", "equal to real", "-", "Size.")]
    return comparison.Comparison(
        conclusion=f"{count} samples were compared.",
        findings=(),
        warnings=(f"3 of {count} samples look like copies of training masks.",) if copies else (),
        axes=axes,
        unit="mm2",
        held_out_mean=0.79,
        held_out_deviation=0.04,
        held_out_largest=0.9,
        metrics=tuple(metrics),
        regions=tuple(
            comparison.RegionFigures(name, "#0072b2", ((most, 0.5, 0.75), ("9" + most[1:], 0.5, 0.25)), sizes, sizes)
            for name in names
        ),
        samples=tuple(
            comparison.SampleRow(count - number, "valid", copies and number < 3, 7, 0.87, 9, 0.75)
            for number in range(count)
        ),
        foreign=foreign,
    )

def _answer(path, request, results, how):
    Path(__file__).with_name("served.json").write_text(json.dumps(request))
    told = dict(word.partition("=")[::2] for word in how)
    progress = results / f"{path.stem}.progress.json"
    total = request["settings"].get("count", 4)
    if "step" in told:
        progress.write_text(json.dumps({"schema": "topogan.progress/1", "step": int(told["step"]), "total": total}))
    if "error" in told or path.with_suffix(".cancel").exists():
        kind = "input" if "error" in told else "cancelled"
        error = {"schema": "topogan.error/1", "kind": kind, "error": told.get("error", "").replace("_", " ")}
        (results / f"{path.stem}.error.json").write_text(json.dumps(error))
        path.unlink()
    elif "folder" in told:
        shutil.copytree(told["folder"], results / f".{path.stem}")
        os.replace(results / f".{path.stem}", results / path.stem)
        path.unlink()
"""


def tell(engine: Engine, verb: str, *how: str) -> None:
    """Let the next commands of a kind misbehave, whatever their options say."""
    (engine.parent / "topogan" / f"{verb}.txt").write_text(" ".join(how))


def tell_doctor(engine: Engine, **found: object) -> None:
    """Let the engine find something else about itself."""
    (engine.parent / "topogan" / "doctor.json").write_text(json.dumps(found))


def make_engine(folder: Path) -> Engine:
    """Write the package below ``folder`` and return the engine that runs it."""
    package = folder / "engine with spaces" / "topogan"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (package / "__main__.py").write_text(_MAIN, encoding="utf-8")
    (package / "cli.py").write_text(_CLI, encoding="utf-8")
    return Engine(Path(sys.executable), parent=package.parent)


def wait_until(condition: Callable[[], object], seconds: float = 120.0) -> None:
    """Wait for something that another process does.

    Raises:
        TimeoutError: it did not happen.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


# Exit codes of a process that has aborted, and of one that was killed.
CRASHED, KILLED = (3, 1) if sys.platform == "win32" else (-signal.SIGABRT, -signal.SIGKILL)


def lives(pid: int) -> bool:
    """Whether a process exists and is more than an entry that its parent has not read yet."""
    if sys.platform == "win32":
        from topogan.serve.processes import process_alive

        return process_alive(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def end_for_sure(pid: int) -> None:
    """Clear up after a test that has failed."""
    if lives(pid):
        kill_tree(pid)
