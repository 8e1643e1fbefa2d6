"""Slicer's scene and logics without the application: what the application does at start, for slicer-core.

Only this file knows that there is no application; the code that fills or draws the scene takes the scene and the
application logic as arguments, and does not care who made them.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import slicer
import vtk

SLICE_VIEWS = ("Red", "Green", "Yellow")

# slicer-core names itself "slicer-core 4.0.0", at which Slicer warns that another application wrote the scene. The
# writer is Slicer's own MRML library; the version is the oldest Slicer that TopoGAN supports, so that none warns.
_SCENE_VERSION = "Slicer 5.12.0 0"


class SceneError(RuntimeError):
    """The scene could not be made, saved or drawn, though the input was right."""


@dataclass(frozen=True)
class HeadlessSlicer:
    """A scene with the nodes and logics that the application would have given it.

    Usage::

        headless = start_headless()
        nodes = build_scene(headless.scene, read_synthesis_folder(folder))
        show_in_views(nodes, headless.application_logic)
        save_scene(headless.scene, Path("scene.mrb"))
    """

    scene: slicer.vtkMRMLScene
    application_logic: slicer.vtkSlicerApplicationLogic
    # Nobody else holds the logics; without these references they would vanish and their nodes go stale.
    _kept: list[vtk.vtkObject] = field(default_factory=list, repr=False)


def start_headless() -> HeadlessSlicer:
    """Make a scene with colors, views, layout, subject hierarchy and logics; it becomes ``slicer.mrmlScene``."""
    _prefer_egl()
    scene = slicer.vtkMRMLScene()
    scene.SetVersion(_SCENE_VERSION)
    # slicer.util's functions look for the scene there.
    slicer.mrmlScene = scene

    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetMRMLScene(scene)
    application_logic.SetSliceLogics(vtk.vtkCollection())
    headless = HeadlessSlicer(scene, application_logic)

    color_logic = slicer.vtkMRMLColorLogic()
    color_logic.SetMRMLScene(scene)
    application_logic.SetColorLogic(color_logic)

    _register_module_logics(headless)
    _add_views(headless)
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return headless


def save_scene(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Write the scene with all its data to one ``.mrb`` file, as the application's Save does.

    Args:
        scene: what to save; its nodes keep no path of the place that they were saved to.
        path: file to write; an older one is replaced when the new one is complete.

    Raises:
        SceneError: the folder cannot be written, or Slicer could not save the scene.
    """
    messages = slicer.vtkMRMLMessageCollection()
    if not os.access(path.absolute().parent, os.W_OK):
        raise SceneError(f"The folder {path.absolute().parent} cannot be written: choose another for the scene.")
    # The file's name is also the name of the folder in it: a folder beside it is temporary, not the name.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".scene-") as temporary:
        partial = Path(temporary).absolute() / path.name
        with _same_working_folder():
            written = scene.WriteToMRB(str(partial), None, messages)
        if not written:
            raise SceneError(f"Slicer could not save the scene as {path}: {_reason(messages)}")
        os.replace(partial, path)


def load_scene(scene: slicer.vtkMRMLScene, path: Path) -> None:
    """Read a ``.mrb`` file into a scene, which is emptied first.

    Raises:
        SceneError: the file is missing, or Slicer could not read it.
    """
    if not path.is_file():
        raise SceneError(f"There is no scene {path}.")
    messages = slicer.vtkMRMLMessageCollection()
    # ReadFromMRB would do, but unpacks into the application's cache folder, which is not set up here.
    with tempfile.TemporaryDirectory(prefix="scene-") as temporary, _same_working_folder():
        unpacked = scene.UnpackSlicerDataBundle(str(path.absolute()), temporary, messages)
        scene.SetURL(unpacked)
        scene.SetDataIOManager(unpacking_into(temporary))
        read = unpacked and scene.Connect(messages)
        scene.SetDataIOManager(None)
        if not read:
            raise SceneError(f"Slicer could not read the scene {path}: {_reason(messages)}")
    scene.SetURL("")


def unpacking_into(folder: str) -> slicer.vtkDataIOManager:
    """What a sequence asks where to unpack itself: in the scene's file it is a scene of its own."""
    cache = slicer.vtkCacheManager()
    # Of its own: the manager warns of a folder that holds more.
    cache.SetRemoteCacheDirectory(os.path.join(folder, "sequences"))
    manager = slicer.vtkDataIOManager()
    manager.SetCacheManager(cache)
    return manager


@contextmanager
def _same_working_folder() -> Iterator[None]:
    """Slicer's archiver changes the process's working folder, to one that is deleted, and leaves it there."""
    folder = os.getcwd()
    try:
        yield
    finally:
        os.chdir(folder)


def _reason(messages: slicer.vtkMRMLMessageCollection) -> str:
    return " ".join(messages.GetAllMessagesAsString().split()) or "no reason given"


def _prefer_egl() -> None:
    # Without a display VTK tries X11 first, which warns, and crashes where libX11 is not installed.
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")


def _register_module_logics(headless: HeadlessSlicer) -> None:
    modules = {
        "Volumes": slicer.vtkSlicerVolumesLogic,
        "Segmentations": slicer.vtkSlicerSegmentationsModuleLogic,
        "Tables": slicer.vtkSlicerTablesLogic,
        "Plots": slicer.vtkSlicerPlotsLogic,
        "Sequences": slicer.vtkSlicerSequencesLogic,
        "Markups": slicer.vtkSlicerMarkupsLogic,
    }
    for name, make in modules.items():
        logic = make()
        logic.SetMRMLApplicationLogic(headless.application_logic)
        logic.SetMRMLScene(headless.scene)
        headless.application_logic.SetModuleLogic(name, logic)
        headless._kept.append(logic)


def _add_views(headless: HeadlessSlicer) -> None:
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(headless.scene, True)
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    headless.scene.AddNode(crosshair)

    layout_logic = slicer.vtkMRMLLayoutLogic()
    layout_logic.SetMRMLScene(headless.scene)
    layout_logic.GetLayoutNode().SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    headless._kept.append(layout_logic)

    for name in SLICE_VIEWS:
        add_slice_logic(headless.scene, headless.application_logic, name)


def add_slice_logic(
    scene: slicer.vtkMRMLScene, application_logic: slicer.vtkMRMLApplicationLogic, layout_name: str
) -> None:
    """Give a slice view that the layout has made what the application would have given it."""
    slice_logic = slicer.vtkMRMLSliceLogic()
    slice_logic.SetMRMLApplicationLogic(application_logic)
    application_logic.GetSliceLogics().AddItem(slice_logic)
    slice_logic.SetMRMLScene(scene)
    slice_logic.SetSliceNode(scene.GetSingletonNode(layout_name, "vtkMRMLSliceNode"))
