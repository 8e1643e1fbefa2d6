"""Samples as training data for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan.errors import InputError, lookup
from topogan.files import check_new_folder, check_outside, read_json, staged_folder, write_json
from topogan.structures import StructureTable
from topogan.synthesis.reading import StoredSamples, read_masks, read_textures
from topogan.volumes import write_image
from topogan_contract import schemas
from topogan_contract.synthesis import REPORT_FILE

_ENDING = ".nii.gz"
# The layouts' own files have no schema: this one tells that the folder is ours and may be replaced.
_EXPORT_SCHEMA = "topogan.export/1"


@dataclass(frozen=True)
class ExportedSamples:
    """What a layout is written from."""

    synthesis: Path
    """Folder made by ``topogan synthesize``."""
    report: dict[str, Any]
    """Its ``report.json``."""
    masks: StoredSamples
    """Label ids [sample, row, column], of volumes [sample, slice, row, column]."""
    textures: StoredSamples | None
    """The same of HU or image units; None where the model paints none."""

    @property
    def names(self) -> list[str]:
        """Of the structures in the order of their label ids."""
        if self.report["schema"] == schemas.SYNTHESIS_OF_ONE:
            return [str(self.report.get("structure", ""))]
        return list(StructureTable.model_validate(self.report["table"]).names)


def export(synthesis: Path, out: Path, layout: str = "nnunet", overwrite: bool = False) -> Path:
    """Write a synthesis in the layout of another tool.

    Args:
        synthesis: folder made by ``topogan synthesize``.
        out: folder to write.
        layout: name in :data:`LAYOUTS`.
        overwrite: replace ``out`` if it is there.

    Raises:
        InputError: there is no such layout, a folder cannot be used, or the samples lack what the layout needs.
        WorkError: the disk is full.
    """
    synthesis, out = Path(synthesis), Path(out)
    write = lookup(LAYOUTS, layout, "layout")
    check_new_folder(out, overwrite, _EXPORT_SCHEMA)
    report = read_json(synthesis / REPORT_FILE, schemas.SYNTHESIS, schemas.SYNTHESIS_OF_ONE)
    check_outside(out, synthesis, "synthesis")
    masks, textures = read_masks(synthesis, report), read_textures(synthesis, report)
    samples = ExportedSamples(synthesis, report, masks, textures)
    if textures is not None and textures.array.shape != masks.array.shape:
        raise InputError(f"The masks and textures of {synthesis} differ in size: synthesize again.")
    _check_labels(samples)
    with staged_folder(out, overwrite, _EXPORT_SCHEMA) as folder:
        write(samples, folder)
        write_json(folder / "topogan.json", {"layout": layout, "model": report.get("model")}, _EXPORT_SCHEMA)
    return out


def _check_labels(samples: ExportedSamples) -> None:
    """Refuse label ids that have no name.

    Raises:
        InputError: there are some, or the report is damaged.
    """
    try:
        known = len(samples.names)
    except (KeyError, ValueError) as error:
        raise InputError(f"{samples.synthesis} does not say what its labels are: synthesize again.") from error
    highest = int(samples.masks.array.max())
    if highest > known:
        raise InputError(f"{samples.synthesis} has a label {highest} of {known} that it names: synthesize again.")


def write_nnunet(samples: ExportedSamples, folder: Path) -> None:
    """The raw layout of nnU-Net v2, one case a sample.

    Each case is a NIfTI: of one slice, which nnU-Net plans as a 2-D data set, or of a volume, for ``3d_fullres``.
    nnU-Net wants the folder to be called ``DatasetNNN_Name``. Layout: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md

    Raises:
        InputError: the samples have no textures.
    """
    if samples.textures is None:
        raise InputError(f"{samples.synthesis} has masks but no textures to learn from: use a model with textures.")
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    count = len(samples.masks.array)
    for index in range(count):
        case = f"synthetic_{index:06d}"
        for part, name in ((samples.textures, f"imagesTr/{case}_0000"), (samples.masks, f"labelsTr/{case}")):
            write_image(folder / f"{name}{_ENDING}", part.volume(index).to_image())
    content = {
        # nnU-Net chooses the normalization by this name: "CT" keeps HU comparable between cases.
        "channel_names": {"0": "CT" if samples.report.get("intensity") == "HU" else "image"},
        "labels": _nnunet_labels(samples.names),
        "numTraining": count,
        "file_ending": _ENDING,
        "overwrite_image_reader_writer": "SimpleITKIO",
    }
    (folder / "dataset.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _nnunet_labels(names: list[str]) -> dict[str, int]:
    """Names of the labels, each once; "background" is nnU-Net's own name for 0."""
    labels = {"background": 0}
    for label, name in enumerate(names, start=1):
        plain = name.replace("background", "") or "structure"
        labels[plain if plain not in labels else f"{plain} {label}"] = label
    return labels


LAYOUTS: dict[str, Callable[[ExportedSamples, Path], None]] = {"nnunet": write_nnunet}
"""Name -> what writes the samples into a new folder, which appears only when all is written.

Example:
    >>> LAYOUTS["masks"] = lambda samples, folder: np.save(folder / "masks.npy", samples.masks.array)
"""
