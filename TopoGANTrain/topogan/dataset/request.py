"""A preparation that another program asks for, in a folder: ``request.json``, and ``stop`` when it is to end."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from topogan.config import Part, PrepareSettings, Settings, TrainSettings, validated
from topogan.dataset.case_table import read_cases
from topogan.dataset.prepare import prepare
from topogan.dataset.volume_list import Volumes
from topogan.errors import InputError
from topogan.files import read_json
from topogan.plane import plane_of
from topogan.presets import asked_batch, check_form
from topogan.structures import checked_table
from topogan.training_set import MINIMUM_TRAIN_SLICES
from topogan_contract import schemas
from topogan_contract.lock import RunLock
from topogan_contract.preparation import LOCK_FILE, REQUEST_FILE, STOP_FILE

_MOST_VOLUMES, _MOST_SOURCES = 100_000, 10_000
# Fewer say nothing of how they vary.
_LEAST_REFERENCE = 2


def _absolute(path: Path) -> Path:
    if not path.is_absolute() or b"\0" in os.fsencode(path):
        raise ValueError("it should be an absolute path")
    return path


_Absolute = Annotated[Path, AfterValidator(_absolute)]
_Paths = Annotated[tuple[_Absolute, ...], Field(max_length=_MOST_VOLUMES)]


class Source(Settings):
    """Files and folders of one patient or of many, or a table of cases."""

    segmentations: _Paths = ()
    images: _Paths = ()
    patient: Annotated[str, Field(max_length=200)] = ""
    """Whose they are; empty: each volume is of a patient of its own."""
    plane: Any = "axial"
    """``"axial"``, a 4×4 SliceToRAS matrix, or one for each volume."""
    cases: _Absolute | None = None

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Source:
        if not self.segmentations and self.cases is None:
            raise ValueError("it should name segmentations, or a table of cases")
        if self.cases is not None and len(self.model_fields_set) > 1:
            raise ValueError("it should name nothing else beside a table of cases")
        return self


class PrepareRequest(Settings):
    """What is to be prepared: ``request.json`` beside its schema."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=_MOST_SOURCES)]
    settings: PrepareSettings = PrepareSettings()
    table: Any = None
    """Several structures (see :class:`topogan.structures.StructureTable`); None: the one that ``settings`` name."""
    temporary: bool = False
    """Whether the folder goes when the preparation is over: a panel may be gone, and its copy of patient data not."""


def prepare_as_requested(
    folder: Path,
    out: Path,
    training: TrainSettings | None,
    on_event: Callable[[dict[str, Any]], None],
    check: Callable[[], None] = lambda: None,
    reference: bool = False,
) -> None:
    """Prepare a training set that a request asks for.

    Args:
        folder: holds ``request.json``; a file ``stop`` in it ends the preparation.
        out: training set to write.
        training: settings of the training that follows, if one does: what it could not use is refused before any work.
        on_event: takes progress events.
        check: is called before any work; raises where that would be in vain.
        reference: samples are compared with the set, and nothing learns from it: see :func:`topogan.dataset.prepare`;
            few slices suffice.

    Raises:
        InputError: the request or an input cannot be used.
        Cancelled: there is a file ``stop``.
    """
    content = read_json(folder / REQUEST_FILE, schemas.PREPARE_REQUEST)
    if content.get("temporary") is not True:
        check()
        _prepare(folder, content, out, training, on_event, reference)
        return
    with _taken_over(folder):
        check()
        _prepare(folder, content, out, training, on_event, reference)


@contextmanager
def _taken_over(folder: Path) -> Iterator[None]:
    """Keep others from removing a temporary folder while it is worked on, and remove it afterwards."""
    lock = RunLock(folder / LOCK_FILE)
    # Where it cannot be locked, nobody else removes it either.
    with suppress(OSError):
        if lock.acquire():
            (folder / REQUEST_FILE).unlink()
    try:
        yield
    finally:
        lock.release()  # Windows removes no file that is open
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(
    folder: Path,
    content: dict[str, Any],
    out: Path,
    training: TrainSettings | None,
    on_event: Callable[[dict[str, Any]], None],
    reference: bool,
) -> None:
    path = folder / REQUEST_FILE
    request = validated(PrepareRequest, {name: value for name, value in content.items() if name != "schema"})
    table = checked_table(request.table, f"in {path} ") if request.table is not None else None
    if training is not None:
        check_form(training, request.settings.axes)
    volumes = Volumes.joined([_volumes_of(source, path) for source in request.sources])
    if training is not None and not volumes.images and training.part is not Part.MASKS:
        raise InputError("Without images there are no textures to learn: choose the part masks.")
    least = max(MINIMUM_TRAIN_SLICES, asked_batch(training) if training is not None else 0)
    prepare(
        out,
        volumes.segmentations,
        volumes.images,
        request.settings,
        volumes.patients,
        volumes.planes,
        table=table,
        on_event=on_event,
        train_slices=_LEAST_REFERENCE if reference else least,
        reference=reference,
        cancelled=(folder / STOP_FILE).exists,
    )


def _volumes_of(source: Source, path: Path) -> Volumes:
    if source.cases is not None:
        return read_cases(source.cases)
    patient = ("of a source", source.patient) if source.patient else None
    return Volumes.of_files(source.segmentations, source.images, patient, plane_of(source.plane, path))
