"""Pictures of the scene without a screen, drawn by Slicer's own displayable managers.

Used where there is no application; inside Slicer the views themselves draw the same nodes. Drawing needs OpenGL, in
software or hardware, but no screen: VTK opens libEGL at run time (libOSMesa if that fails), and pip installs neither.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from ctypes.util import find_library
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from TopoGANLib.headless.application import SceneError

# What the application registers for its slice views, less those that need a mouse or a legend.
_SLICE_MANAGERS = (
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
)
# And for its 3-D views, less those that need a mouse.
_THREE_D_MANAGERS = (
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
)
_NO_OPENGL = (
    "Pictures need OpenGL, which this computer has not installed: "
    "install it (Debian and Ubuntu: apt install libegl1 libgl1) and run it again."
)


def check_rendering() -> None:
    """Find out whether anything can be drawn here; VTK itself would crash where it cannot.

    Raises:
        SceneError: there is no OpenGL.
    """
    window = vtk.vtkRenderWindow()
    # VTK ends with this class where neither X11 nor EGL works, also if the library that it needs is missing.
    if window.IsA("vtkOSOpenGLRenderWindow") and not _loads("OSMesa"):
        raise SceneError(_NO_OPENGL)


class SliceViewPicture:
    """One of Slicer's slice views, drawn into an array.

    Usage::

        view = SliceViewPicture(headless.application_logic, "Red", width=400, height=400)
        picture = view.draw(offset=nodes.sample_offset(3), caption="sample 3")
    """

    def __init__(
        self, application_logic: slicer.vtkMRMLApplicationLogic, layout_name: str, width: int, height: int
    ) -> None:
        """Open the view ``layout_name`` of the logic's scene; sizes in pixels.

        Raises:
            SceneError: there is no OpenGL.
        """
        check_rendering()
        self._slice_logic = application_logic.GetSliceLogicByLayoutName(layout_name)
        self._slice_node = self._slice_logic.GetSliceNode()
        self._size = (width, height)

        self._window, self._renderer, self._interactor = _view_window(width, height)
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._add_image_layer()
        self._caption = _add_caption(self._renderer, height)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self._managers = _add_displayable_managers(
            factory, _SLICE_MANAGERS, application_logic, self._renderer, self._slice_node
        )

    def draw(self, offset: float | None = None, caption: str = "") -> np.ndarray:
        """Draw the slice at ``offset`` mm, or that which is shown, fitted to the view.

        Returns:
            uint8 [height, width, 3], RGB.
        """
        offset = self._slice_node.GetSliceOffset() if offset is None else offset
        self._slice_logic.ResizeSliceNode(*self._size)
        self._slice_logic.FitSliceToBackground(*self._size)
        self._slice_node.SetSliceOffset(offset)
        self._caption.SetInput(caption)
        return grab(self._window)

    def _add_image_layer(self) -> None:
        # The slice logic delivers finished colors: window and level that leave them as they are.
        mapper = vtk.vtkImageMapper()
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        mapper.SetInputConnection(self._slice_logic.GetImageDataConnection())
        image = vtk.vtkActor2D()
        image.SetMapper(mapper)
        image.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(image)


class ThreeDViewPicture:
    """The scene's first 3-D view, drawn into an array as the scene's camera sees it.

    Usage::

        view = ThreeDViewPicture(headless.scene, headless.application_logic, width=400, height=400)
        picture = view.draw(caption="sample 3")
    """

    def __init__(
        self, scene: slicer.vtkMRMLScene, application_logic: slicer.vtkMRMLApplicationLogic, width: int, height: int
    ) -> None:
        """Open the view; sizes in pixels.

        Raises:
            SceneError: there is no OpenGL.
        """
        check_rendering()
        self._window, self._renderer, self._interactor = _view_window(width, height)
        view_node = scene.GetFirstNodeByClass("vtkMRMLViewNode")
        # What helps in a view that one turns, is in the way of a picture.
        view_node.SetBoxVisible(False)
        view_node.SetAxisLabelsVisible(False)
        view_node.SetUseDepthPeeling(True)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory.GetInstance()
        self._managers = _add_displayable_managers(
            factory, _THREE_D_MANAGERS, application_logic, self._renderer, view_node
        )
        self._caption = _add_caption(self._renderer, height)

    def draw(self, caption: str = "") -> np.ndarray:
        """Draw what is shown.

        Returns:
            uint8 [height, width, 3], RGB.
        """
        self._caption.SetInput(caption)
        self._renderer.ResetCameraClippingRange()
        return grab(self._window)


def tile(pictures: Sequence[np.ndarray], columns: int, gap: int = 4, background: int = 255) -> np.ndarray:
    """Put pictures of one size, uint8 [height, width, 3], into rows of ``columns`` with ``gap`` pixels around each."""
    height, width, _ = pictures[0].shape
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, 3), background, np.uint8)
    for index, picture in enumerate(pictures):
        top = gap + (index // columns) * (height + gap)
        left = gap + (index % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture, uint8 [height, width, 3], RGB, row 0 at the top; an older one is replaced in one step."""
    partial = path.with_name(f".partial-{path.name}")
    try:
        sitk.WriteImage(sitk.GetImageFromArray(picture, isVector=True), str(partial))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _loads(library: str) -> bool:
    name = find_library(library)
    if name is None:
        return False
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _view_window(width: int, height: int) -> tuple[vtk.vtkRenderWindow, vtk.vtkRenderer, vtk.vtkRenderWindowInteractor]:
    renderer = vtk.vtkRenderer()
    window = off_screen_window(width, height)
    window.AddRenderer(renderer)
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    interactor.Initialize()
    return window, renderer, interactor


def _add_displayable_managers(
    factory: slicer.vtkMRMLDisplayableManagerFactory,
    names: Sequence[str],
    application_logic: slicer.vtkMRMLApplicationLogic,
    renderer: vtk.vtkRenderer,
    view_node: slicer.vtkMRMLAbstractViewNode,
) -> slicer.vtkMRMLDisplayableManagerGroup:
    factory.SetMRMLApplicationLogic(application_logic)
    for name in names:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    group.SetMRMLDisplayableNode(view_node)
    return group


def off_screen_window(width: int, height: int) -> vtk.vtkRenderWindow:
    """A window of so many pixels that nobody sees."""
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(8)
    window.SetSize(width, height)
    # The scene's font sizes suit a small view inside the application; pictures are read from further away.
    window.SetDPI(100)
    return window


def grab(window: vtk.vtkRenderWindow) -> np.ndarray:
    """Draw a window, uint8 [height, width, 3], RGB, row 0 at the top."""
    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.ShouldRerenderOff()
    grabber.Update()
    image = grabber.GetOutput()
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


def _add_caption(renderer: vtk.vtkRenderer, height: int) -> vtk.vtkTextActor:
    caption = vtk.vtkTextActor()
    caption.SetPosition(8, 6)
    text = caption.GetTextProperty()
    text.SetFontFamilyToArial()
    text.SetFontSize(max(14, height // 20))
    text.SetColor(1, 1, 1)
    text.SetShadow(True)
    renderer.AddViewProp(caption)
    return caption
