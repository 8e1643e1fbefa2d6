"""A preparation that another program asks for, in a folder: ``request.json``, and ``stop`` when it is to end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from topogan.config import Part, PrepareSettings, Settings, TrainSettings, validated
from topogan.dataset.prepare import prepare
from topogan.errors import InputError
from topogan.files import read_json
from topogan.plane import plane_of
from topogan.presets import asked_batch, check_form
from topogan.structures import checked_table
from topogan.training_set import MINIMUM_TRAIN_SLICES
from topogan.volumes import find_pairs
from topogan_contract import schemas
from topogan_contract.preparation import REQUEST_FILE, STOP_FILE

_MOST_VOLUMES = 100_000


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or b"\0" in os.fsencode(path):
        raise ValueError("it should be an absolute path")
    return path


_Paths = Annotated[tuple[Annotated[Path, AfterValidator(_absolute)], ...], Field(max_length=_MOST_VOLUMES)]


class PrepareRequest(Settings):
    """What is to be prepared: ``request.json`` beside its schema."""

    segmentations: _Paths
    images: _Paths = ()
    plane: Any = "axial"
    """``"axial"``, a 4×4 SliceToRAS matrix, or one for each volume."""
    settings: PrepareSettings = PrepareSettings()
    table: Any = None
    """Several structures (see :class:`topogan.structures.StructureTable`); None: the one that ``settings`` name."""
    temporary: bool = False
    """Whether the folder goes when the preparation is over: a panel may be gone, and its copy of patient data not."""


def prepare_as_requested(
    folder: Path, out: Path, training: TrainSettings, on_event: Callable[[dict[str, Any]], None]
) -> None:
    """Prepare a training set for a training that follows.

    Args:
        folder: holds ``request.json``; a file ``stop`` in it ends the preparation.
        out: training set to write.
        training: settings of the training: what it could not use is refused before any work.
        on_event: takes progress events.

    Raises:
        InputError: the request or an input cannot be used.
        Cancelled: there is a file ``stop``.
    """
    content = read_json(folder / REQUEST_FILE, schemas.PREPARE_REQUEST)
    request = validated(PrepareRequest, {name: value for name, value in content.items() if name != "schema"})
    table = checked_table(request.table, f"in {folder / REQUEST_FILE} ") if request.table is not None else None
    if not request.images and training.part is not Part.MASKS:
        raise InputError("Without images there are no textures to learn: choose the part masks.")
    check_form(training, request.settings.axes)
    plane = plane_of(request.plane, folder / REQUEST_FILE)
    segmentations, images = find_pairs(request.segmentations, request.images)
    try:
        prepare(
            out,
            segmentations,
            images,
            request.settings,
            plane=plane,
            table=table,
            on_event=on_event,
            train_slices=max(MINIMUM_TRAIN_SLICES, asked_batch(training)),
            cancelled=(folder / STOP_FILE).exists,
        )
    finally:
        if request.temporary:
            shutil.rmtree(folder, ignore_errors=True)
