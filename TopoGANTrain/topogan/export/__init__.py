"""Samples as training data for other tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from topogan.errors import InputError, lookup
from topogan.export.dicom import write_dicom
from topogan.export.nnunet import write_nnunet
from topogan.export.pairs import write_nifti, write_nrrd, write_png
from topogan.export.samples import ExportedSamples
from topogan.files import check_new_folder, check_outside, read_json, staged_folder, write_json
from topogan.stored_samples import read_masks, read_textures
from topogan_contract import schemas
from topogan_contract.synthesis import EXPORT_FILE, REPORT_FILE


def export(
    synthesis: Path,
    out: Path,
    layout: str = "nnunet",
    overwrite: bool = False,
    numbers: Sequence[int] | None = None,
) -> Path:
    """Write a synthesis in the layout of another tool.

    Args:
        synthesis: folder made by ``topogan synthesize``.
        out: folder to write.
        layout: name in :data:`LAYOUTS`.
        overwrite: replace ``out`` if it is there.
        numbers: which samples, the first is 0; None: all.

    Raises:
        InputError: there is no such layout or sample, a folder cannot be used, or the samples lack what the layout
            needs.
        WorkError: the disk is full.
    """
    synthesis, out = Path(synthesis), Path(out)
    write = lookup(LAYOUTS, layout, "layout")
    check_new_folder(out, overwrite, schemas.EXPORT)
    report = read_json(synthesis / REPORT_FILE, schemas.SYNTHESIS, schemas.SYNTHESIS_OF_ONE)
    check_outside(out, synthesis, "synthesis")
    masks, textures = read_masks(synthesis, report), read_textures(synthesis, report)
    samples = ExportedSamples(synthesis, report, masks, textures, _chosen(numbers, len(masks.array)))
    if textures is not None and textures.array.shape != masks.array.shape:
        raise InputError(f"The masks and textures of {synthesis} differ in size: synthesize again.")
    _check_labels(samples)
    with staged_folder(out, overwrite, schemas.EXPORT) as folder:
        write(samples, folder)
        said: dict[str, Any] = {"synthetic": True, "said": samples.origin, "samples": list(samples.numbers)}
        if samples.privacy:
            said["privacy"] = samples.privacy
        write_json(folder / EXPORT_FILE, {"layout": layout, **said}, schemas.EXPORT)
    return out


def _chosen(numbers: Sequence[int] | None, count: int) -> tuple[int, ...]:
    """The wanted samples, each once."""
    wanted = tuple(range(count)) if numbers is None else tuple(dict.fromkeys(numbers))
    wrong = [number for number in wanted if not 0 <= number < count]
    if wrong or not wanted:
        named = f"There is no sample {wrong[0]}" if wrong else "No sample is chosen"
        raise InputError(f"{named}: the synthesis has {count}, the first is 0.")
    return wanted


def _check_labels(samples: ExportedSamples) -> None:
    """Refuse label ids that have no name.

    Raises:
        InputError: there are some, or the report is damaged.
    """
    try:
        known = len(samples.table)
    except (KeyError, ValueError) as error:
        raise InputError(f"{samples.synthesis} does not say what its labels are: synthesize again.") from error
    highest = int(samples.masks.array.max())
    if highest > known:
        raise InputError(f"{samples.synthesis} has a label {highest} of {known} that it names: synthesize again.")


LAYOUTS: dict[str, Callable[[ExportedSamples, Path], None]] = {
    "nnunet": write_nnunet,
    "nifti": write_nifti,
    "nrrd": write_nrrd,
    "png": write_png,
    "dicom": write_dicom,
}
"""Name -> what writes the samples into a new folder, which appears only when all is written.

Example:
    >>> LAYOUTS["masks"] = lambda samples, folder: np.save(folder / "masks.npy", samples.masks.array)
"""

__all__ = ["LAYOUTS", "ExportedSamples", "export"]
