"""Reading a synthesis folder: what is in it, and one sentence for everything that can be wrong with it."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import vtk

from topogan_contract.stacks import Segment, read_stack, stack_header
from TopoGANLib.headless.application import HeadlessSlicer
from TopoGANLib.scene.synthesis_folder import SynthesisFolderError, read_synthesis_folder

MakeFolder = Callable[..., Path]


def test_everything_in_the_folder_is_read(synthesis_folder: Path) -> None:
    synthesis = read_synthesis_folder(synthesis_folder)
    assert synthesis.masks.shape == synthesis.textures.shape == (6, 64, 64)
    assert (synthesis.masks.dtype, synthesis.textures.dtype) == (np.uint8, np.int16)
    assert (synthesis.structure, synthesis.window, synthesis.is_ct) == ("myocardium", (-200.0, 400.0), True)
    assert synthesis.samples["verdict"] == ["valid"] * 6
    assert len(synthesis.diagrams) == 6


def test_diagrams_are_in_mm(synthesis_folder: Path) -> None:
    diagram = read_synthesis_folder(synthesis_folder).diagrams[2]
    assert diagram.dimension.tolist() == [0, 1]
    assert diagram.death.tolist() == [np.inf, 10 * 1.5]
    assert diagram.death_index.tolist() == [[-1, -1], [32, 32]]


def test_what_the_engine_writes_is_what_itk_reads(tmp_path: Path) -> None:
    array = np.arange(-60, 60, dtype=np.int16).reshape(4, 5, 6)
    header = stack_header("<i2", (6, 5, 4), 0.7, "Independent samples.")
    (tmp_path / "stack.nrrd").write_bytes(header + gzip.compress(array.tobytes()))
    image = sitk.ReadImage(str(tmp_path / "stack.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), array)
    assert image.GetSpacing() == (0.7, 0.7, 0.7)
    stack = read_stack(tmp_path / "stack.nrrd")
    assert (stack.dtype, stack.size, stack.data) == ("<i2", (6, 5, 4), array.tobytes())
    assert stack.axes == ((0.7, 0, 0), (0, 0.7, 0), (0, 0, 0.7))


def test_slicer_opens_masks_as_named_segments(tmp_path: Path, headless: HeadlessSlicer) -> None:
    terminology = "list~SCT^85756007^Tissue~^^~^^~codes~^^~^^"
    written = (Segment("myocardium", 1, "#e69f00", terminology), Segment("lumen", 2, "#56b4e9"))
    labels = np.zeros((4, 8, 8), np.uint8)
    labels[:, 2:4], labels[:, 5:7] = 1, 2
    header = stack_header("|u1", (8, 8, 4), 1.5, "Independent samples.", written)
    (tmp_path / "masks.nrrd").write_bytes(header + gzip.compress(labels.tobytes()))
    storage = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(tmp_path / "masks.nrrd"))
    node = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(node) == 1
    segments = [node.GetSegmentation().GetNthSegment(number) for number in range(2)]
    found = [(one.GetName(), one.GetLabelValue()) for one in segments]
    assert found == [("myocardium", 1), ("lumen", 2)] and node.GetSegmentation().GetNumberOfSegments() == 2
    assert np.allclose(segments[0].GetColor(), np.array([0xE6, 0x9F, 0x00]) / 255, atol=1e-3)
    tag = vtk.mutable("")
    assert segments[0].GetTag("TerminologyEntry", tag) and str(tag) == terminology
    assert storage.GetUserMessages().GetNumberOfMessages() == 0


def test_several_structures_are_read(structures_folder: Path) -> None:
    synthesis = read_synthesis_folder(structures_folder)
    assert [(one.name, one.label, one.color) for one in synthesis.structures] == [
        ("cavity", 1, "#56b4e9"),
        ("myocardium", 2, "#e69f00"),
    ]
    assert synthesis.regions == ("cavity", "myocardium", "cavity + myocardium")
    assert len(synthesis.diagrams) == 18
    assert synthesis.samples["verdict myocardium"][2] == "no hole"


def test_what_names_other_structures_is_refused(structures_folder: Path) -> None:
    for regions in (None, [], ["cavity"], [{"name": "cavity"}, {"name": "wall"}], [{"name": "cavity"}] * 3):
        _set(structures_folder, regions=regions)
        with pytest.raises(SynthesisFolderError, match="name different structures"):
            read_synthesis_folder(structures_folder)
    _set(structures_folder, regions=[{"name": "cavity"}, {"name": "myocardium"}])
    with pytest.raises(SynthesisFolderError, match="6 masks of 2 structures and unions, 18 diagrams and 6 rows"):
        read_synthesis_folder(structures_folder)


def test_samples_of_the_first_version_are_read(tmp_path: Path) -> None:
    archive = Path(__file__).parents[1] / "engine" / "data" / "results_of_0.1.0.zip"
    shutil.unpack_archive(archive, tmp_path)
    synthesis = read_synthesis_folder(tmp_path / "synthesis")
    for name, array in (("masks", synthesis.masks), ("textures", synthesis.textures)):
        image = sitk.ReadImage(str(tmp_path / "synthesis" / f"{name}.nrrd"))
        assert np.array_equal(sitk.GetArrayFromImage(image), array)
    assert np.allclose(np.abs(np.linalg.det(synthesis.ijk_to_ras)), 1.5**3)


def test_masks_alone_are_enough(make_folder: MakeFolder) -> None:
    synthesis = read_synthesis_folder(make_folder("masks", textures=False))
    assert synthesis.textures is None
    assert synthesis.window is None
    assert not synthesis.is_ct


def test_geometry_goes_from_lps_to_ras(synthesis_folder: Path) -> None:
    spacing, origin, direction = (1.5, 1.5, 4.0), (10.0, 20.0, 30.0), (0, 0, 1, 1, 0, 0, 0, 1, 0)
    for name in ("masks.nrrd", "textures.nrrd"):
        image = sitk.ReadImage(str(synthesis_folder / name))
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        image.SetDirection(direction)
        sitk.WriteImage(image, str(synthesis_folder / name))
    matrix = read_synthesis_folder(synthesis_folder).ijk_to_ras
    for index in ((0, 0, 0), (5, 7, 3)):
        left, posterior, superior = image.TransformIndexToPhysicalPoint(index)
        assert np.allclose(matrix @ (*index, 1), (-left, -posterior, superior, 1))


def _rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray], spacing: float = 1.5) -> None:
    image = sitk.GetImageFromArray(change(sitk.GetArrayFromImage(sitk.ReadImage(str(path)))))
    image.SetSpacing((spacing,) * 3)
    sitk.WriteImage(image, str(path))


def _set(folder: Path, **values: object) -> None:
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**report, **values}))


def _replace(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))


def _flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # of the checksum
    path.write_bytes(content)


def _cut_diagrams(path: Path) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "death": arrays["death"][:-1]})


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no report": (lambda f: (f / "report.json").unlink(), "holds no report.json"),
    "report is not JSON": (lambda f: (f / "report.json").write_text("{"), "report.json cannot be read"),
    "report is a list": (lambda f: (f / "report.json").write_text("[]"), "is not a synthesis folder"),
    "another kind of folder": (lambda f: _set(f, schema="topogan.training-set/1"), "is not a synthesis folder"),
    "newer": (lambda f: _set(f, schema="topogan.synthesis/3"), "update the TopoGAN extension"),
    "a window of words": (lambda f: _set(f, window=["a", "b"]), "The window in .* is not two rising numbers"),
    "a window beyond numbers": (lambda f: _set(f, window=[0, 10**400]), "The window in .* is not two rising numbers"),
    "a window of nothing": (lambda f: _set(f, window=[float("nan"), 1]), "The window in .* is not two rising numbers"),
    "no masks": (lambda f: (f / "masks.nrrd").unlink(), "masks.nrrd is missing"),
    "damaged masks": (lambda f: (f / "masks.nrrd").write_bytes(b"NRRD0004\n"), "masks.nrrd cannot be read"),
    "damaged textures": (lambda f: (f / "textures.nrrd").write_bytes(b"x"), "textures.nrrd cannot be read"),
    "a line that ITK cannot quote": (
        lambda f: (f / "masks.nrrd").write_bytes(b"NRRD0004\nspace: " + b"9" * 3000 + b"\n\n"),
        "masks.nrrd cannot be read",
    ),
    "a field that ITK would obey": (
        lambda f: _replace(f / "masks.nrrd", b"kinds:", b"data file: /etc/passwd\nkinds:"),
        "masks.nrrd cannot be read",
    ),
    "a field hidden as a key": (
        lambda f: _replace(f / "masks.nrrd", b"kinds:", b"byte skip: -9 :=\nkinds:"),
        "masks.nrrd cannot be read",
    ),
    "a number that is none": (lambda f: _replace(f / "masks.nrrd", b"(1.5,", b"(1.5.5,"), "masks.nrrd cannot be read"),
    "no extent": (lambda f: _replace(f / "masks.nrrd", b"(1.5,", b"(0,"), "masks.nrrd is not a stack"),
    "masks of more bytes": (lambda f: _rewrite(f / "masks.nrrd", np.int16), "masks.nrrd is not a stack"),
    "masks of fractions": (lambda f: _rewrite(f / "masks.nrrd", np.float32), "masks.nrrd cannot be read"),
    "more pixels than said": (lambda f: _replace(f / "masks.nrrd", b"64 64 6", b"64 64 5"), "masks.nrrd cannot be"),
    "fewer pixels than said": (lambda f: _replace(f / "masks.nrrd", b"64 64 6", b"64 64 7"), "masks.nrrd cannot be"),
    "a claim of 8 GB": (lambda f: _replace(f / "masks.nrrd", b"64 64 6", b"2000 2000 2000"), "masks.nrrd cannot be"),
    "a changed byte": (lambda f: _flip_a_byte(f / "masks.nrrd"), "masks.nrrd cannot be read"),
    "flat masks": (lambda f: _rewrite(f / "masks.nrrd", lambda a: a[0]), "masks.nrrd cannot be read"),
    "smaller textures": (
        lambda f: _rewrite(f / "textures.nrrd", lambda a: a[:, 1:]),
        "masks.nrrd is 64 × 64 × 6 and textures.nrrd is 64 × 63 × 6 voxels",
    ),
    "textures elsewhere": (lambda f: _rewrite(f / "textures.nrrd", lambda a: a, spacing=2), "at different places"),
    "no diagrams": (lambda f: (f / "diagrams.npz").unlink(), "diagrams.npz is missing"),
    "damaged diagrams": (lambda f: (f / "diagrams.npz").write_bytes(b"PK"), "diagrams.npz cannot be read"),
    "diagrams are pickles": (
        lambda f: np.savez(f / "diagrams.npz", counts=np.array([{}], object)),
        "diagrams.npz cannot be read",
    ),
    "diagrams cut short": (lambda f: _cut_diagrams(f / "diagrams.npz"), "diagrams.npz contradicts itself"),
    "no table": (lambda f: (f / "samples.csv").unlink(), "samples.csv is missing"),
    "empty table": (lambda f: (f / "samples.csv").write_text(""), "samples.csv cannot be read"),
    "ragged table": (lambda f: (f / "samples.csv").write_text("sample,b0\n1\n"), "rows of different lengths"),
    "too few rows": (
        lambda f: (f / "samples.csv").write_text("sample\n0\n"),
        "holds 6 masks, 6 diagrams and 1 rows in samples.csv",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_in_one_sentence(synthesis_folder: Path, name: str) -> None:
    spoil, said = FAULTS[name]
    spoil(synthesis_folder)
    with pytest.raises(SynthesisFolderError, match=said) as caught:
        read_synthesis_folder(synthesis_folder)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert str(synthesis_folder) in message


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SynthesisFolderError, match=f"There is no folder {tmp_path / 'nowhere'}"):
        read_synthesis_folder(tmp_path / "nowhere")
