"""The table of the scene's patients, with what belongs to the chosen row below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANLib.scene.voxels import InputError
from TopoGANTrainLib.data.patient_search import first_unlisted, fitting_patients
from TopoGANTrainLib.data.patient_verdicts import Verdicts
from TopoGANTrainLib.data.patients import ALL_PHASES, PatientList, ScenePatient
from TopoGANTrainLib.data.segments_list import SegmentsList
from TopoGANTrainLib.data.sequence_input import items_of, phases_in, segment_names

_PATIENT, _CT, _SEGMENTATION, _PHASES, _VERDICT = range(5)


class PatientsForm:
    """Keeps the table, the selectors below it and the list of the parameter node equal, whichever changes."""

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        """Nothing is listed yet.

        Args:
            ui: the form's widgets by name.
            changed: is called when a listed node, or a segment of it, has changed.
        """
        self._ui, self._changed = ui, changed
        self._list: PatientList | None = None
        self._showing = False
        self._shown: list[tuple[str, ...]] = []
        self._said = ""
        self._judge, self._verdicts = Verdicts(), list[str]()
        self._observed: list[tuple[slicer.vtkMRMLNode, list[int]]] = []
        self._leaving, self._sceneTag = "", 0
        self._segments = SegmentsList(ui.segmentsList, self._take_segments)
        self._set_up_table()
        self._connections = Connections()
        for sender, signal, slot in (
            (ui.patientsTable, "currentCellChanged(int,int,int,int)", self._choose_row),
            (ui.addFittingButton, "clicked()", self._add_fitting),
            (ui.addPatientButton, "clicked()", self._add),
            (ui.removePatientButton, "clicked()", self._remove),
            (ui.patientSpinBox, "valueChanged(int)", self._take_number),
            (ui.volumeSelector, "currentNodeChanged(vtkMRMLNode*)", self._take_volume),
            (ui.segmentationSelector, "currentNodeChanged(vtkMRMLNode*)", self._take_segmentation),
            (ui.phasesLineEdit, "textChanged(QString)", self._take_phases),
        ):
            self._connections.add(sender, signal, slot)

    @property
    def patients(self) -> list[ScenePatient]:
        """The rows."""
        return [] if self._list is None else self._list.patients

    @property
    def segments(self) -> list[str]:
        """Names of the chosen segments, in the order of the first segmentation that has them."""
        if self._list is None:
            return []
        chosen, known = self._list.segments, segment_names(self._list.patients)
        return [name for name in known if name in chosen] + [name for name in chosen if name not in known]

    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing is."""
        if not self.patients:
            return _("Add the patients to learn from: all that fit, or one by one.")
        if not self.segments:
            return _("Choose the segments to learn.")
        return next(filter(None, self._verdicts), "")

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._list = None if parameters is None else PatientList(parameters.parameterNode)
        self._said = ""
        if parameters is None:
            self._observe([])
        self._observe_scene(parameters is not None)

    def refresh(self) -> None:
        """Show what the list says."""
        if self._showing or self._list is None:
            return
        patients, segments = self.patients, self.segments
        self._verdicts = self._judge.of(patients, segments)
        self._observe(node for one in patients for node in one.nodes)
        self._leaving = ""
        self._showing = True
        try:
            self._show_table(patients, segments)
            self._segments.show(segment_names(patients), segments)
            self._show_row(patients)
        finally:
            self._showing = False

    def close(self) -> None:
        """Let go of the widgets and the nodes."""
        self._connections.close()
        self._segments.close()
        self._observe([])
        self._observe_scene(False)
        self._list = None

    def _set_up_table(self) -> None:
        table = self._ui.patientsTable
        # "Segmentation" needs more room than two columns of names leave each other with letters of 12 points.
        titles = [_("Patient"), _("CT"), _("Segm."), _("Phases"), ""]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        table.horizontalHeaderItem(_SEGMENTATION).setToolTip(_("Segmentation"))
        header = table.horizontalHeader()
        header.setTextElideMode(qt.Qt.ElideRight)
        header.setMinimumSectionSize(1)
        for column in range(len(titles)):
            stretched = column in (_CT, _SEGMENTATION)
            header.setSectionResizeMode(
                column, qt.QHeaderView.Stretch if stretched else qt.QHeaderView.ResizeToContents
            )

    def _show_table(self, patients: list[ScenePatient], segments: list[str]) -> None:
        table = self._ui.patientsTable
        rows = [(*_cells(one), _tip(one, segments, why)) for one, why in zip(patients, self._verdicts, strict=True)]
        rows = [(*row, "✗" if why else "✓") for row, why in zip(rows, self._verdicts, strict=True)]
        if rows == self._shown:
            return
        row = max(0, table.currentRow())
        table.setRowCount(len(rows))
        for index, (number, volume, segmentation, phases, tip, verdict) in enumerate(rows):
            for column, text in enumerate((number, volume, segmentation, phases, verdict)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(tip)
                table.setItem(index, column, item)
        table.resizeRowsToContents()
        if rows:
            table.setCurrentCell(min(row, len(rows) - 1), _PATIENT)
        self._shown = rows

    def _show_row(self, patients: list[ScenePatient]) -> None:
        ui, row = self._ui, self._row()
        ui.patientInputs.visible = row is not None
        ui.removePatientButton.enabled = row is not None
        words = "" if row is None else self._verdicts[row]
        ui.patientsLabel.text = words or self._said
        ui.patientsLabel.visible = bool(ui.patientsLabel.text)
        ui.sharedInputs.visible = bool(patients)
        if row is None:
            return
        one = patients[row]
        ui.patientSpinBox.value = one.number
        for selector, node in ((ui.volumeSelector, one.volume), (ui.segmentationSelector, one.segmentation)):
            if selector.currentNode() is not node:
                selector.setCurrentNode(node)
        if ui.phasesLineEdit.text != one.phases:
            ui.phasesLineEdit.text = one.phases
        has_phases = any(node.IsA("vtkMRMLSequenceNode") for node in one.nodes)
        ui.phasesLineEdit.visible = ui.phasesLineEditLabel.visible = has_phases

    def _row(self) -> int | None:
        row = self._ui.patientsTable.currentRow()
        return row if 0 <= row < len(self.patients) else None

    def _choose_row(self) -> None:
        if not self._showing:
            self._said = ""
            self.refresh()

    def _add_fitting(self) -> None:
        if self._list is None:
            return
        found = fitting_patients(slicer.mrmlScene, self.patients)
        said = (
            _("Added: {count}.").format(count=len(found))
            if found
            else _("No CT was found whose segmentation is known and not listed yet: press Add, and choose them.")
        )
        self._write([*self.patients, *found], said)

    def _add(self) -> None:
        if self._list is None:
            return
        patients = self.patients
        self._write([*patients, first_unlisted(slicer.mrmlScene, patients)])
        self._ui.patientsTable.setCurrentCell(len(patients), _PATIENT)

    def _remove(self) -> None:
        row = self._row()
        if row is not None:
            patients = self.patients
            self._write(patients[:row] + patients[row + 1 :])

    def _take_number(self, number: int) -> None:
        self._change(number=number)

    def _take_volume(self, node: Any) -> None:
        self._change(volume=node)

    def _take_segmentation(self, node: Any) -> None:
        self._change(segmentation=node)

    def _take_phases(self, text: str) -> None:
        self._change(phases=text)

    def _take_segments(self, names: list[str]) -> None:
        if self._list is not None and not self._showing:
            self._list.segments = names

    def _change(self, **what: Any) -> None:
        row = None if self._showing or self._list is None else self._row()
        if row is None:
            return
        patients = self.patients
        # A selector whose node leaves the scene goes to a neighbor, which is nobody's choice.
        if self._leaving in [node.GetID() for node in patients[row].nodes]:
            return
        patients[row] = replace(patients[row], **what)
        self._write(patients)

    def _write(self, patients: list[ScenePatient], said: str = "") -> None:
        """Keep the rows; one segment is the usual case, and chosen where none of the chosen ones is in any row."""
        assert self._list is not None
        self._said = said
        known, chosen = segment_names(patients), self._list.segments
        with slicer.util.NodeModify(self._list.node):
            self._list.patients = patients
            if known and not set(known) & set(chosen):
                self._list.segments = known[:1]
        self.refresh()

    def _observe_scene(self, wanted: bool) -> None:
        scene = slicer.mrmlScene
        if self._sceneTag:
            scene.RemoveObserver(self._sceneTag)
        # Before the selectors hear of it: their models observe the scene with a lower priority.
        self._sceneTag = scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._node_leaves) if wanted else 0

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _node_leaves(self, caller: Any, event: Any, node: Any) -> None:
        self._leaving = node.GetID()

    def _observe(self, nodes: Iterable[slicer.vtkMRMLNode]) -> None:
        """The parameter node says when a listed node is gone, but not when one is renamed, moved or drawn on."""
        wanted = list(nodes)
        if [node for node, _tags in self._observed] == wanted:
            return
        for node, tags in self._observed:
            for tag in tags:
                node.RemoveObserver(tag)
        self._observed = [
            (node, [node.AddObserver(event, self._node_changed) for event in _events(node)]) for node in wanted
        ]

    def _node_changed(self, caller: Any, event: Any) -> None:
        self._changed()


