"""What the networks start from: nothing, or a model that is fine-tuned."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from TopoGANLib.forms import user_settings
from TopoGANLib.forms.path_line import PathLine


class StartFrom(enum.Enum):
    """Where the networks come from; a scene stores the names."""

    new = "new"
    model = "model"

    def label(self) -> str:
        """What the user reads."""
        return {"new": _("New"), "model": _("A model to fine-tune")}[self.value]


class StartFromForm:
    """Works with ``startFromComboBox``, ``firstModelPathLineEdit`` and ``adaptStructuresCheckBox``."""

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        """Show the model of the last time.

        Args:
            ui: the form's widgets by name.
            changed: is called when another model is chosen.
        """
        self._ui, self._changed = ui, changed
        self._parameters: Any = None
        last = user_settings.read_text(user_settings.FIRST_MODEL)
        self._line = PathLine(ui.firstModelPathLineEdit, self._choose, last, _("Models (*.zip);;All files (*)"))

    @property
    def model(self) -> Path | None:
        """The folder or zip file of the model to go on from; None for new networks."""
        return self._line.path if self._is_model else None

    @property
    def adapts(self) -> bool:
        """Whether the model's structures may be others."""
        return self._is_model and bool(self._parameters.adaptStructures)

    def continues(self) -> bool:
        """Whether a model goes on that knows what is to be learned, as far as it can be told without reading it."""
        return self.model is not None and not self.adapts

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what is so now."""
        ui = self._ui
        for widget in (ui.firstModelPathLineEditLabel, ui.firstModelPathLineEdit, ui.adaptStructuresCheckBox):
            widget.visible = self._is_model

    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing is."""
        if not self._is_model or self._line.path is not None:
            return ""
        return _("Choose the model to fine-tune, or start from new networks.")

    def remember(self) -> None:
        """Offer the chosen model again, in the line's history."""
        if self.model is not None:
            self._line.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        self._line.close()

    @property
    def _is_model(self) -> bool:
        return self._parameters is not None and self._parameters.startFrom is StartFrom.model

    def _choose(self) -> None:
        user_settings.write(user_settings.FIRST_MODEL, self._line.text)
        self._changed()
