"""Samples for other tools: pairs of files, and DICOM that reads back as it was."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.cli import run
from topogan.config import SynthesisSettings
from topogan.errors import InputError
from topogan.export import export
from topogan.structures import table_of_words
from topogan.synthesis import synthesize
from topogan.volumes import RegionChoice, SegmentationObject, open_volume

MODEL = Path(__file__).resolve().parents[2] / "TopoGANSynth" / "Resources" / "Models" / "phantom.zip"
WANTED = (2, 0)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four slices of the demo model: a cavity in a wall."""
    return synthesize(MODEL, tmp_path_factory.mktemp("samples") / "samples", SynthesisSettings(count=4, betti="modal"))


def stack(samples: Path, name: str) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(samples / f"{name}.nrrd")))


@pytest.mark.parametrize(("layout", "ending"), [("nifti", ".nii.gz"), ("nrrd", ".nrrd")])
def test_pairs_of_volumes(samples: Path, tmp_path: Path, layout: str, ending: str) -> None:
    out = export(samples, tmp_path / "out", layout, numbers=WANTED)
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    assert files == sorted(
        ["topogan.json", *(f"{kind}/sample_{n:06d}{ending}" for kind in ("images", "labels") for n in WANTED)]
    )
    for kind, source in (("images", "textures"), ("labels", "masks")):
        image = sitk.ReadImage(str(out / kind / f"sample_000002{ending}"))
        assert np.array_equal(sitk.GetArrayFromImage(image)[0], stack(samples, source)[2])
        assert "ynthetic" in image.GetMetaData("descrip" if layout == "nifti" else "description")
    said = json.loads((out / "topogan.json").read_text())
    assert said["synthetic"] is True
    assert said["samples"] == list(WANTED)
    assert "seed 0" in said["said"]


def test_pictures(samples: Path, tmp_path: Path) -> None:
    out = export(samples, tmp_path / "out", "png")
    image, labels = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(out / kind / "sample_000001.png"))) for kind in ("images", "labels")
    )
    assert np.array_equal(labels, stack(samples, "masks")[1])
    texture = stack(samples, "textures")[1].astype(float)
    assert np.abs(image - 255 * np.clip((texture + 200) / 800, 0, 1)).max() <= 0.5


@pytest.fixture(scope="module")
def dicom(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("highdicom", reason="DICOM segmentations need highdicom, the extra topogan[seg]")
    return export(samples, tmp_path_factory.mktemp("dicom") / "out", "dicom", numbers=WANTED)


def test_dicom_reads_back_as_it_was(samples: Path, dicom: Path) -> None:
    for number in WANTED:
        folder = dicom / f"sample_{number:06d}"
        ct = next(open_volume(folder / "ct").volumes())
        assert np.array_equal(ct.array[0], stack(samples, "textures")[number])
        table = table_of_words(["lv_cavity", "myocardium"], [])
        choices = (RegionChoice(one.name, (), any_frame=False) for one in table.structures)
        found = SegmentationObject.open(folder / "seg.dcm", open_volume(folder / "ct"), *choices)
        assert np.array_equal(next(found.volumes()).array[0], stack(samples, "masks")[number])


def test_dicom_says_that_it_is_synthetic(dicom: Path) -> None:
    import pydicom

    seen: dict[str, set[str]] = {}
    for path in sorted(dicom.rglob("*.dcm")):
        data: Any = pydicom.dcmread(path)
        assert data.SyntheticData == "YES"
        assert data.PatientID == "SYNTHETIC"
        assert data.ImageType[0] == "DERIVED"
        assert data.DerivationDescription.startswith("Synthetic image, not of a patient: TopoGAN, model ")
        for name in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
            seen.setdefault(name, set()).add(str(data[name].value))
    counts = {name: len(found) for name, found in seen.items()}
    assert counts == {"SOPInstanceUID": 4, "SeriesInstanceUID": 4, "StudyInstanceUID": 1}


def test_the_same_sample_keeps_its_identifiers(samples: Path, dicom: Path, tmp_path: Path) -> None:
    import pydicom

    again = export(samples, tmp_path / "again", "dicom", numbers=[0])
    path = "sample_000000/ct/0000.dcm"
    assert pydicom.dcmread(again / path).SOPInstanceUID == pydicom.dcmread(dicom / path).SOPInstanceUID


def test_required_attributes_of_ct_are_there(dicom: Path) -> None:
    """Type 1 and 2 of the modules of a CT image (PS3.3 A.3): present; those of type 1 with a value."""
    import pydicom

    data = pydicom.dcmread(dicom / "sample_000000" / "ct" / "0000.dcm")
    with_value = [
        "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Modality", "FrameOfReferenceUID",
        "PixelSpacing", "ImageOrientationPatient", "ImagePositionPatient", "ImageType", "SamplesPerPixel",
        "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
        "PixelData", "RescaleIntercept", "RescaleSlope",
    ]  # fmt: skip
    may_be_empty = [
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
        "ReferringPhysicianName", "AccessionNumber", "SeriesNumber", "Manufacturer", "PositionReferenceIndicator",
        "InstanceNumber", "SliceThickness", "KVP", "AcquisitionNumber",
    ]  # fmt: skip
    assert [name for name in (*with_value, *may_be_empty) if name not in data] == []
    assert [name for name in with_value if data.data_element(name).VM == 0] == []


def test_what_cannot_be_exported_is_refused(samples: Path, ring_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no sample 4: the synthesis has 4, the first is 0"):
        export(samples, tmp_path / "out", "nifti", numbers=[4])
    with pytest.raises(InputError, match="No sample is chosen"):
        export(samples, tmp_path / "out", "nifti", numbers=[])
    report = samples / "report.json"
    before = report.read_text()
    try:
        report.write_text(before.replace('"HU"', '"arbitrary"'))
        with pytest.raises(InputError, match="has no textures in HU, and CT is in HU"):
            export(samples, tmp_path / "out", "dicom")
    finally:
        report.write_text(before)
    assert os.listdir(tmp_path) == []


def test_the_command_replaces_an_export_of_another_layout(samples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(["export", str(samples), str(out), "--layout", "png", "--sample", "1"]) == 0
    assert run(["export", str(samples), str(out), "--layout", "nifti", "--sample", "1", "--overwrite"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["images", "labels", "topogan.json"]


def test_an_export_loads_no_torch(samples: Path, tmp_path: Path) -> None:
    """Loading it takes seconds, and nothing of it is needed to copy what was drawn."""
    code = (
        "import sys; from topogan.cli import run\n"
        "for layout in ('nnunet', 'nifti', 'nrrd', 'png'):\n"
        "    assert run(['export', sys.argv[1], f'{sys.argv[2]}/{layout}', '--layout', layout]) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(samples), str(tmp_path)], check=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nifti", "nnunet", "nrrd", "png"]
