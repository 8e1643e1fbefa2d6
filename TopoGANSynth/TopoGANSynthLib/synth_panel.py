"""The synthesis panel: reads what the user has chosen, asks for samples, and shows them one by one."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange

from topogan_contract.service import CANCELLED, FINISHED, RUNNING, WAITING
from topogan_contract.words import shown
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.widgets import describe_widgets
from TopoGANSynthLib.compare_form import CompareForm, compare_parameters
from TopoGANSynthLib.keep_form import KeepForm, export_parameters
from TopoGANSynthLib.model_card import ModelCard, read_model_card
from TopoGANSynthLib.paint_form import PaintForm, paint_parameters
from TopoGANSynthLib.result_view import ResultView
from TopoGANSynthLib.synth_logic import READING, Progress, SynthLogic

DEMO_MODEL = Path(__file__).resolve().parents[1] / "Resources" / "Models" / "phantom.zip"
"""Comes with the module, so that it does something on first opening; made by Resources/Docs/make_demo_model.py."""

FORMS = ("TopoGANSynthCompare", "TopoGANSynthPaint", "TopoGANSynthExport")
"""Files of the parts below the first, in their order."""

# Two dozen structures with their shares.
_LONGEST_SUMMARY = 2000


class Topology(enum.Enum):
    """Which samples are kept; a scene stores the names."""

    any = "any"
    real = "real"
    modal = "modal"
    given = "given"

    def label(self) -> str:
        """What the user reads."""
        return {
            "any": _("Any"),
            "real": _("As real samples show"),
            "modal": _("The most frequent real one"),
            "given": _("Given pieces and holes"),
        }[self.value]


class SynthPanel:
    """Works with the widgets of ``TopoGANSynth.ui``."""

    def __init__(self, ui: Any, logic: SynthLogic, engine: EnginePanel) -> None:
        """Show the user's own settings.

        Args:
            ui: the form's widgets by name.
            logic: does the work.
            engine: the part about the engine; ended with this panel.
        """
        self._ui, self._logic, self._engine = ui, logic, engine
        self._parameters: Any = None
        self._card: ModelCard | None = None
        self._result = ResultView(ui)
        self._paint = PaintForm(ui, engine, lambda: (self._model.path, self._card))
        self._keep = KeepForm(ui, engine, self._result.chosen, logic.source)
        self._compare = CompareForm(ui, engine, self._result.chosen, logic.source)
        self._connections = Connections()
        describe_widgets(ui, logic.settings)
        add = self._connections.add
        add(ui.generateButton, "clicked()", self._generate_or_cancel)
        before = user_settings.read_text(user_settings.MODEL) or str(DEMO_MODEL)
        packages = _("Model packages (*.zip)")
        self._model = PathLine(ui.modelPathLineEdit, self._read_model, before, files=packages)
        logic.onProgress = self._show_progress
        self._read_model()

    def enter(self) -> None:
        """The user looks at it: ask for the engine, and look what the scene holds."""
        self._engine.enter()
        self._result.look()
        self._keep.refresh()
        self._compare.refresh()

    def choose_model(self, path: Path) -> None:
        """Put a model into the panel, as the other module does."""
        self._model.text = str(path)
        if self._card is not None:
            self._model.remember()

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._result.look()
        self._paint.set_parameters(parameters)
        self._keep.set_parameters(parameters)
        self._compare.set_parameters(parameters)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        ui, running = self._ui, self._logic.isRunning
        if self._parameters is not None:
            given, several = self._parameters.topology is Topology.given, self._knows_several
            ui.givenTopology.visible = given and not several
            ui.givenTopologies.visible = given and several
            volumes = self._card is not None and self._card.axes == 3
            ui.holesSpinBoxLabel.text = _("Tunnels:") if volumes else _("Holes:")
            ui.cavitiesSpinBox.visible = ui.cavitiesSpinBoxLabel.visible = volumes
        ui.modelCollapsibleButton.enabled = not running
        ui.samplesCollapsibleButton.enabled = not running
        reason = self._reason()
        ui.generateButton.text = _("Cancel") if running else _("Generate")
        ui.generateButton.enabled = running or not reason
        ui.generateButton.toolTip = (
            _("Drop these samples.") if running else reason or _("Make samples in the background.")
        )
        ui.reasonLabel.text = "" if running else reason
        ui.reasonLabel.visible = bool(reason) and not running
        self._show_state(self._logic.progress)
        self._paint.refresh()
        self._keep.refresh()
        self._compare.refresh()

    def close(self) -> None:
        """Let go of everything, the engine included."""
        self._connections.close()
        self._model.close()
        self._result.close()
        self._paint.close()
        self._keep.close()
        self._compare.close()
        self._engine.close()
        self._logic.close()

    def _read_model(self) -> None:
        path = self._model.path
        # The demo's is where the extension is, which may move.
        user_settings.write(user_settings.MODEL, "" if path is None or path == DEMO_MODEL else str(path))
        self._card = None if path is None else read_model_card(path)
        self._ui.modelLabel.text = self._card_words()
        self._ui.topologiesLineEdit.placeholderText = self._example()
        self.refresh()

    @property
    def _knows_several(self) -> bool:
        """Whether the model has several structures."""
        return self._card is not None and len(self._card.regions) > 1

    def _example(self) -> str:
        """What one may ask of the model."""
        if self._card is None:
            return ""
        pairs = zip(self._card.regions, self._card.modal_betti, strict=True)
        return "; ".join(f"{region}={','.join(map(str, numbers))}" for region, numbers in pairs)

    def _card_words(self) -> str:
        card = self._card
        if card is None:
            return _("This is no model package: choose its folder, or its .zip.") if self._model.text else ""
        volumes = card.axes == 3
        words = [
            _("{structure}, {size} {unit} of {pixel} mm, {texture}").format(
                structure=card.structure,
                size=" × ".join([str(card.size)] * card.axes),
                unit=_("voxels") if volumes else _("pixels"),
                pixel=f"{card.pixel_size_mm:.2f}",
                texture=_("with CT texture") if card.has_textures else _("masks alone"),
            ),
        ]
        if self._knows_several:
            numbers = _("pieces, tunnels, cavities") if volumes else _("pieces, holes")
            words.append(_("Most frequent {numbers}: {topologies}").format(numbers=numbers, topologies=self._example()))
        else:
            sentence = (
                _("Most frequent real topology: pieces {pieces}, tunnels {holes}, cavities {cavities}")
                if volumes
                else _("Most frequent real topology: pieces {pieces}, holes {holes}")
            )
            names = ("pieces", "holes", "cavities")
            words.append(sentence.format(**dict(zip(names, card.modal_betti[0], strict=False))))
        if self._model.path == DEMO_MODEL:
            words.append(_("The demo model: it has learned simulated hearts, no patients."))
        if not card.independent:
            words.append(_("Trained and evaluated on the same patient: its figures are not independent."))
        return "\n".join(words)

    def _reason(self) -> str:
        report = self._engine.report
        if self._parameters is None:
            return _("The scene is being closed.")
        if report is None or not report.usable:
            return _("The engine is not ready: see Engine above.")
        if self._card is None:
            return _("Choose a model.")
        if self._parameters.topology is Topology.given and self._knows_several:
            return self._wrong_topologies(self._card)
        return ""

    def _wrong_topologies(self, card: ModelCard) -> str:
        """What is wrong with the line, in words; empty if nothing is."""
        asked = _topologies(self._parameters.topologies)
        if not asked:
            return _("Say which topology, such as {example}.").format(example=self._example())
        for region, numbers in asked:
            if region not in card.regions:
                return _("{name!r} is none of {known}.").format(name=region, known=", ".join(card.regions))
            if not re.fullmatch(",".join([r"[0-9]{1,4}"] * card.axes), numbers):
                sentence = (
                    _("Write pieces and holes of {name} as 1,0.")
                    if card.axes == 2
                    else _("Write pieces, tunnels and cavities of {name} as 1,0,0.")
                )
                return sentence.format(name=region)
        return ""

    def _request_settings(self) -> Mapping[str, Any]:
        parameters = self._parameters
        settings = {s.name: getattr(parameters, s.attribute) for s in self._logic.settings if s.name != "betti"}
        numbers = (parameters.pieces, parameters.holes, parameters.cavities)
        given = ",".join(map(str, numbers[: self._card.axes if self._card is not None else 2]))
        if self._knows_several:
            given = ";".join(f"{region}={numbers}" for region, numbers in _topologies(parameters.topologies))
        settings["betti"] = given if parameters.topology is Topology.given else parameters.topology.name
        return settings

    def _generate_or_cancel(self) -> None:
        if self._logic.isRunning:
            self._logic.cancel()
            return
        path = self._model.path
        if path is None:
            return
        try:
            self._logic.synthesize(path, self._request_settings(), self._engine.engine)
            self._model.remember()
        except OSError as error:
            self._ui.statusLabel.visible = True
            self._ui.statusLabel.text = _("It cannot start: {reason}.").format(reason=error.strerror or error)

    def _show_progress(self) -> None:
        progress = self._logic.progress
        if progress is not None and progress.state == FINISHED:
            self._result.look(self._logic.nodes)
        self.refresh()

    def _show_state(self, progress: Progress | None) -> None:
        ui = self._ui
        ui.progressBar.visible = self._logic.isRunning
        ui.statusLabel.visible = progress is not None
        ui.logCollapsibleButton.visible = progress is not None and bool(progress.log)
        if progress is None:
            return
        fraction = progress.fraction
        # A range of 0 to 0 shows that something moves, though nobody knows how far.
        ui.progressBar.setRange(0, 1000 if fraction is not None else 0)
        ui.progressBar.value = round(1000 * (fraction or 0))
        ui.statusLabel.text = self._state_words(progress)
        if progress.log and ui.logTextEdit.plainText != "\n".join(progress.log):
            ui.logTextEdit.plainText = "\n".join(progress.log)

    def _state_words(self, progress: Progress) -> str:
        if progress.state == RUNNING:
            return _("Sample {step} of {total}").format(step=progress.step, total=progress.total)
        words = {
            WAITING: _("Starting the engine …"),
            READING: _("Putting the samples into the scene …"),
            FINISHED: self._result_words(),
            CANCELLED: _("Cancelled."),
        }
        return words.get(progress.state, "") or progress.error

    def _result_words(self) -> str:
        summary = self._logic.report.get("summary")
        return _("Finished: {summary}").format(summary=shown(summary, _LONGEST_SUMMARY)) if summary else _("Finished.")


def _topologies(text: str) -> list[tuple[str, str]]:
    """Region and ``"pieces,holes"`` (or three numbers) of each part of ``myocardium=1,1; lv_cavity=1,0``."""
    parts = [part.rpartition("=") for part in text.split(";") if part.strip()]
    return [(region.strip(), numbers.replace(" ", "")) for region, _, numbers in parts]


def own_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that the engine does not know."""

    return {
        "topology": (Topology, Topology.any),
        "pieces": (Annotated[int, WithinRange(0, 9999)], 1),
        "holes": (Annotated[int, WithinRange(0, 9999)], 0),
        "cavities": (Annotated[int, WithinRange(0, 9999)], 0),
        "topologies": (str, ""),
        **compare_parameters(),
        **paint_parameters(),
        **export_parameters(),
    }
