"""The newest samples of a training: a small picture in the panel, and on a click the whole sheet in a slice view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from topogan_contract import run as layout
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.run.history_feed import Stamp, file_stamp

_PREVIEW_WIDTH = 340
_ROLE = "TopoGAN.samples"
_VIEW = "Red"


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
        self._connections = Connections()
        self._connections.add(ui.showSamplesButton, "clicked()", self._show)
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
        """Let go of the widgets; the volume stays in the scene."""
        self._connections.close()

    def _take(self, picture: tuple[Path, Stamp | None] | None) -> None:
        if picture is not None and picture != self._picture:
            image = qt.QImage(str(picture[0]))
            if not image.isNull():
                self._put(image)
        self._picture = picture
        self._image = None if picture is None else self._image
        shown = self._image is not None
        self._ui.previewLabel.visible = self._ui.showSamplesButton.visible = shown

    def _put(self, image: Any) -> None:
        self._image = image
        self._ui.previewLabel.setPixmap(qt.QPixmap.fromImage(image.scaledToWidth(_PREVIEW_WIDTH)))
        volume = find_sheet(slicer.mrmlScene)
        if volume is not None:
            size = _size(volume)
            fill_sheet(volume, image)
            if _size(volume) != size:
                fit_sheet(volume, slicer.app.applicationLogic())

    def _show(self) -> None:
        volume = find_sheet(slicer.mrmlScene) or add_sheet(slicer.mrmlScene)
        fill_sheet(volume, self._image)
        show_sheet(volume, slicer.app.applicationLogic())


def find_sheet(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLVectorVolumeNode | None:
    """The volume of the sheet, if it has been made."""
    kind = "vtkMRMLVectorVolumeNode"
    nodes = (scene.GetNthNodeByClass(number, kind) for number in range(scene.GetNumberOfNodesByClass(kind)))
    return next((node for node in nodes if node.GetAttribute(_ROLE)), None)


def add_sheet(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLVectorVolumeNode:
    """Add the volume, empty."""
    volume = scene.CreateNodeByClass("vtkMRMLVectorVolumeNode")
    volume.UnRegister(None)
    volume.SetName(_("TopoGAN samples"))
    volume.SetAttribute(_ROLE, "1")
    volume.SetSaveWithScene(False)
    volume = scene.AddNode(volume)
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetSaveWithScene(False)
    # Each pixel of a mask is to be seen.
    display.SetInterpolate(False)
    return volume


def fill_sheet(volume: slicer.vtkMRMLVectorVolumeNode, picture: Any) -> None:
    """Put a picture into the volume, upright in an axial view, its middle at the origin and a pixel a millimeter.

    Args:
        volume: from :func:`add_sheet`.
        picture: QImage. Qt has read it, for VTK's reader of PNG ends the process at a damaged file.
    """
    pixels = vtk.vtkImageData()
    slicer.qMRMLUtils().qImageToVtkImageData(picture, pixels)
    flip = vtk.vtkImageFlip()  # a picture begins below, a volume that lies as patients do (left, posterior) above
    flip.SetFilteredAxis(1)
    flip.SetInputData(pixels)
    colors = vtk.vtkImageExtractComponents()  # less the opacity
    colors.SetComponents(0, 1, 2)
    colors.SetInputConnection(flip.GetOutputPort())
    colors.Update()
    image = colors.GetOutput()
    image.SetOrigin(0.0, 0.0, 0.0)  # MRML keeps it, and the spacing, in the node
    columns, rows, _slices = image.GetDimensions()
    with slicer.util.NodeModify(volume):
        volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
        volume.SetOrigin((columns - 1) / 2, (rows - 1) / 2, 0.0)
        volume.SetSpacing(1.0, 1.0, 1.0)
        volume.SetAndObserveImageData(image)


def show_sheet(volume: slicer.vtkMRMLVectorVolumeNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Put the sheet into the Red view, seen from the front and as large as it can be; the other views stay."""
    logic = application_logic.GetSliceLogicByLayoutName(_VIEW)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(volume.GetID())
    logic.GetSliceNode().SetOrientation("Axial")
    logic.FitSliceToBackground()
    logic.SetSliceOffset(0.0)


def fit_sheet(volume: slicer.vtkMRMLVectorVolumeNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show all of a sheet that is larger or smaller than the one before, where the Red view shows it."""
    logic = application_logic.GetSliceLogicByLayoutName(_VIEW)
    if logic.GetSliceCompositeNode().GetBackgroundVolumeID() == volume.GetID():
        logic.FitSliceToBackground()


def _size(volume: slicer.vtkMRMLVectorVolumeNode) -> tuple[int, int, int]:
    image = volume.GetImageData()
    return (0, 0, 0) if image is None else image.GetDimensions()


def _newest(folder: Path) -> Path | None:
    found = (sorted(folder.glob(f"{stage}-*.png")) for stage in reversed(layout.STAGES))
    return next((pictures[-1] for pictures in found if pictures), None)
