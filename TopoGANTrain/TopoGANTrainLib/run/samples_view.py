"""The newest samples of a training: a small picture in the panel, and on a click the whole sheet in a slice view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from topogan_contract import run as layout
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.run.history_feed import Stamp, file_stamp
from TopoGANTrainLib.run.sheet import SheetView, add_sheet, fill_sheet, find_sheet

_PREVIEW_WIDTH = 340


class SamplesView:
    """Works with ``previewLabel`` and ``showSamplesButton``.

    The sheet is one volume node, made at the first click and filled in place. As the charts it is not saved with the
    scene: the pictures are in the run's folder.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._folder: tuple[Path, Stamp | None] | None = None
        self._picture: tuple[Path, Stamp | None] | None = None
        # What of it could be read: a QImage.
        self._image: Any = None
        self._view = SheetView(slicer.app.applicationLogic(), self._label)
        self._connections = Connections()
        self._connections.add(ui.showSamplesButton, "clicked()", self._show_or_give_back)
        self._label()
        self.follow(None)

    def follow(self, run: Path | None) -> None:
        """Show the newest picture of a run, None while there is none; looks for one if the folder has changed."""
        folder = None if run is None else run / layout.PREVIEWS
        known = None if folder is None else (folder, file_stamp(folder))
        if known is None or known != self._folder:
            self._folder = known
            newest = None if folder is None else _newest(folder)
            self._take(None if newest is None else (newest, file_stamp(newest)))

    def close(self) -> None:
        """Let go of the widgets, and give the view back; the volume stays in the scene."""
        self._connections.close()
        self._view.give_back()

    def _take(self, picture: tuple[Path, Stamp | None] | None) -> None:
        if picture is not None and picture != self._picture:
            image = qt.QImage(str(picture[0]))
            if not image.isNull():
                self._put(image)
        self._picture = picture
        self._image = None if picture is None else self._image
        shown = self._image is not None
        self._ui.previewLabel.visible = shown
        self._ui.showSamplesButton.visible = shown or self._view.shows

    def _put(self, image: Any) -> None:
        self._image = image
        self._ui.previewLabel.setPixmap(qt.QPixmap.fromImage(image.scaledToWidth(_PREVIEW_WIDTH)))
        volume = find_sheet(slicer.mrmlScene)
        if volume is not None:
            size = _size(volume)
            fill_sheet(volume, image)
            if _size(volume) != size:
                self._view.fit()

    def _show_or_give_back(self) -> None:
        if self._view.shows:
            self._view.give_back()
        else:
            volume = find_sheet(slicer.mrmlScene) or add_sheet(slicer.mrmlScene)
            fill_sheet(volume, self._image)
            self._view.show(volume)
        self._label()

    def _label(self) -> None:
        shows = self._view.shows
        self._ui.showSamplesButton.text = _("Give the Red view back") if shows else _("Show in slice view")


def _size(volume: slicer.vtkMRMLVectorVolumeNode) -> tuple[int, int, int]:
    image = volume.GetImageData()
    return (0, 0, 0) if image is None else image.GetDimensions()


def _newest(folder: Path) -> Path | None:
    found = (sorted(folder.glob(f"{stage}-*.png")) for stage in reversed(layout.STAGES))
    return next((pictures[-1] for pictures in found if pictures), None)
