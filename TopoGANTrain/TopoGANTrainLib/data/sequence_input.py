"""The phases of the scene's patients: which there are, what cannot be used, and their files for the engine.

As in :mod:`TopoGANLib.scene.scene_input`, looking is done on the application's thread and copies nothing, and writing
on another, phase by phase: of all that is written, the label map of one phase is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import slicer

from TopoGANLib.scene.scene_input import SceneInput
from TopoGANLib.scene.voxels import InputError
from TopoGANLib.words import tr as _
from TopoGANTrainLib.data.patients import ALL_PHASES, ScenePatient

Result = TypeVar("Result")


class Phase(NamedTuple):
    """One time point."""

    number: int
    """From 1 on."""
    volume: slicer.vtkMRMLScalarVolumeNode | None
    segmentation: slicer.vtkMRMLSegmentationNode


@dataclass(frozen=True)
class PatientInput:
    """All that is learned of one row."""

    number: int
    phases: tuple[SceneInput, ...]
    words: tuple[str, ...]
    """What each phase is called in a complaint: ``"Patient 2, phase 3"``."""


def items_of(node: slicer.vtkMRMLNode | None) -> list[slicer.vtkMRMLNode]:
    """The nodes of a sequence in their order, or the node alone."""
    if node is None:
        return []
    if not node.IsA("vtkMRMLSequenceNode"):
        return [node]
    return [node.GetNthDataNode(number) for number in range(node.GetNumberOfDataNodes())]


def phases_in(text: str, count: int) -> list[int]:
    """Read ``1-4, 7``, or ``all``; the phases from 0 on, each once and in their order.

    Raises:
        InputError: it is none of these, or there are not so many.
    """
    if text.strip().lower() in ("", ALL_PHASES):
        return list(range(count))
    chosen: set[int] = set()
    for word in filter(None, map(str.strip, text.split(","))):
        first, dash, last = (part.strip() for part in word.partition("-"))
        ends = [first, last] if dash else [first]
        if not all(end.isascii() and end.isdecimal() for end in ends):
            raise InputError(
                _("Phases: {word} is no number of a phase: write all, or numbers such as 1-4, 7.").format(
                    word=repr(word)
                )
            )
        low, high = _number(ends[0]), _number(ends[-1])
        if not 1 <= low <= high <= count:
            raise InputError(
                _("Phases: {word} is not within 1 to {count}: choose among the phases that there are.").format(
                    word=repr(word), count=count
                )
            )
        chosen.update(range(low - 1, high))
    if not chosen:
        raise InputError(_("Phases: no phase is named: write all, or numbers such as 1-4, 7."))
    return sorted(chosen)


def chosen_phases(patient: ScenePatient, who: str = "The patient") -> list[Phase]:
    """The phases to learn from, CT and segmentation in pairs.

    The segmentations are as many as the CT has phases, or as many as are chosen of these.

    Args:
        patient: the row.
        who: the patient's name in a complaint.

    Raises:
        InputError: one sentence on what cannot be used, and what to do.
    """
    if patient.segmentation is None:
        raise InputError(_("{who} has no segmentation: choose one, or remove the row.").format(who=who))
    segmentations = _only(patient.segmentation, "vtkMRMLSegmentationNode", who, _("segmentations"))
    volumes = _only(patient.volume, "vtkMRMLScalarVolumeNode", who, _("volumes"))
    for node, kind in ((patient.volume, _("CT")), (patient.segmentation, _("segmentation"))):
        if node is not None and node.IsA("vtkMRMLTransformableNode") and node.GetParentTransformNode() is not None:
            raise InputError(
                _("{who}: the {kind} is moved by a transform: harden it in the Data module.").format(who=who, kind=kind)
            )
    try:
        phases = phases_in(patient.phases, len(volumes or segmentations))
    except InputError as refusal:
        raise InputError(_("{who}: {why}").format(who=who, why=str(refusal))) from None
    if not volumes:
        return [Phase(index + 1, None, segmentations[index]) for index in phases]
    if len(segmentations) == len(volumes):
        return [Phase(index + 1, volumes[index], segmentations[index]) for index in phases]
    if len(segmentations) == len(phases):
        return [Phase(index + 1, volumes[index], one) for index, one in zip(phases, segmentations, strict=True)]
    raise InputError(
        _(
            "{who}: the CT has {volumes}, the segmentation {segmentations}: choose sequences of equal "
            "length, or the phases that are segmented."
        ).format(who=who, volumes=_counted(len(volumes)), segmentations=len(segmentations))
    )


def segment_names(patients: Iterable[ScenePatient]) -> list[str]:
    """Names of all segments of all rows, in the order of the first that has them."""
    names: dict[str, None] = {}
    for one in patients:
        for node in items_of(one.segmentation)[:1]:
            if node.IsA("vtkMRMLSegmentationNode"):
                names.update(dict.fromkeys(names_in(node)))
    return list(names)


def names_in(segmentation: slicer.vtkMRMLSegmentationNode) -> list[str]:
    """Names of the segments in their order."""
    inner = segmentation.GetSegmentation()
    return [inner.GetSegment(one).GetName() for one in inner.GetSegmentIDs()]


def words_of(who: str, phases: Sequence[Phase]) -> list[str]:
    """What each phase is called in a complaint: ``"Patient 2, phase 3"``."""
    return [
        _("{who}, phase {number}").format(who=who, number=phase.number) if len(phases) > 1 else who for phase in phases
    ]


def told(who: str, work: Callable[[], Result]) -> Result:
    """Do something, and begin a complaint with whom it is about."""
    try:
        return work()
    except InputError as refusal:
        raise InputError(_("{who}: {why}").format(who=who, why=str(refusal))) from None


def write_patients(
    inputs: Sequence[PatientInput], folder: Path, labels: Sequence[int], plane: str | list[list[float]]
) -> tuple[list[dict[str, Any]], str]:
    """Write the files of all phases.

    Args:
        inputs: of :func:`TopoGANTrainLib.data.patient_verdicts.read_patients`.
        folder: where they go; it need not be there.
        labels: of each structure, in their order.
        plane: of the patches, as :mod:`topogan_contract.preparation` says.

    Returns:
        ``sources`` as :mod:`topogan_contract.preparation` says, and a sentence on what overlaps, empty if nothing does.

    Raises:
        InputError: a segment is empty, or lies under others with all its voxels.
        OSError: the folder cannot be written.
    """
    sources: dict[int, dict[str, Any]] = {}
    overlaps: dict[str, int] = {}
    for one in inputs:
        name = f"p{list(dict.fromkeys(other.number for other in inputs)).index(one.number) + 1}"
        empty: dict[str, Any] = {"segmentations": [], "images": [], "patient": name, "plane": plane}
        source = sources.setdefault(one.number, empty)
        for phase, word in zip(one.phases, one.words, strict=True):
            stem = f"{name}-{len(source['segmentations']) + 1:03}"
            written = told(word, partial(phase.write, folder, stem, labels))
            if written.image is not None:
                source["images"].append(str(written.image.absolute()))
            source["segmentations"].append(str(written.segmentation.absolute()))
            for structure, count in written.overlaps.items():
                overlaps[structure] = overlaps.get(structure, 0) + count
    counted = ", ".join(f"{structure} {count:,}" for structure, count in overlaps.items())
    said = _("Voxels that fall to a structure above it: {counted}.").format(counted=counted)
    return list(sources.values()), said if counted else ""


def _only(node: slicer.vtkMRMLNode | None, kind: str, who: str, words: str) -> list[Any]:
    items = items_of(node)
    if node is not None and not items:
        raise InputError(_("{who}: the sequence of {words} is empty: choose another.").format(who=who, words=words))
    if not all(one is not None and one.IsA(kind) for one in items):
        raise InputError(
            _("{who}: what is chosen holds other data than {words}: choose another.").format(who=who, words=words)
        )
    return items


def _counted(count: int) -> str:
    return _("1 phase") if count == 1 else _("{count} phases").format(count=count)


def _number(digits: str) -> int:
    """Python refuses thousands of digits; no sequence has a million phases."""
    return int(digits) if len(digits) < 7 else 10**7
