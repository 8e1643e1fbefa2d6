"""A picture that was painted on a segmentation, as a volume of the scene."""

from __future__ import annotations

import slicer

from TopoGANLib.scene.grid import Grid
from TopoGANLib.scene.own import added_whole, mark_own

# Fitting would turn the views to the volume's own axes.
_NO_FIT = 0


def add_painted(
    scene: slicer.vtkMRMLScene, of: str, picture: Grid, window: tuple[float, float] | None, said: str
) -> slicer.vtkMRMLScalarVolumeNode:
    """Add the volume, marked so that nobody takes it for a patient's.

    Args:
        scene: where it goes.
        of: name of the segmentation.
        picture: int16, HU for CT.
        window: lowest and highest value to tell apart; None lets Slicer choose.
        said: what the node says of itself: that it is synthetic, and of which model and seed.
    """
    name = scene.GenerateUniqueName(f"{of} painted (synthetic)")
    with added_whole(scene):
        volume = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        volume.SetDescription(said)
        mark_own(volume)
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(picture.ijk_to_ras))
        slicer.util.updateVolumeFromArray(volume, picture.array)
        volume.CreateDefaultDisplayNodes()
        if window is not None:
            display = volume.GetDisplayNode()
            display.SetAutoWindowLevel(False)
            display.SetWindowLevelMinMax(*window)
    return volume


def show_painted(volume: slicer.vtkMRMLScalarVolumeNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show it in the slice views, which stay where they are: one of them may be the plane that was painted in.

    Args:
        volume: what to show.
        application_logic: inside Slicer, ``slicer.app.applicationLogic()``.
    """
    application_logic.GetSelectionNode().SetActiveVolumeID(volume.GetID())
    application_logic.PropagateVolumeSelection(_NO_FIT)
