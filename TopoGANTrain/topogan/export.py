"""Samples as training data for other tools."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from topogan.errors import InputError
from topogan.files import check_new_folder, read_json, staged_folder, write_json
from topogan.synthesis.reading import read_stack
from topogan.volumes import Volume, write_image
from topogan_contract import schemas
from topogan_contract.synthesis import MASKS_FILE, REPORT_FILE, TEXTURES_FILE

_ENDING = ".nii.gz"
# nnU-Net's own file has no schema: this one tells that the folder is ours and may be replaced.
_EXPORT_SCHEMA = "topogan.export/1"


def export_nnunet(synthesis: Path, out: Path, overwrite: bool = False) -> Path:
    """Write a synthesis in the raw layout of nnU-Net v2, one case a sample.

    Each case is a NIfTI of one slice, which nnU-Net plans as a 2-D data set; nnU-Net wants the folder to be called
    ``DatasetNNN_Name``. Layout: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md

    Args:
        synthesis: folder made by ``topogan synthesize``, with textures.
        out: folder to write.
        overwrite: replace ``out`` if it is there.

    Raises:
        InputError: a folder cannot be used, or the samples have no textures.
        WorkError: the disk is full.
    """
    synthesis, out = Path(synthesis), Path(out)
    check_new_folder(out, overwrite, _EXPORT_SCHEMA)
    report = read_json(synthesis / REPORT_FILE, schemas.SYNTHESIS)
    if not (synthesis / TEXTURES_FILE).exists():
        raise InputError(f"{synthesis} has masks but no textures to learn from: use a model with textures.")
    masks, textures = read_stack(synthesis / MASKS_FILE), read_stack(synthesis / TEXTURES_FILE)
    if masks.geometry.size != textures.geometry.size:
        raise InputError(f"The masks and textures of {synthesis} differ in size: synthesize again.")
    count = len(masks.array)
    # "background" is nnU-Net's own name for 0.
    structure = str(report.get("structure", "")).replace("background", "") or "structure"
    with staged_folder(out, overwrite, _EXPORT_SCHEMA) as folder:
        for name in ("imagesTr", "labelsTr"):
            (folder / name).mkdir()
        for index in range(count):
            case = f"synthetic_{index:06d}"
            _write_slice(textures, index, folder / "imagesTr" / f"{case}_0000{_ENDING}")
            _write_slice(masks, index, folder / "labelsTr" / f"{case}{_ENDING}")
        content = {
            # nnU-Net chooses the normalization by this name: "CT" keeps HU comparable between cases.
            "channel_names": {"0": "CT" if report.get("intensity") == "HU" else "image"},
            "labels": {"background": 0, structure: 1},
            "numTraining": count,
            "file_ending": _ENDING,
            "overwrite_image_reader_writer": "SimpleITKIO",
        }
        (folder / "dataset.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        write_json(folder / "topogan.json", {"layout": "nnunet", "model": report.get("model")}, _EXPORT_SCHEMA)
    return out


def _write_slice(stack: Volume, index: int, path: Path) -> None:
    # Samples are unrelated: each gets the same place instead of its place in the stack.
    grid = replace(stack.geometry, size=(*stack.geometry.size[:2], 1), origin=(0.0, 0.0, 0.0))
    write_image(path, Volume(stack.array[index : index + 1], grid).to_image())
