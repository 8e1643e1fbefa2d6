"""The raw layout of nnU-Net v2."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from topogan.errors import InputError
from topogan.export.samples import ExportedSamples
from topogan.volumes import write_image

_ENDING = ".nii.gz"


def write_nnunet(samples: ExportedSamples, folder: Path) -> None:
    """The raw layout of nnU-Net v2, one case a sample.

    Each case is a NIfTI: of one slice, which nnU-Net plans as a 2-D data set, or of a volume, for ``3d_fullres``.
    Context is background: it was found for textures, and label maps of patients, which samples are mixed with, do not
    have it. nnU-Net wants the folder to be called ``DatasetNNN_Name``. Layout: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md

    Raises:
        InputError: the samples have no textures.
    """
    if samples.textures is None:
        raise InputError(f"{samples.synthesis} has masks but no textures to learn from: use a model with textures.")
    masks = replace(samples.masks, array=samples.table.without_context_in(samples.masks.array))
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    for index in samples.numbers:
        case = f"synthetic_{index:06d}"
        for part, name in ((samples.textures, f"imagesTr/{case}_0000"), (masks, f"labelsTr/{case}")):
            write_image(folder / f"{name}{_ENDING}", part.volume(index).to_image())
    content = {
        # nnU-Net chooses the normalization by this name: "CT" keeps HU comparable between cases.
        "channel_names": {"0": "CT" if samples.is_ct else "image"},
        "labels": _nnunet_labels(samples.table.without_context.names),
        "numTraining": len(samples.numbers),
        "file_ending": _ENDING,
        "overwrite_image_reader_writer": "SimpleITKIO",
    }
    (folder / "dataset.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _nnunet_labels(names: tuple[str, ...]) -> dict[str, int]:
    """Names of the labels, each once; "background" is nnU-Net's own name for 0."""
    labels = {"background": 0}
    for label, name in enumerate(names, start=1):
        plain = name.replace("background", "") or "structure"
        labels[plain if plain not in labels else f"{plain} {label}"] = label
    return labels
