"""Model packages from strangers: each is refused in one sentence, and nothing in it is executed."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_packages import refusal, zipped
from safetensors.torch import load_file, save_file

from topogan.errors import InputError
from topogan.files import content_hash
from topogan.model import load_model, pack_model
from topogan.model.metadata import file_hash

METADATA = "configs/metadata.json"
GENERATOR = "models/masks_generator.safetensors"
REFERENCE = "reference/diagrams.npz"

Change = Callable[[Path], None]


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def sign(folder: Path) -> None:
    """Make the hashes right again, as a stranger would who changed a file on purpose."""
    path = folder / METADATA
    content = json.loads(path.read_text())
    content["files"] = {name: file_hash(folder / name) for name in content["files"] if (folder / name).is_file()}
    content["content_hash"] = content_hash(content["files"])
    path.write_text(json.dumps(content))


def metadata(**values: Any) -> Change:
    """Replace entries of the metadata; a dot leads into a group, ``None`` as a value stays."""

    def change(folder: Path) -> None:
        path = folder / METADATA
        content = json.loads(path.read_text())
        for dotted, value in values.items():
            *groups, name = dotted.split("__")
            target = content
            for group in groups:
                target = target[group]
            target[name] = value
        path.write_text(json.dumps(content))

    return change


def raw_metadata(text: str | bytes) -> Change:
    def change(folder: Path) -> None:
        (folder / METADATA).write_bytes(text if isinstance(text, bytes) else text.encode())

    return change


def spliced_metadata(name: str, literal: str) -> Change:
    """Put a literal into the JSON text that ``json.dumps`` would not write."""

    def change(folder: Path) -> None:
        path = folder / METADATA
        content = json.loads(path.read_text())
        content[name] = "@@"
        path.write_text(json.dumps(content).replace('"@@"', literal))

    return change


def tensors(edit: Callable[[dict[str, torch.Tensor]], None], name: str = GENERATOR) -> Change:
    """Edit the tensors of a weights file and make the hashes right again."""

    def change(folder: Path) -> None:
        values = {key: tensor.clone() for key, tensor in load_file(folder / name).items()}
        edit(values)
        save_file(values, folder / name)
        sign(folder)

    return change


def first(values: dict[str, torch.Tensor]) -> str:
    return min(key for key, tensor in values.items() if tensor.dtype == torch.float32 and tensor.ndim > 1)


def set_first(value: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[dict[str, torch.Tensor]], None]:
    def edit(values: dict[str, torch.Tensor]) -> None:
        values[first(values)] = value(values[first(values)]).contiguous()

    return edit


def without_first(values: dict[str, torch.Tensor]) -> None:
    del values[first(values)]


def with_number(number: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def value(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[3] = number
        return tensor

    return value


def file(name: str, content: bytes, signed: bool = True) -> Change:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        if signed:
            sign(folder)

    return change


def pickled(name: str) -> Change:
    return lambda folder: file(name, pickle.dumps(Bomb(folder.parent / "executed")))(folder)


def removed(name: str, signed: bool = False) -> Change:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        if signed:
            sign(folder)

    return change


def linked(name: str) -> Change:
    def change(folder: Path) -> None:
        outside = folder.parent / "outside"
        shutil.move(folder / name, outside)
        (folder / name).symlink_to(outside)

    return change


def pipe(folder: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    (folder / GENERATOR).unlink()
    os.mkfifo(folder / GENERATOR)


def object_array(folder: Path) -> None:
    array = np.array([Bomb(folder.parent / "executed")], dtype=object)
    np.savez(folder / REFERENCE, counts=array, dimension=array, birth=array, death=array)
    sign(folder)


def diagrams(**changes: np.ndarray) -> Change:
    def change(folder: Path) -> None:
        with np.load(folder / REFERENCE) as stored:
            arrays = dict(stored)
        np.savez_compressed(folder / REFERENCE, **{**arrays, **changes})
        sign(folder)

    return change


def without_weights(folder: Path) -> None:
    shutil.rmtree(folder / "models")
    sign(folder)


def many_files(folder: Path) -> None:
    for number in range(300):
        (folder / "docs" / f"{number}.txt").touch()


def safetensors_header(length: int, text: bytes = b"{}") -> bytes:
    return struct.pack("<Q", length) + text


HUGE = b'{"0.weight":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4]}}'
LYING_NPY = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }".ljust(117)
    + b"\n"
)


def lying_npz(folder: Path) -> None:
    """Arrays that claim 80 TB in their headers."""
    with zipfile.ZipFile(folder / REFERENCE, "w") as archive:
        for name in ("counts", "dimension", "birth", "death", "birth_index", "death_index"):
            archive.writestr(f"{name}.npy", LYING_NPY)
    sign(folder)


CASES: dict[str, tuple[Change, str]] = {
    "pickle beside the weights": (pickled("models/model.pt"), "model.pt"),
    "pickle at the top": (pickled("model.pkl"), "model.pkl"),
    "pickle as configuration": (pickled("configs/inference.json"), "inference.json"),
    "pickle called safetensors": (pickled(GENERATOR), "no safetensors file"),
    "pickle called more.safetensors": (pickled("models/more.safetensors"), "more.safetensors"),
    "pickle called npz": (pickled(REFERENCE), "no diagrams or is damaged"),
    "pickle in an npz": (object_array, "no diagrams or is damaged"),
    "python beside the weights": (file("models/__init__.py", b"print('hello')"), "__init__.py"),
    "weights missing": (removed(GENERATOR), "is missing"),
    "discriminator missing": (
        removed("models/masks_critic.safetensors", signed=True),
        "a generator and its discriminator",
    ),
    "nothing but metadata": (without_weights, "does not hold a generator"),
    "weights changed": (file(GENERATOR, b"x" * 100, signed=False), "changed or damaged"),
    "weights empty": (file(GENERATOR, b""), "no safetensors file"),
    "weights a text": (file(GENERATOR, b"hello, I am a model" * 9), "no safetensors file"),
    "weights truncated": (
        lambda folder: file(GENERATOR, (folder / GENERATOR).read_bytes()[:-100])(folder),
        "no safetensors file",
    ),
    "header of 2^60 bytes": (file(GENERATOR, safetensors_header(1 << 60)), "no safetensors file"),
    "header of 90 MB": (file(GENERATOR, safetensors_header(90 << 20, b"{" * (1 << 16))), "no safetensors file"),
    "header claims 2^60 numbers": (file(GENERATOR, safetensors_header(len(HUGE), HUGE)), "no safetensors file"),
    "wrong shape": (tensors(set_first(lambda tensor: tensor[:-1])), "instead of F32"),
    "transposed": (tensors(set_first(lambda tensor: tensor.T)), "instead of F32"),
    "half precision": (tensors(set_first(lambda tensor: tensor.half())), "F16"),
    "double precision": (tensors(set_first(lambda tensor: tensor.double())), "F64"),
    "tensor missing": (tensors(without_first), "another network"),
    "tensor too many": (tensors(lambda values: values.update(extra=torch.zeros(3))), "another network"),
    "NaN": (tensors(set_first(with_number(float("nan")))), "NaN or infinity"),
    "infinity": (tensors(set_first(with_number(float("-inf")))), "NaN or infinity"),
    "NaN in the discriminator": (
        tensors(set_first(with_number(float("nan"))), "models/textures_critic.safetensors"),
        "NaN or infinity",
    ),
    "link": (linked(GENERATOR), "is a link or a device"),
    "linked metadata": (linked(METADATA), "is a link or a device"),
    "pipe": (pipe, "is a link or a device"),
    "many files": (many_files, "more than 200 files"),
    "metadata missing": (removed(METADATA), "no model package"),
    "metadata empty": (raw_metadata(""), "cannot be read as JSON"),
    "metadata a list": (raw_metadata("[1, 2]"), "schema None"),
    "metadata a number": (raw_metadata("7"), "schema None"),
    "metadata no text": (raw_metadata(bytes(range(128, 256))), "cannot be read as JSON"),
    "metadata very deep": (raw_metadata("[" * 100_000), "cannot be read as JSON"),
    "metadata of 2 MB": (raw_metadata(" " * (2 << 20)), "larger than 1 MB"),
    "metadata schema alone": (raw_metadata('{"schema": "topogan.model/1"}'), "TrainSettings"),
    "schema from the future": (metadata(schema="topogan.model/3"), "topogan.model/3"),
    "schema of another kind": (metadata(schema="topogan.run/1"), "topogan.run/1"),
    "schema a number": (metadata(schema=1), "schema 1 "),
    "number of 5000 digits": (spliced_metadata("size", "9" * 5000), "damaged"),
    "size NaN": (spliced_metadata("pixel_size_mm", "NaN"), "pixel_size_mm"),
    "window infinite": (spliced_metadata("window", "[-200, Infinity]"), "window"),
    "size 65": (metadata(size=65), "size"),
    "size huge": (metadata(size=10**9), "size"),
    "size text": (metadata(size="large"), "size"),
    "size missing": (metadata(size=None), "size"),
    "width huge": (metadata(settings__masks__width=10**6), "masks.width"),
    "latent huge": (metadata(settings__masks__latent=10**9), "masks.latent"),
    "latent negative": (metadata(settings__masks__latent=-4), "masks.latent"),
    "latent a list": (metadata(settings__masks__latent=[4]), "masks.latent"),
    "latent other than the weights": (metadata(settings__masks__latent=8), "instead of F32"),
    "backbone other than the weights": (metadata(settings__masks__backbone="resnet"), "another network"),
    "backbone unknown": (metadata(settings__masks__backbone="transformer"), "choose dcgan or resnet"),
    "backbone no name": (metadata(settings__masks__backbone="\n" * 900), "masks.backbone"),
    "texture network unknown": (metadata(settings__textures__network="diffusion"), "choose unet"),
    "texture width huge": (metadata(settings__textures__width=10**6), "textures.width"),
    "settings a list": (metadata(settings=[]), "TrainSettings"),
    "settings unknown": (metadata(settings__masks__surprise=1), "masks.surprise"),
    "window falls": (metadata(window=[600, -200]), "must rise"),
    "window of one": (metadata(window=[600]), "window"),
    "window beyond 16 bits": (metadata(window=[-200, 1e9]), "window"),
    "window text": (metadata(window="soft tissue"), "window"),
    "window missing": (metadata(window=None), "no window"),
    "pixel size 0": (metadata(pixel_size_mm=0), "pixel_size_mm"),
    "pixel size negative": (metadata(pixel_size_mm=-1.0), "pixel_size_mm"),
    "figures of other regions": (metadata(figures__regions=[]), "figures and table"),
    "figures text": (metadata(figures="excellent"), "figures are no table"),
    "intensity unknown": (metadata(intensity="SUV"), "intensity"),
    "structure empty": (metadata(table={"structures": [{"name": ""}]}), "table.structures.0.name"),
    "structure a novel": (metadata(table={"structures": [{"name": "x" * 10_000}]}), "table.structures.0.name"),
    "structure twice": (metadata(table={"structures": [{"name": "a"}] * 2}), "the structure a is given twice"),
    "no structure": (metadata(table={"structures": []}), "table.structures"),
    "structure not counted": (metadata(table={"structures": [{"name": "a"}, {"name": "b"}]}), "differently many"),
    "betti negative": (metadata(betti__modal=[[1, -1]]), "betti.modal"),
    "betti of one structure alone": (metadata(betti__modal=[1, 1]), "betti.modal"),
    "topologies without end": (metadata(topologies=[{"tenth": 0, "betti": "1,1", "count": 1}] * 2001), "topologies"),
    "topologies of two": (metadata(topologies=[{"tenth": 0, "betti": "1,1 1,0", "count": 1}]), "differently many"),
    "topology in words": (metadata(topologies=[{"tenth": 0, "betti": "a ring", "count": 1}]), "topologies.0.betti"),
    "level beyond the top": (metadata(levels=[0.0, 1.5]), "levels.1"),
    "levels that fall": (metadata(levels=[0.5, 0.2]), "levels must rise"),
    "betti a text": (metadata(betti="1,1"), "betti"),
    "betti counts text": (metadata(betti__train={"ring": {"1,1": "many"}}), "betti.train"),
    "files a list": (metadata(files=[]), "files"),
    "files outside": (metadata(files={"../../secret": "0" * 64}), "no part of a package"),
    "hash no hash": (metadata(files={GENERATOR: "yes"}), "files"),
    "hash of all wrong": (metadata(content_hash="0" * 64), "content_hash"),
    "diagrams of another length": (diagrams(birth=np.zeros(1)), "no diagrams or is damaged"),
    "diagrams with texts": (diagrams(counts=np.array(["1"])), "no diagrams or is damaged"),
    "diagrams with fractions": (diagrams(counts=np.array([0.5])), "no diagrams or is damaged"),
    "diagrams with NaN": (
        diagrams(counts=np.array([1]), dimension=np.array([0]), birth=np.array([np.nan]), death=np.array([1.0]),
                 birth_index=np.zeros((1, 2), int), death_index=np.zeros((1, 2), int)),
        "no diagrams or is damaged",
    ),
    "diagrams by the million": (diagrams(counts=np.zeros(7_000_000, int)), "no diagrams or is damaged"),
    "diagrams of negative length": (diagrams(counts=np.array([-1, 1])), "no diagrams or is damaged"),
    "diagrams bomb": (diagrams(surprise=np.zeros(20 << 20)), "no diagrams or is damaged"),
    "diagrams that claim 80 TB": (lying_npz, "no diagrams or is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_folder_is_refused(name: str, tmp_path: Path, ring_model: Path) -> None:
    change, fragment = CASES[name]
    folder = shutil.copytree(ring_model, tmp_path / "package")
    change(folder)
    assert fragment in refusal(folder)


@pytest.mark.parametrize("name", ["pickle beside the weights", "NaN", "size huge", "pickle in an npz"])
def test_the_same_in_a_zip_names_the_zip(name: str, tmp_path: Path, ring_model: Path) -> None:
    change, fragment = CASES[name]
    folder = shutil.copytree(ring_model, tmp_path / "package")
    change(folder)
    shutil.make_archive(str(tmp_path / "package"), "zip", folder)
    assert fragment in refusal(tmp_path / "package.zip")


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module measures on POSIX only")
def test_memory_stays_bounded(tmp_path: Path, ring_model: Path) -> None:
    """The worst cases in one process: its peak stays near that of a good package."""
    folders = []
    worst = ["header of 90 MB", "latent huge"]
    worst += ["diagrams bomb", "diagrams by the million", "diagrams that claim 80 TB"]
    for name in worst:
        folder = shutil.copytree(ring_model, tmp_path / name.replace(" ", "_"))
        CASES[name][0](folder)
        folders.append(str(folder))
    folders.append(str(zipped(tmp_path / "b.zip", ring_model, ("b/docs/zeros.txt", bytes(100 << 20)))))
    code = (
        "import resource, sys; from topogan.model import load_model\n"
        "def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "load_model(sys.argv[1]); before = peak()\n"
        "for path in sys.argv[2:]:\n"
        "    try: load_model(path)\n"
        "    except ValueError: pass\n"
        "    else: raise SystemExit(path)\n"
        "print((peak() - before) >> (20 if sys.platform == 'darwin' else 10))"
    )
    grown = subprocess.check_output([sys.executable, "-c", code, str(ring_model), *folders], text=True)
    assert int(grown) < 50, "MB"


def test_a_short_name_eats_no_letters(ring_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Path(shutil.copytree(ring_model, tmp_path / "m"))
    (package / GENERATOR).write_bytes(b"nothing")
    sign(package)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is damaged or no safetensors file"):
        load_model("m")


def test_what_killed_processes_unpacked_goes_after_a_day(
    ring_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, fresh, link = (tmp_path / f"topogan-model-{name}" for name in ("old", "fresh", "link"))
    for folder in (old, fresh):
        (folder / "models").mkdir(parents=True)
    link.symlink_to(fresh)
    for path in (old / "models", old):
        os.utime(path, (0, 0))
    left = tmp_path / ".0123abcd.partial.zip"
    left.touch()
    os.utime(left, (0, 0))
    load_model(pack_model(ring_model, tmp_path / "packed.zip"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packed.zip", fresh.name, link.name]
