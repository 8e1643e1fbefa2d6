"""Write the phantom: one 4-D CT and one 4-D segmentation a patient, and the short-axis planes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from topogan.config import PhantomSettings
from topogan.files import staged_folder, write_json
from topogan.phantom.chest import label_chest
from topogan.phantom.heart import REACH, place_heart
from topogan.phantom.imaging import draw_contrast, make_image
from topogan.phantom.patient import Patient, draw_patient
from topogan.phantom.tissues import STRUCTURES, Tissue, label_of
from topogan.volumes import write_image
from topogan_contract.schemas import PHANTOM

SPACING = (1.5, 1.5, 2.0)
SIZE = (124, 124, 68)
_IMAGE_STREAM = 1
_LABELS = np.array([label_of(tissue) for tissue in Tissue], dtype=np.uint8)


def make_phantom(
    out: Path,
    settings: PhantomSettings | None = None,
    overwrite: bool = False,
    on_event: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Write a beating-heart CT phantom.

    The folder holds ``images/patient_001.nii`` (int16 HU; x, y, z, phase), ``segmentations/patient_001.nii.gz`` (uint8;
    label values in ``phantom.json``), ``planes.json`` (short-axis SliceToRAS matrices, one a patient, as
    ``topogan prepare --plane`` takes them) and ``phantom.json`` (volumes and ejection fractions).

    Args:
        out: folder to write.
        settings: patients, phases and seed.
        overwrite: replace an older phantom.
        on_event: takes progress events.

    Raises:
        InputError: the folder exists, or cannot be written.
        WorkError: the disk is full.
    """
    settings = settings or PhantomSettings()
    points = _grid()
    rows, planes = [], []
    with staged_folder(Path(out), overwrite, PHANTOM) as folder:
        (folder / "images").mkdir()
        (folder / "segmentations").mkdir()
        for number in range(settings.patients):
            patient = draw_patient(settings.seed, number)
            volumes = _write_patient(folder, number, patient, points, settings)
            rows.append(_row(number, volumes))
            planes.append(_short_axis(patient))
            if on_event:
                on_event({"kind": "step", "stage": "phantom", "step": number + 1, "total": settings.patients})
        _write_planes(folder / "planes.json", planes)
        content = {
            "notice": "A computer phantom made from formulas. It is not patient data.",
            "settings": settings.model_dump(),
            "structures": STRUCTURES,
            "patients": rows,
        }
        write_json(folder / "phantom.json", content, PHANTOM)
    return Path(out)


def _grid() -> NDArray[np.float32]:
    """RAS coordinates [3, z, y, x] in mm of the voxels; the volume is centered, its array axes are LPS."""
    axes = [(np.arange(size) - (size - 1) / 2) * spacing for size, spacing in zip(SIZE, SPACING, strict=True)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return np.stack([-x, -y, z]).astype(np.float32)


def _write_patient(
    folder: Path, number: int, patient: Patient, points: NDArray[np.float32], settings: PhantomSettings
) -> list[float]:
    """Write both files; return the cavity's volume in mL at each phase."""
    random = np.random.default_rng([settings.seed, number, _IMAGE_STREAM])
    contrast = draw_contrast(random)
    tissue = label_chest(patient, points)
    near = (points**2).sum(axis=0) < REACH**2
    moving, resting = points[:, near], tissue[near]
    images, labels, volumes = [], [], []
    for phase in range(settings.phases):
        tissue[near] = place_heart(patient, moving, resting, phase / settings.phases)
        label = _LABELS[tissue]
        images.append(_as_volume(make_image(tissue, contrast, SPACING, random)))
        labels.append(_as_volume(label))
        volumes.append(float((label == STRUCTURES["lv_cavity"]).sum() * np.prod(SPACING) / 1000))
    name = f"patient_{number + 1:03d}"
    # Uncompressed: a compressed 4-D file must be unpacked as a whole for each of its phases, and noise packs badly.
    write_image(folder / "images" / f"{name}.nii", sitk.JoinSeries(images), compressed=False)
    write_image(folder / "segmentations" / f"{name}.nii.gz", sitk.JoinSeries(labels))
    return volumes


def _as_volume(array: NDArray[np.generic]) -> sitk.Image:
    volume = sitk.GetImageFromArray(array)
    volume.SetSpacing(SPACING)
    volume.SetOrigin([-(size - 1) / 2 * spacing for size, spacing in zip(SIZE, SPACING, strict=True)])
    return volume


def _row(number: int, volumes: list[float]) -> dict[str, Any]:
    largest, smallest = max(volumes), min(volumes)
    return {
        "patient": f"patient_{number + 1:03d}",
        "end_diastolic_volume_ml": round(largest, 1),
        "end_systolic_volume_ml": round(smallest, 1),
        "ejection_fraction": round(1 - smallest / largest, 3),
    }


def _short_axis(patient: Patient) -> list[list[float]]:
    """SliceToRAS of the short axis: 4×4, the normal from base to apex, the origin in the middle of the ventricle."""
    matrix = np.eye(4)
    matrix[:3, :3] = patient.axes
    return [[round(float(value), 6) for value in row] for row in matrix]


def _write_planes(path: Path, planes: list[list[list[float]]]) -> None:
    rows = ",\n".join(" " + str(plane) for plane in planes)
    path.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
