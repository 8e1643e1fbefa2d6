"""Segmentations and images on disk, as sources of a request to prepare; and how they go together with the scene's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from TopoGANLib.scene.voxels import InputError
from TopoGANLib.words import tr as _
from TopoGANTrainLib.data.structures import structures_in, table_in, unions_in

_TABLE_OF_CASES = ".csv"
# As nnU-Net names them.
_IMAGES, _SEGMENTATIONS = "imagesTr", "labelsTr"
_MOST_LABELS = 65535


@dataclass(frozen=True)
class FileSources:
    """Segmentations and their images: files, folders of them, or a table."""

    segmentations: Path
    """A file, a folder, nnU-Net's folder of ``imagesTr`` and ``labelsTr``, or a table of cases (CSV)."""
    images: Path | None = None
    structures: str = ""
    """Such as ``"lv_cavity=1; myocardium=2"``; empty for a single one, which the settings name."""
    unions: str = ""
    table: Path | None = None
    """A file that says both, and colors, instead."""

    @property
    def are_cases(self) -> bool:
        """Whether a table names each case with its image."""
        return says_cases(self.segmentations)

    @property
    def have_images(self) -> bool | None:
        """Whether there are images; None where only the engine will know."""
        return None if self.are_cases else self._images() is not None

    def check(self) -> None:
        """See that all paths are there.

        Raises:
            InputError: one is not.
        """
        for path in filter(None, (self.segmentations, self.images, self.table)):
            if not path.exists():
                raise InputError(_("{path} does not exist: choose another file or folder.").format(path=path))

    def sources(self) -> list[dict[str, Any]]:
        """As :mod:`topogan_contract.preparation` says; each volume is a patient of its own, but in a table of cases."""
        if self.are_cases:
            return [{"cases": str(self.segmentations.absolute())}]
        segmentations, images = self.segmentations, self._images()
        if is_nnunet(segmentations):
            segmentations = segmentations / _SEGMENTATIONS
        return [
            {
                "segmentations": [str(segmentations.absolute())],
                "images": [] if images is None else [str(images.absolute())],
                "patient": "",
                "plane": "axial",
            }
        ]

    def named_structures(self) -> dict[str, Any] | None:
        """What the table or the lines say of several structures; None where they say nothing.

        Raises:
            InputError: it cannot be read.
        """
        if self.table is not None:
            return table_in(self.table)
        structures = structures_in(self.structures)
        unions = unions_in(self.unions, [one["name"] for one in structures]) if structures else []
        return {"structures": structures, "unions": unions} if structures else None

    def _images(self) -> Path | None:
        if self.images is None and is_nnunet(self.segmentations):
            return self.segmentations / _IMAGES
        return self.images


def says_cases(path: Path) -> bool:
    """Whether a path names a table of cases, not a segmentation."""
    return path.suffix.lower() == _TABLE_OF_CASES


def is_nnunet(folder: Path) -> bool:
    """Whether a folder is a data set of nnU-Net."""
    return all((folder / name).is_dir() for name in (_IMAGES, _SEGMENTATIONS))


def joined_table(
    scene: Sequence[Mapping[str, Any]], files: FileSources, name: str, labels: str
) -> list[dict[str, Any]]:
    """Structures of scene and files together, in the files' order: their labels, the scene's colors and terminology.

    Args:
        scene: the table of the scene's structures.
        files: what goes with them.
        name: of a single structure, as typed; empty for the scene's own.
        labels: of a single structure in the files, as typed: ``"1"`` or ``"1,2"``.

    Raises:
        InputError: the two do not name the same structures.
    """
    said = files.named_structures()
    if said is not None:
        told = said.get("structures")
        structures = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    elif len(scene) > 1:
        names = "; ".join(f"{one['name']}=label" for one in scene)
        raise InputError(_("Structures: say what the segments are in the files: {names}.").format(names=names))
    else:
        words = [word.strip() for word in labels.split(",")] if labels.strip() else ["1"]
        if not all(word.isascii() and word.isdecimal() for word in words):
            raise InputError(_("Labels: {labels} are no numbers: write 1 or 1,2.").format(labels=repr(labels)))
        scene = [{**scene[0], "name": name or scene[0]["name"]}]
        structures = [{"name": scene[0]["name"], "labels": [int(word) for word in words]}]
    ours = {one["name"]: one for one in scene}
    theirs = [str(one.get("name", "")) for one in structures]
    for missing in [one for one in ours if one not in theirs]:
        raise InputError(
            _("Structures: {missing} of the scene is none of the files: write {missing}=label.").format(missing=missing)
        )
    for missing in [one for one in theirs if one not in ours]:
        raise InputError(
            _("Structures: {missing} of the files is no chosen segment: choose it, or leave it out.").format(
                missing=missing
            )
        )
    taken = {label for one in structures for label in one.get("labels") or []}
    joined = []
    for one in structures:
        own = ours[one["name"]]
        free = next(label for label in range(1, _MOST_LABELS) if label not in taken)
        # What is known by its name or color in the files has no label; the scene's label maps need one.
        given = list(one.get("labels") or [free])
        taken.update(given)
        more = {key: one.get(key) or own[key] for key in ("color", "terminology")}
        joined.append({**one, **more, "labels": given})
    return joined
