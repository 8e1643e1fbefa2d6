"""The sheet of samples as a volume of the scene, and the Red view that shows it for a while.

The view is not turned, for training patches may be cut in its plane. The sheet is laid into that plane instead, and
what the view showed before is given back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import qt
import slicer
import vtk
from slicer.i18n import tr as _

_ROLE = "TopoGAN.samples"
_VIEW = "Red"


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
    volume.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    volume = scene.AddNode(volume)
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetSaveWithScene(False)
    # Each pixel of a mask is to be seen.
    display.SetInterpolate(False)
    return volume


def fill_sheet(volume: slicer.vtkMRMLVectorVolumeNode, picture: qt.QImage) -> None:
    """Put a picture into the volume, its middle and its plane as they are, a pixel a millimeter.

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
    middle = _middle(volume)
    with slicer.util.NodeModify(volume):
        volume.SetSpacing(1.0, 1.0, 1.0)
        volume.SetAndObserveImageData(image)
        _move(volume, middle)


class SheetView:
    """The Red view, as long as it shows the sheet.

    Usage::

        view = SheetView(slicer.app.applicationLogic(), changed=self.refresh)
        view.show(volume)
        view.give_back()
    """

    def __init__(self, application_logic: slicer.vtkMRMLApplicationLogic, changed: Callable[[], None]) -> None:
        """Nothing is shown yet.

        Args:
            application_logic: knows the view.
            changed: is called when the view may show something else.
        """
        self._application, self._changed = application_logic, changed
        self._sheet = ""
        # Background, plane and field of view that were there before.
        self._before: tuple[str | None, np.ndarray, tuple[float, float, float]] | None = None
        self._observed: tuple[Any, int] | None = None

    @property
    def shows(self) -> bool:
        """Whether the view shows the sheet."""
        return self._before is not None and self._composite().GetBackgroundVolumeID() == self._sheet

    def show(self, volume: slicer.vtkMRMLVectorVolumeNode) -> None:
        """Put the sheet into the view's plane, as large as it can be; the other views stay."""
        logic, composite = self._logic(), self._composite()
        node = logic.GetSliceNode()
        plane = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy()
        if not self.shows:
            background = composite.GetBackgroundVolumeID()
            self._before = (None if background == volume.GetID() else background), plane, node.GetFieldOfView()
        # Columns of the picture go to the right of the view, rows downwards.
        right, up, normal = (plane[:3, axis] for axis in range(3))
        with slicer.util.NodeModify(volume):
            volume.SetIJKToRASDirections(*np.column_stack([right, -up, normal]).ravel())
            _move(volume, plane[:3, 3])
        self._sheet = volume.GetID()
        composite.SetBackgroundVolumeID(self._sheet)
        logic.FitSliceToBackground()
        self._observe(composite)

    def fit(self) -> None:
        """Show all of a sheet that is larger or smaller than the one before."""
        if self.shows:
            self._logic().FitSliceToBackground()

    def give_back(self) -> None:
        """Show again what was there before the sheet; where the user has chosen something else, that stays."""
        before, shows = self._before, self.shows
        self._forget()
        if before is None or not shows:
            return
        background, plane, field_of_view = before
        there = background and self._composite().GetScene().GetNodeByID(background) is not None
        self._composite().SetBackgroundVolumeID(background if there else None)
        node = self._logic().GetSliceNode()
        with slicer.util.NodeModify(node):
            node.GetSliceToRAS().DeepCopy(plane.ravel().tolist())
            node.UpdateMatrices()
            node.SetFieldOfView(*field_of_view)

    def _forget(self) -> None:
        self._before = None
        if self._observed is not None:
            node, tag = self._observed
            node.RemoveObserver(tag)
            self._observed = None

    def _observe(self, composite: slicer.vtkMRMLSliceCompositeNode) -> None:
        if self._observed is None:
            self._observed = composite, composite.AddObserver(vtk.vtkCommand.ModifiedEvent, self._composite_changed)

    def _composite_changed(self, caller: Any, event: Any) -> None:
        if self._before is not None and not self.shows:
            self._forget()
        self._changed()

    def _logic(self) -> slicer.vtkMRMLSliceLogic:
        return self._application.GetSliceLogicByLayoutName(_VIEW)

    def _composite(self) -> slicer.vtkMRMLSliceCompositeNode:
        return self._logic().GetSliceCompositeNode()


def _middle(volume: slicer.vtkMRMLVectorVolumeNode) -> np.ndarray:
    """Where the middle of the picture is in RAS, mm [3]; the origin where there is none yet."""
    image = volume.GetImageData()
    if image is None:
        return np.zeros(3)
    return _ijk_to_ras(volume)[:3] @ [*(np.array(image.GetDimensions()) - 1) / 2, 1.0]


def _move(volume: slicer.vtkMRMLVectorVolumeNode, middle: np.ndarray) -> None:
    volume.SetOrigin(*(np.array(volume.GetOrigin()) + middle - _middle(volume)))


def _ijk_to_ras(volume: slicer.vtkMRMLVectorVolumeNode) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
