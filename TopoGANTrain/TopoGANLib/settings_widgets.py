"""Tool tips, units and digits of the widgets that are bound to settings of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt

from TopoGANLib.settings import Setting

_FEW_DECIMALS = 2


def describe_widgets(ui: Any, settings: Iterable[Setting]) -> None:
    """Give each bound widget the help of its setting, and boxes for numbers the unit behind the number.

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
