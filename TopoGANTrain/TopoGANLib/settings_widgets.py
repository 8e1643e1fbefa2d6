"""Tool tips and units of the widgets that are bound to settings of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt

from TopoGANLib.settings import Setting


def describe_widgets(ui: Any, settings: Iterable[Setting]) -> None:
    """Give each bound widget the help of its setting, and boxes for numbers the unit behind the number.

    Args:
        ui: the form's widgets by name.
        settings: what the engine knows.
    """
    known = {setting.attribute: setting for setting in settings}
    for widget in vars(ui).values():
        setting = known.get(widget.property("SlicerParameterName"))
        if setting is not None:
            widget.toolTip = setting.tool_tip()
            if setting.unit and type(widget) in (qt.QSpinBox, qt.QDoubleSpinBox):
                widget.suffix = f" {setting.unit}"
