"""``slicer.qMRMLUtils``: pictures of Qt as those of VTK."""

from __future__ import annotations

import numpy as np
import vtk
from PySide6 import QtGui
from vtk.util.numpy_support import numpy_to_vtk


class qMRMLUtils:
    """Its static functions (Libs/MRML/Widgets/qMRMLUtils.h)."""

    def qImageToVtkImageData(self, image: QtGui.QImage, data: vtk.vtkImageData) -> bool:
        """Red, green, blue and opacity, the lowest row first (ctk::qImageToVTKImageData)."""
        if image.isNull():
            return False
        plain = image.convertToFormat(QtGui.QImage.Format.Format_RGBA8888)
        width, height = plain.width(), plain.height()
        pixels = np.frombuffer(plain.constBits(), np.uint8).reshape(height, plain.bytesPerLine())[:, : 4 * width]
        data.SetDimensions(width, height, 1)
        data.GetPointData().SetScalars(numpy_to_vtk(pixels[::-1].reshape(-1, 4).copy(), deep=True))
        return True
