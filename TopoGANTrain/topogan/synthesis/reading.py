"""Reading the stacks of a synthesis, which may come from a stranger."""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError
from topogan.volumes import Volume, open_volume


def read_stack(path: Path) -> Volume:
    """Read ``masks.nrrd`` or ``textures.nrrd``: whole numbers [sample, row, column].

    Raises:
        InputError: it is missing, damaged, or no such stack.
    """
    if not path.exists():
        raise InputError(f"{path} is missing: is {path.parent} a folder made by 'topogan synthesize'?")
    try:
        volumes = list(open_volume(path).volumes())
    except InputError as error:
        raise InputError(f"{path} cannot be read: it is damaged; synthesize again.") from error
    if len(volumes) != 1 or volumes[0].array.dtype.kind not in "iu":
        raise InputError(f"{path} is no stack of samples: synthesize again.")
    return volumes[0]
