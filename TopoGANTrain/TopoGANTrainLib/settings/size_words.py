"""What each size of patches or volumes means for what is chosen, and how long its training takes on this computer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from topogan_contract.sizes import default_pixel_size, pixel_size_in_words
from TopoGANLib.engine.check import times_of_sizes
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.engine.process import EngineProcess
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections

_TICK_MILLISECONDS = 200
# mm; about that of a left ventricle with its wall.
_USUAL_WIDTH = 100.0

Measure = Callable[[], tuple[float, float]]
"""Finds the widest slice (of volumes the extent) of the structures and the images' own pixel, in mm; 0 if not known."""


class SizeWords:
    """Works with ``sizesButton`` and ``sizesLabel`` of ``TopoGANTrainSettings.ui``."""

    def __init__(self, ui: Any, engine: EnginePanel, measure: Callable[[], Measure], axes: Callable[[], int]) -> None:
        """Wait for a click.

        Args:
            ui: the form's widgets by name.
            engine: says what times the steps.
            measure: looks at what is chosen, and returns the work that takes longer than a click may.
            axes: tells whether slices (2) or volumes (3) are chosen.
        """
        self._ui, self._engine, self._measure, self._axes = ui, engine, measure, axes
        self._asked_axes = 2
        self._process: EngineProcess | None = None
        self._measuring: Background[tuple[float, float]] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)
        self._connections.add(ui.sizesButton, "clicked()", self._start)
        self._say("")

    def close(self) -> None:
        """End what runs and let go of the widgets."""
        self._timer.stop()
        self._connections.close()
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _start(self) -> None:
        try:
            measure, self._asked_axes = self._measure(), self._axes()
            log = user_settings.new_work_folder("sizes") / "doctor.txt"
            volumes = ["--volumes"] if self._asked_axes == 3 else []
            self._process = self._engine.engine.start(["doctor", "--timings", "--json", *volumes], log)
        except ValueError as error:
            self._say(str(error))
            return
        except OSError as error:
            self._say(_("It cannot start: {reason}.").format(reason=error.strerror or error))
            return
        self._measuring = Background(measure, _("There is not enough memory to measure the structures."))
        self._ui.sizesButton.enabled = False
        self._say(_("Timing a few steps of each size …"))
        self._timer.start()

    def _tick(self) -> None:
        process, measuring = self._process, self._measuring
        if process is None or measuring is None or not measuring.done() or process.exit_code() is None:
            return
        self._timer.stop()
        self._process = None
        self._ui.sizesButton.enabled = True
        axes = self._asked_axes
        times = times_of_sizes(process.output(60))
        width, own = measuring.result or (0.0, 0.0)
        lines = [f"{_pixels(size, width, own, axes)}: {time}." for size, time in times.items()]
        self._say(measuring.error or "\n".join(lines) or process.complaint())

    def _say(self, words: str) -> None:
        self._ui.sizesLabel.text = words
        self._ui.sizesLabel.visible = bool(words)


def _pixels(size: int, width: float, own: float, axes: int) -> str:
    if width <= 0:
        return (_("{size} pixels") if axes == 2 else _("{size} voxels")).format(size=size)
    return pixel_size_in_words(size, default_pixel_size(width, size, own, axes), width, own, axes)


def size_in_words(size: int, axes: int, pixel_size: float = 0.0) -> str:
    """One line on a size, for who has measured nothing yet: "2.1 mm a pixel, for structures 100 mm wide."

    Args:
        size: of the patch in pixels, or of the volume in voxels.
        axes: 2 for slices, 3 for volumes.
        pixel_size: mm per pixel where it is given; 0 where it follows from the structures.
    """
    if pixel_size > 0:
        shown = f"{size * pixel_size:.0f}"
        words = _("Each slice shows {width} mm.") if axes == 2 else _("Each volume shows {width} mm.")
        return words.format(width=shown)
    millimeters = f"{default_pixel_size(_USUAL_WIDTH, size, 0.0, axes):.2g}"
    words = (
        _("{pixel} mm a pixel, for structures {width} mm wide.")
        if axes == 2
        else _("{pixel} mm a voxel, for structures {width} mm wide.")
    )
    return words.format(pixel=millimeters, width=f"{_USUAL_WIDTH:.0f}")