def _events(node: slicer.vtkMRMLNode) -> list[int]:
    events = [vtk.vtkCommand.ModifiedEvent]
    if node.IsA("vtkMRMLTransformableNode"):
        events.append(slicer.vtkMRMLTransformableNode.TransformModifiedEvent)
    if node.IsA("vtkMRMLSegmentationNode"):
        kind = slicer.vtkSegmentation
        events += [kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified, kind.SourceRepresentationModified]
    return events


def _cells(one: ScenePatient) -> tuple[str, str, str, str]:
    volume, segmentation = ("–" if node is None else node.GetName() for node in (one.volume, one.segmentation))
    return str(one.number), volume, segmentation, _phases(one)


def _phases(one: ScenePatient) -> str:
    """How many are learned from: ``"1"``, ``"4"``, ``"2 of 4"``."""
    count = len(items_of(one.volume) or items_of(one.segmentation))
    try:
        chosen = len(phases_in(one.phases, count))
    except InputError:
        return "?"
    return str(count) if chosen == count else _("{chosen} of {count}").format(chosen=chosen, count=count)


def _tip(one: ScenePatient, segments: list[str], refusal: str) -> str:
    number, volume, segmentation, phases = _cells(one)
    lines = [
        _("Patient {number}").format(number=number),
        _("CT: {name}").format(name=volume),
        _("Segmentation: {name}").format(name=segmentation),
        _("Segments: {names}").format(names=", ".join(segments)),
        _("Phases: {phases} ({count})").format(phases=one.phases.strip() or ALL_PHASES, count=phases),
    ]
    return "\n".join([*lines, refusal] if refusal else lines)
