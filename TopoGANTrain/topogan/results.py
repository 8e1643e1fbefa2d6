"""What a result of each kind holds, of this version and earlier ones: ``--overwrite`` removes nothing else."""

from __future__ import annotations

import os
import re
from pathlib import Path

from topogan.errors import InputError
from topogan_contract import leftovers, run, schemas, training_set

_MODEL = r"LICENSE|configs/metadata\.json|docs/README\.md|reference/diagrams\.npz"
_MODEL += r"|models/(masks|textures)_(generator|critic)\.safetensors"
_PHANTOM = r"(phantom|planes)\.json|(images|segmentations)/patient_\d+\.nii(\.gz)?"
_RUN = run.OWN.pattern
_SYNTHESIS = r"report\.json|(masks|textures)\.nrrd|diagrams\.npz|samples\.csv|gallery\.png"
_SYNTHESIS += r"|volumes/\d{5}_(mask\.seg|texture)\.nrrd"
_TRAINING_SET = training_set.FILES.pattern

_HOLDS = {
    "topogan.comparison": r"comparison\.json|nearest/((masks|textures)\.nrrd|volumes/\d{5}_(mask\.seg|texture)\.nrrd)",
    "topogan.demo": rf"demo\.json|phantom/({_PHANTOM})|training_set/({_TRAINING_SET})|run/({_RUN})"
    rf"|samples(_with_topology)?(\.html|\.json|/({_SYNTHESIS}))|scene/(scene\.mrb|\w+\.png)",
    "topogan.export": r"(dataset|topogan)\.json|imagesTr/synthetic_\d+_0000\.nii\.gz|labelsTr/synthetic_\d+\.nii\.gz"
    r"|(images|labels)/sample_\d+\.(nii\.gz|nrrd|png)|sample_\d+/(ct/\d+|seg)\.dcm",
    "topogan.model": _MODEL,
    "topogan.phantom": _PHANTOM,
    "topogan.run": _RUN,
    "topogan.synthesis": _SYNTHESIS,
    "topogan.training-set": _TRAINING_SET,
}
"""Kind -> regular expression of the paths of its files. A further export layout adds its own to ``topogan.export``."""

_OF_FILE_MANAGERS = re.compile(r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini")
_MOST_QUOTED = 60


def check_replaceable(path: Path, kind: str) -> None:
    """Refuse to replace a folder that is no result of this kind, or holds anything else besides.

    A slip of the hand must not delete anything else: samples written over the run that their model came from would
    cost days.

    Args:
        path: a folder that is not empty.
        kind: schema of the result ("topogan.run/1").

    Raises:
        InputError: one sentence that names what would be lost.
        OSError: a folder in it cannot be read.
    """
    kind = kind.partition("/")[0]
    found = _kinds_of_result(path)
    if not found:
        raise InputError(f"The folder {path} was not written by TopoGAN and is not replaced: name a new folder.")
    if kind not in found:
        raise InputError(
            f"The folder {path} holds another kind of result ({found[0].removeprefix('topogan.')[:_MOST_QUOTED]}) "
            "and is not replaced: name a new folder."
        )
    ours = re.compile(_HOLDS[kind])
    for parent, folders, files in os.walk(path, onerror=_raise):
        for one in (Path(parent, name) for name in folders + files):
            inside = one.relative_to(path)
            known = ours.fullmatch(inside.as_posix()) or _OF_FILE_MANAGERS.fullmatch(one.name)
            folder = one.is_dir() and not one.is_symlink()
            if not (folder or (known and not one.is_symlink()) or any(map(leftovers.is_partial, inside.parts))):
                what = kind.removeprefix("topogan.").replace("-", " ")
                raise InputError(
                    f"The folder {path} holds {inside}, which is no part of the {what}, and is not replaced: "
                    "move that elsewhere, or name a new folder."
                )


def _raise(error: OSError) -> None:
    raise error


def _kinds_of_result(path: Path) -> list[str]:
    """The schemas, without their versions, of the JSON files of ours in a folder (in itself or in ``configs``)."""
    found = []
    for candidate in [*path.glob("*.json"), *path.glob("configs/*.json")]:
        try:
            content = schemas.read_json(candidate)
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and str(content.get("schema", "")).startswith("topogan."):
            found.append(str(content["schema"]).split("/")[0])
    return found
