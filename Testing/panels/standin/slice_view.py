"""A slice view as far as the mouse goes: the interactor of an empty window, and the logic of the view."""

from __future__ import annotations

import slicer
import vtk
from PySide6 import QtWidgets

from standin.pythonqt import PythonQtObject

_SIZE = (400, 400)


class qMRMLSliceView(PythonQtObject, QtWidgets.QWidget):
    """The view alone (Libs/MRML/Widgets/qMRMLSliceView.h)."""

    _stands_for_cpp = True

    def __init__(self) -> None:
        super().__init__()
        self._interactor = vtk.vtkGenericRenderWindowInteractor()

    def interactor(self) -> vtk.vtkRenderWindowInteractor:
        """What tells of the mouse (ctkVTKAbstractView.h)."""
        return self._interactor

    def _drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button at one pixel, counted from below, and release it at another."""
        self._interactor.SetEventPosition(*start)
        self._interactor.InvokeEvent(vtk.vtkCommand.LeftButtonPressEvent)
        self._interactor.SetEventPosition(*end)
        self._interactor.InvokeEvent(vtk.vtkCommand.LeftButtonReleaseEvent)


class qMRMLSliceWidget(PythonQtObject, QtWidgets.QWidget):
    """A slice view with its controller and its logic (Libs/MRML/Widgets/qMRMLSliceWidget.h)."""

    _stands_for_cpp = True

    def __init__(self, node: slicer.vtkMRMLSliceNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
        from TopoGANLib.headless.application import add_slice_logic

        super().__init__()
        self._view = qMRMLSliceView()
        name = node.GetLayoutName()
        if application_logic.GetSliceLogicByLayoutName(name) is None:
            add_slice_logic(node.GetScene(), application_logic, name)
        # As the view is when it has been laid out.
        application_logic.GetSliceLogicByLayoutName(name).ResizeSliceNode(*_SIZE)

    def sliceView(self) -> qMRMLSliceView:
        """The view."""
        return self._view
