"""The part of the panel in which samples are kept and exported."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from topogan_contract.service import FINISHED, RUNNING
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANSynthLib.job.job_runner import JobRunner
from TopoGANSynthLib.keep.exporting import export_job

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes


class ExportSamples(enum.Enum):
    """Which samples are exported; a scene stores the names."""

    kept = "kept"
    fitting = "fitting"
    all = "all"

    def label(self) -> str:
        """What the user reads."""
        return {
            "kept": _("Kept samples"),
            "fitting": _("All with the asked topology"),
            "all": _("All samples"),
        }[self.value]


class ExportLayout(enum.Enum):
    """How they are written; a scene stores the names, which are the engine's."""

    nnunet = "nnunet"
    nifti = "nifti"
    nrrd = "nrrd"
    png = "png"
    dicom = "dicom"

    def label(self) -> str:
        """What the user reads."""
        return {"nnunet": "nnU-Net", "nifti": "NIfTI", "nrrd": "NRRD", "png": "PNG", "dicom": "DICOM"}[self.value]


class KeepForm:
    """Works with the widgets of ``TopoGANSynthExport.ui``."""

    def __init__(
        self,
        ui: Any,
        engine: EnginePanel,
        chosen: Callable[[], SynthesisNodes | None],
        source: Callable[[SynthesisNodes], Path | None],
    ) -> None:
        """Show the user's own settings.

        Args:
            ui: the forms' widgets by name.
            engine: tells which Python runs the engine, and whether it can.
            chosen: the synthesis that is looked at.
            source: the engine's files of a synthesis, if they are still there.
        """
        self._ui, self._engine, self._chosen, self._source = ui, engine, chosen, source
        self._parameters: Any = None
        self._showing = False
        self._runner = JobRunner(self.refresh)
        self._writes = 0
        before = user_settings.read_text(user_settings.EXPORT_FOLDER) or str(user_settings.results_folder())
        self._folder = PathLine(ui.exportPathLineEdit, self._choose_folder, before)
        self._connections = Connections()
        add = self._connections.add
        add(ui.keepCheckBox, "toggled(bool)", self._keep)
        add(ui.exportButton, "clicked()", self._export_or_cancel)
        # After the part that shows the sample.
        add(ui.sampleSlider, "valueChanged(double)", self.refresh)
        add(ui.synthesisComboBox, "currentIndexChanged(int)", self.refresh)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what is so now."""
        ui, nodes, running = self._ui, self._chosen(), self._runner.isRunning
        # Not the collapsed button itself: CTK shows what is in one that was shown before its window was.
        ui.TopoGANSynthExport.visible = nodes is not None or running
        self._show_kept(nodes)
        reason = self._reason(nodes)
        for widget in (ui.exportSamplesComboBox, ui.exportLayoutComboBox, ui.exportPathLineEdit):
            widget.enabled = not running
        start, does, drops = _("Export"), _("Write the samples in the background."), _("Drop this export.")
        self._runner.offer(ui.exportButton, ui.exportReasonLabel, reason, start, does, drops)
        self._show_state()

    def close(self) -> None:
        """Let go of everything; what is being written is dropped."""
        self._connections.close()
        self._folder.close()
        self._runner.close()

    def _show_state(self) -> None:
        job = self._runner.job
        words = {RUNNING: _("Writing {count} …").format(count=_samples(self._writes))}
        if job is not None and job.result is not None:
            sentence = _("Exported {count} to {folder}.")
            done = sentence.format(count=_samples(self._writes), folder=job.result.folder)
            words[FINISHED] = f"{done} {job.result.privacy}".rstrip()
        self._runner.show(self._ui.exportProgressBar, self._ui.exportStatusLabel, words)

    def _show_kept(self, nodes: SynthesisNodes | None) -> None:
        if nodes is None:
            return
        from TopoGANLib.scene.kept import kept_samples

        kept = kept_samples(nodes)
        self._showing = True
        self._ui.keepCheckBox.checked = nodes.chosen_sample in kept
        self._showing = False
        self._ui.keptLabel.text = _("Kept: {kept} of {count}.").format(kept=len(kept), count=nodes.count)

    def _keep(self) -> None:
        nodes = self._chosen()
        if self._showing or nodes is None:
            return
        from TopoGANLib.scene.kept import keep_sample

        keep_sample(nodes, nodes.chosen_sample, self._ui.keepCheckBox.checked)
        self.refresh()

    def _choose_folder(self) -> None:
        user_settings.write(user_settings.EXPORT_FOLDER, self._folder.text)
        self.refresh()

    def _numbers(self, nodes: SynthesisNodes) -> list[int]:
        """Which samples are asked for."""
        from TopoGANLib.scene.kept import fitting_samples, kept_samples

        choice = self._parameters.exportSamples
        if choice is ExportSamples.all:
            return list(range(nodes.count))
        return kept_samples(nodes) if choice is ExportSamples.kept else fitting_samples(nodes)

    def _reason(self, nodes: SynthesisNodes | None) -> str:
        """Why nothing can be exported now, in words; empty if it can."""
        if self._parameters is None or nodes is None:
            return _("There is no synthesis in this scene.")
        if self._engine.not_ready:
            return self._engine.not_ready
        if self._source(nodes) is None:
            return _("Generate these samples again to export them: their files are kept for one session only.")
        return self._reason_of_choice(nodes)

    def _reason_of_choice(self, nodes: SynthesisNodes) -> str:
        if self._folder.path is None:
            return _("Choose a folder for the exports.")
        if not self._numbers(nodes):
            if self._parameters.exportSamples is ExportSamples.kept:
                return _("No sample is kept: tick some, or export all.")
            return _("No sample has the asked topology: keep some by hand, or export all.")
        return ""

    def _export_or_cancel(self) -> None:
        if self._runner.isRunning:
            self._runner.cancel()
            return
        nodes, folder = self._chosen(), self._folder.path
        source = None if nodes is None else self._source(nodes)
        if nodes is None or source is None or folder is None or self._reason(nodes):
            return
        numbers, layout = self._numbers(nodes), self._parameters.exportLayout.name
        self._writes = len(numbers)
        out = user_settings.new_folder(folder.absolute(), f"{nodes.regions[0]}-{layout}")
        self._folder.remember()
        chosen = None if len(numbers) == nodes.count else numbers
        self._runner.start(export_job(self._engine.engine, source, out, layout, chosen))


def _samples(count: int) -> str:
    return _("1 sample") if count == 1 else _("{count} samples").format(count=count)


def export_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters of an export."""
    return {
        "exportSamples": (ExportSamples, ExportSamples.kept),
        "exportLayout": (ExportLayout, ExportLayout.nnunet),
    }
