"""Which segmentation belongs to which image, by order or by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from topogan.errors import InputError
from topogan.files import check_exists
from topogan.volumes.png import in_natural_order
from topogan.volumes.sources import ending_of, is_volume_folder

# nnU-Net numbers the channels of an image: the first one is the CT.
_FIRST_CHANNEL = "_0000"


def find_pairs(
    segmentations: Sequence[Path] | Path, images: Sequence[Path] | Path | None = None
) -> tuple[list[Path], list[Path]]:
    """Expand folders and pair segmentations with images.

    A folder that is itself a DICOM series or holds PNG slices is one volume; any other folder stands for the volumes
    in it. Volumes that were all named one by one are paired in their order; where a folder was expanded, by equal
    names without endings (nnU-Net's ``_0000`` of the first channel does not count).

    Args:
        segmentations: files or folders.
        images: files or folders; nothing for masks alone.

    Returns:
        Segmentations and their images in the same order; no images where none were given.

    Raises:
        InputError: a path does not exist, a folder holds no volumes, or something is left without its partner.
    """
    labels, labels_expanded = _expand(segmentations)
    scans, scans_expanded = _expand(images or [])
    if not scans:
        return labels, []
    if (labels_expanded or scans_expanded) and not len(labels) == len(scans) == 1:
        return _pair_by_name(labels, scans)
    if len(labels) != len(scans):
        raise InputError(
            f"There are {len(labels)} segmentations but {len(scans)} images: give one image for each, in order."
        )
    return labels, scans


def _expand(given: Sequence[Path] | Path) -> tuple[list[Path], bool]:
    paths = [Path(given)] if isinstance(given, (str, Path)) else [Path(path) for path in given]
    found, expanded = [], False
    for path in paths:
        check_exists(path)
        if not path.is_dir() or is_volume_folder(path):
            found.append(path)
            continue
        inside = sorted((entry for entry in path.iterdir() if _is_volume(entry)), key=in_natural_order)
        if not inside:
            raise InputError(f"The folder {path} holds no volumes (NIfTI, NRRD, MHA, DICOM or PNG folders).")
        found += inside
        expanded = True
    return found, expanded


def _is_volume(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return is_volume_folder(path) if path.is_dir() else bool(ending_of(path))


def _stem(path: Path) -> str:
    ending = "" if path.is_dir() else ending_of(path) or path.suffix
    return path.name[: len(path.name) - len(ending)].removesuffix(_FIRST_CHANNEL)


def _by_stem(paths: list[Path]) -> dict[str, Path]:
    named: dict[str, Path] = {}
    for path in paths:
        if _stem(path) in named:
            raise InputError(f"{path} and {named[_stem(path)]} have the same name: leave one of them out.")
        named[_stem(path)] = path
    return named


def _pair_by_name(labels: list[Path], scans: list[Path]) -> tuple[list[Path], list[Path]]:
    by_label, by_scan = _by_stem(labels), _by_stem(scans)
    alone = [by_label[stem] for stem in by_label.keys() - by_scan.keys()]
    alone += [by_scan[stem] for stem in by_scan.keys() - by_label.keys()]
    if alone:
        names = ", ".join(str(path) for path in sorted(alone)[:3])
        more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
        raise InputError(f"No partner of the same name for {names}{more}: name segmentations and images alike.")
    return list(by_label.values()), [by_scan[stem] for stem in by_label]
