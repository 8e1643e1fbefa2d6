"""Why a row of patients cannot be used, and what is read of those that can."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import slicer

from topogan_contract.words import shown
from TopoGANLib.scene.own import own_nodes
from TopoGANLib.scene.scene_input import SceneInput, read_scene_input
from TopoGANLib.scene.voxels import InputError, check_image, check_segment
from TopoGANLib.words import tr as _
from TopoGANTrainLib.data.patients import ScenePatient, numbered
from TopoGANTrainLib.data.sequence_input import PatientInput, Phase, chosen_phases, names_in, told, words_of


class Verdicts:
    """Looks at all rows; of voxels it looks only at those that have changed since the last time.

    Usage::

        reasons = Verdicts().of(patients, ["Blood"])
    """

    def __init__(self) -> None:
        self._filled: set[tuple[int, int]] = set()

    def of(self, patients: Sequence[ScenePatient], segments: Sequence[str]) -> list[str]:
        """One sentence for each row on why it cannot be used, and what to do; empty where it can.

        Args:
            patients: the rows.
            segments: names of what is learned.
        """
        before, self._filled = self._filled, set()
        own = own_nodes(slicer.mrmlScene)
        have_volumes = any(one.volume is not None for one in patients)
        found = []
        for index, (number, one) in enumerate(zip(numbered(patients), patients, strict=True)):
            who = _("Patient {number}").format(number=number)
            try:
                phases = chosen_phases(one, who)
                for node in one.nodes:
                    if node.GetID() in own:
                        raise InputError(
                            _(
                                "{who}: {node} is no patient's but came of a model or a comparison: choose another."
                            ).format(who=who, node=shown(node.GetName()))
                        )
                if any(one.segmentation is other.segmentation for other in patients[:index]):
                    raise InputError(
                        _("{who}: the segmentation is in a row above, too: choose another, or remove the row.").format(
                            who=who
                        )
                    )
                if any(
                    one.volume is other.volume is not None and one.number != other.number for other in patients[:index]
                ):
                    raise InputError(
                        _("{who}: the CT is another patient's in a row above: give both rows one number.").format(
                            who=who
                        )
                    )
                if one.volume is None and have_volumes:
                    raise InputError(_("{who} has no CT, but others have: choose it, or none for all.").format(who=who))
                for phase, words in zip(phases, words_of(who, phases), strict=True):
                    self._check(phase, segments, words, before)
            except InputError as refusal:
                found.append(str(refusal))
            else:
                found.append("")
        return found

    def _check(self, phase: Phase, names: Sequence[str], who: str, before: set[tuple[int, int]]) -> None:
        if phase.volume is not None:
            told(who, partial(check_image, phase.volume))
        there = names_in(phase.segmentation)
        inner = phase.segmentation.GetSegmentation()
        for name in names:
            if name not in there:
                raise InputError(
                    _("{who} has no {name}: choose another segmentation, or remove the row.").format(who=who, name=name)
                )
            if there.count(name) > 1:
                raise InputError(
                    _("{who}: two of the segments are named {name}: rename one.").format(who=who, name=name)
                )
            segment = inner.GetSegment(inner.GetSegmentIdBySegmentName(name))
            key = _state(segment)
            if key not in before:
                told(who, partial(check_segment, segment))
            self._filled.add(key)


def read_patients(patients: Sequence[ScenePatient], segments: Sequence[str]) -> list[PatientInput]:
    """Look at all phases of all patients.

    Args:
        patients: the rows.
        segments: names of what is learned; where two overlap, the earlier one wins.

    Raises:
        InputError: one sentence on what cannot be used, and what to do.
    """
    inputs = []
    for number, one, refusal in zip(numbered(patients), patients, Verdicts().of(patients, segments), strict=True):
        if refusal:
            raise InputError(refusal)
        phases = chosen_phases(one)
        words = words_of(_("Patient {number}").format(number=number), phases)
        read = [told(word, partial(_read, phase, segments)) for word, phase in zip(words, phases, strict=True)]
        inputs.append(PatientInput(number, tuple(read), tuple(words)))
    return inputs


def _read(phase: Phase, segments: Sequence[str]) -> SceneInput:
    inner = phase.segmentation.GetSegmentation()
    identifiers = [inner.GetSegmentIdBySegmentName(name) for name in segments]
    return read_scene_input(phase.volume, phase.segmentation, identifiers)


def _state(segment: slicer.vtkSegment) -> tuple[int, int]:
    """A number that no other labelmap has or will have, VTK's time of its last change, and the segment's value."""
    labelmap = segment.GetRepresentation(
        slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    )
    return 0 if labelmap is None else labelmap.GetMTime(), int(segment.GetLabelValue())
