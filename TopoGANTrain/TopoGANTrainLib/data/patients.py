"""The patients of the scene to learn from, as the panel's parameter node keeps them.

Of each there are a few words in a parameter, and node references under roles of its own: MRML carries those over when
a scene is saved, loaded or imported, where nodes get other IDs, and drops them when a node is removed. A role holds one
reference, because those behind a dropped one would move up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import slicer

ALL_PHASES = "all"
_PATIENTS, _SEGMENTS = "patients", "segments"
_MOST_PATIENTS = 9999
# Scenes of before had one patient, and ids of segments.
_BEFORE = ("volume", "segmentation", "segmentIds", "segmentId")


@dataclass(frozen=True)
class ScenePatient:
    """A scan with its segmentation, or several phases of it.

    Usage::

        ScenePatient(getNode("Segmentation"), getNode("CTACardio"))
        ScenePatient(getNode("Segmentations"), getNode("CTPCardioSeq"), phases="1-4, 7")
    """

    segmentation: slicer.vtkMRMLSegmentationNode | slicer.vtkMRMLSequenceNode | None = None
    """A segmentation, or a sequence of them; None while none is chosen."""
    volume: slicer.vtkMRMLScalarVolumeNode | slicer.vtkMRMLSequenceNode | None = None
    """The CT, or a sequence of its phases; None for masks alone."""
    phases: str = ALL_PHASES
    """Of sequences: ``"all"``, or numbers from 1 on, such as ``"1-4, 7"``."""
    number: int = 0
    """Rows of one number are of one patient; 0 is one of its own."""

    @property
    def nodes(self) -> list[slicer.vtkMRMLNode]:
        """Those that are chosen."""
        return [node for node in (self.volume, self.segmentation) if node is not None]


def numbered(patients: Iterable[ScenePatient]) -> list[int]:
    """The number of each: its own, or one that nobody has."""
    given = list(patients)
    taken = {one.number for one in given}
    numbers = []
    for one in given:
        number = one.number or next_number(taken)
        taken.add(number)
        numbers.append(number)
    return numbers


def next_number(taken: Iterable[int]) -> int:
    """The smallest from 1 on that is not taken."""
    known = set(taken)
    return next(number for number in range(1, len(known) + 2) if number not in known)


class PatientList:
    """Reads and writes the list of a parameter node.

    Usage::

        chosen = PatientList(parameters.parameterNode)
        chosen.patients = [*chosen.patients, ScenePatient(segmentation, volume, number=2)]
        chosen.segments = ["Blood", "Myocardium"]
    """

    def __init__(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        """Of a parameter node."""
        self.node = node

    @property
    def patients(self) -> list[ScenePatient]:
        """The rows; one for what a scene of before has chosen."""
        if not self.node.GetParameter(_PATIENTS):
            return self._patient_of_before()
        rows = _list_in(self.node.GetParameter(_PATIENTS))[:_MOST_PATIENTS]
        return [self._patient(index, row) for index, row in enumerate(rows)]

    @patients.setter
    def patients(self, patients: Sequence[ScenePatient]) -> None:
        segments = self.segments  # before what they may be read from is gone
        before = len(_list_in(self.node.GetParameter(_PATIENTS)))
        rows = [
            {"number": number, "phases": one.phases} for number, one in zip(numbered(patients), patients, strict=True)
        ]
        with slicer.util.NodeModify(self.node):
            self._forget_before()
            self.node.SetParameter(_PATIENTS, json.dumps(rows))
            self.node.SetParameter(_SEGMENTS, json.dumps(segments))
            for index, one in enumerate(patients):
                self._refer(_role(index, "volume"), one.volume)
                self._refer(_role(index, "segmentation"), one.segmentation)
            for index in range(len(patients), before):
                self._refer(_role(index, "volume"), None)
                self._refer(_role(index, "segmentation"), None)

    @property
    def segments(self) -> list[str]:
        """Names of the segments to learn, the same for all patients."""
        text = self.node.GetParameter(_SEGMENTS)
        if not text and not self.node.GetParameter(_PATIENTS):
            return self._segments_of_before()
        return [one for one in _list_in(text) if isinstance(one, str) and one]

    @segments.setter
    def segments(self, names: Sequence[str]) -> None:
        with slicer.util.NodeModify(self.node):
            if not self.node.GetParameter(_PATIENTS):
                self.patients = self.patients
            self.node.SetParameter(_SEGMENTS, json.dumps(list(names)))

    def _patient(self, index: int, row: Any) -> ScenePatient:
        words = row if isinstance(row, dict) else {}
        number, phases = words.get("number"), words.get("phases")
        return ScenePatient(
            self.node.GetNodeReference(_role(index, "segmentation")),
            self.node.GetNodeReference(_role(index, "volume")),
            phases if isinstance(phases, str) else ALL_PHASES,
            number if type(number) is int and 0 < number <= _MOST_PATIENTS else index + 1,
        )

    def _patient_of_before(self) -> list[ScenePatient]:
        segmentation = self.node.GetNodeReference("segmentation")
        if segmentation is None:
            return []
        return [ScenePatient(segmentation, self.node.GetNodeReference("volume"), number=1)]

    def _segments_of_before(self) -> list[str]:
        node = self.node.GetNodeReference("segmentation")
        if node is None:
            return []
        chosen = _list_in(self.node.GetParameter("segmentIds")) or [self.node.GetParameter("segmentId")]
        inner = node.GetSegmentation()
        return [inner.GetSegment(one).GetName() for one in inner.GetSegmentIDs() if one in chosen]

    def _forget_before(self) -> None:
        for name in _BEFORE:
            self.node.UnsetParameter(name)
            self._refer(name, None)

    def _refer(self, role: str, node: slicer.vtkMRMLNode | None) -> None:
        self.node.SetNodeReferenceID(role, None if node is None else node.GetID())


def _role(index: int, kind: str) -> str:
    return f"{_PATIENTS}.{index}.{kind}"


def _list_in(text: str) -> list[Any]:
    """What a parameter lists; nothing where somebody has written nonsense into it."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []
