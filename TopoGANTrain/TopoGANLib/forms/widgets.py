"""What the widgets of a form need beyond their .ui file and Slicer's own connectors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import qt

from TopoGANLib.forms.settings import Setting, SettingChoice

_FEW_DECIMALS = 2


def describe_widgets(ui: Any, settings: Iterable[Setting]) -> None:
    """Give each bound widget the help of its setting, and boxes for numbers unit and digits.

    Args:
        ui: the form's widgets by name.
        settings: what the engine knows.
    """
    known = {setting.attribute: setting for setting in settings}
    for widget in vars(ui).values():
        setting = known.get(widget.property("SlicerParameterName"))
        if setting is None:
            continue
        widget.toolTip = setting.tool_tip()
        # As annotations of the parameters they would work too, but Slicer logs a warning for each.
        if type(widget) is qt.QDoubleSpinBox:
            widget.decimals = setting.decimals
            widget.singleStep = 0.1 if setting.decimals == _FEW_DECIMALS else 10.0 ** -(setting.decimals - 1)
        if setting.unit and type(widget) in (qt.QSpinBox, qt.QDoubleSpinBox):
            widget.suffix = f" {setting.unit}"


def offer(box: Any, chosen: SettingChoice, values: Collection[int]) -> bool:
    """Leave only some values of a choice's box to choose from; tell whether what is chosen is among them.

    Args:
        box: QComboBox that is bound to the choice.
        chosen: a member of the choice.
        values: as the engine has them.
    """
    words = {str(value) for value in values}
    for row, member in enumerate(type(chosen)):
        # What Qt's own model of a box takes for an item's flags: 0 is skipped by wheel and keyboard, None the default.
        box.setItemData(row, None if member.name in words else 0, qt.Qt.UserRole - 1)
        box.view().setRowHidden(row, member.name not in words)
    return chosen.name in words
