"""What is chosen now, as far as it says what a training set is made of: data, and the form of the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract.schemas import STRUCTURES, find_json
from TopoGANLib.forms.settings import Setting, changed_values
from TopoGANLib.forms.user_settings import new_folder
from TopoGANLib.scene.voxels import InputError
from TopoGANTrainLib.check.data_check import DataCheck, SetForm, read_form
from TopoGANTrainLib.check.file_stamp import paths_in, stamp
from TopoGANTrainLib.check.fingerprint import fingerprint
from TopoGANTrainLib.data.data_form import DataForm
from TopoGANTrainLib.data.train_inputs import TRAINING_SET, FromFiles, FromScene, FromTrainingSet, Inputs
from TopoGANTrainLib.run.preparation import Preparation, Request


class Order:
    """A training set to be made, or one that was made before."""

    def __init__(self, inputs: Inputs, values: dict[str, Any]) -> None:
        """Note how both are now.

        Args:
            inputs: what to learn from.
            values: settings of the preparation that are not at their defaults.
        """
        self.inputs, self.values = inputs, values
        self.print = fingerprint((inputs, sorted((name, str(value)) for name, value in values.items())))
        self.paths = paths_in(inputs)
        # How the files were before something was made of them.
        self.files = ""

    def look(self) -> str:
        """How the files are now; asks the disk, and so is called on a thread."""
        return stamp(self.paths)


class CheckOrders:
    """Puts together what the forms say."""

    def __init__(self, settings: Sequence[Setting], data: DataForm, results: Callable[[], Path | None]) -> None:
        """Nothing is known yet.

        Args:
            settings: those of the engine.
            data: where the data come from.
            results: tells where results go.
        """
        self._settings = [setting for setting in settings if setting.section == "prepare"]
        self._data, self._results = data, results
        self._parameters: Any = None
        # What was read last, so that the disk is not asked at each look.
        self._read: tuple[Path, SetForm] | None = None

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._read = None

    def now(self) -> Order | None:
        """What is chosen; None while that is not enough."""
        if self._parameters is None or self._data.missing():
            return None
        inputs = self._data.inputs()
        values = {} if isinstance(inputs, FromTrainingSet) else changed_values(self._settings, self._parameters)
        return Order(inputs, {name: value for name, value in values.items() if value != ""})

    def place(self, order: Order) -> tuple[Path, Preparation]:
        """A new folder for the training set, and how it is made: how the files are is noted before they are read.

        Raises:
            InputError: what was chosen cannot be used.
        """
        results = self._results()
        if results is None or isinstance(order.inputs, FromTrainingSet):
            raise InputError(_("Choose a folder for the results."))
        name = str(order.values.get("prepare_structure", "")) or order.inputs.name
        preparation = order.inputs.preparation(self._settings, order.values)

        def request() -> Request:
            order.files = order.look()
            return preparation.request()

        return new_folder(results, name) / TRAINING_SET, Preparation(preparation.folder, request)

    def form(self, checked: DataCheck | None = None) -> SetForm:
        """What the training set is made of, or will be.

        Args:
            checked: what is known of it; None where it was not checked.
        """
        if self._parameters is None or self._data.missing():
            return SetForm()
        inputs = self._data.inputs()
        if isinstance(inputs, FromTrainingSet):
            return self._remembered(inputs.folder, read_form)
        size, axes = int(self._parameters.prepare_size.name), 3 if self._parameters.prepare_volumes else 2
        counts = (0, 0) if checked is None else (checked.samples, checked.training_samples)
        context = sum(bool(one.strip()) for one in self._parameters.prepare_context.split(","))
        return SetForm(size, axes, self._structures(inputs) + context, *counts)

    def _structures(self, inputs: Inputs) -> int:
        """How many are chosen; one where nobody has said."""
        if isinstance(inputs, FromScene):
            return max(1, len(inputs.names))
        if isinstance(inputs, FromFiles) and inputs.table is not None:
            return self._remembered(inputs.table, _form_of_table).structures
        typed = inputs.structures.split(";") if isinstance(inputs, FromFiles) else []
        return max(1, sum(bool(one.strip()) for one in typed))

    def _remembered(self, path: Path, read: Callable[[Path], SetForm]) -> SetForm:
        if self._read is None or self._read[0] != path:
            self._read = path, read(path)
        return self._read[1]


def _form_of_table(path: Path) -> SetForm:
    content = find_json(path, STRUCTURES) or {}
    structures = content.get("structures")
    return SetForm(structures=max(1, len(structures)) if isinstance(structures, list) else 1)
