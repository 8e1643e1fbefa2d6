"""The part of the panel that leaves out possible copies of what the model was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract.results import TRAINING_SET_FOLDER, known_training_set
from topogan_contract.training_set import find_description
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.path_line import PathLine
from TopoGANSynthLib.model.model_card import ModelCard


class CopiesForm:
    """Works with ``copiesCheckBox`` and the line below it in ``TopoGANSynth.ui``."""

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        """Show no training set.

        Args:
            ui: the form's widgets by name.
            changed: is called when another training set is chosen.
        """
        self._ui, self._changed = ui, changed
        self._parameters: Any = None
        # What the chosen folder holds: asked of the disk now and then, not at each refresh.
        self._hash = ""
        self._line = PathLine(ui.copiesSetPathLineEdit, self._choose)

    @property
    def training_set(self) -> Path | None:
        """Of whose copies samples are to be free; None where copies may stay."""
        return None if self._line.path is None or not self._wanted else self._line.path.absolute()

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def take_model(self, model: Path | None, card: ModelCard | None) -> None:
        """Another model: fill in its own training set, if that is where it was, or the one that was named last."""
        found = None if model is None or card is None else _own_set(model, card)
        self._line.text = "" if found is None else str(found)
        self.look()

    def look(self) -> None:
        """Ask the disk what is chosen."""
        self._hash = "" if self._line.path is None else _hash_of(self._line.path)

    def refresh(self) -> None:
        """Show the line where it says something."""
        for widget in (self._ui.copiesSetPathLineEdit, self._ui.copiesSetPathLineEditLabel):
            widget.visible = self._wanted

    def reason(self, card: ModelCard) -> str:
        """Why copies cannot be told of a model, in words; empty if they can, or may stay."""
        if not self._wanted:
            return ""
        if self._line.path is None:
            return _("Choose the training set of this model, or let possible copies stay.")
        if not self._hash:
            return _("There is no training set in the chosen folder: choose one that holds dataset.json.")
        if self._hash != card.training_set:
            return _("This model has learned from another training set: choose that one, or let possible copies stay.")
        return ""

    def remember(self) -> None:
        """Offer the training set again: it was used."""
        if self.training_set is not None:
            user_settings.write(user_settings.MODELS_TRAINING_SET, self._line.text)
            self._line.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        self._line.close()

    @property
    def _wanted(self) -> bool:
        return self._parameters is not None and bool(self._parameters.leaveCopiesOut)

    def _choose(self) -> None:
        self.look()
        self._changed()


def _own_set(model: Path, card: ModelCard) -> Path | None:
    """The training set of a model that is still there: beside its run, where the run found it, or named last."""
    run, before = model.parent, user_settings.read_text(user_settings.MODELS_TRAINING_SET)
    places = [run.parent / TRAINING_SET_FOLDER, known_training_set(run), Path(before).expanduser() if before else None]
    same = (place for place in places if place is not None and _hash_of(place) == card.training_set)
    return next(same, None) if card.training_set else None


def _hash_of(folder: Path) -> str:
    """Content hash of a training set; empty for anything else."""
    return str((find_description(folder) or {}).get("content_hash", ""))
