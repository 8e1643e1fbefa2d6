"""Layouts of the views for a synthesis: all samples at once, or one with its barcode; and the user's own given back."""

from __future__ import annotations

import slicer

GALLERY_VIEW = "TopoGAN"
"""Layout name of the slice view with all samples."""
GALLERY_VIEW_ID = f"vtkMRMLSliceNode{GALLERY_VIEW}"

# No other slice view is linked with it: it lies elsewhere.
_VIEW_GROUP = 46

_GALLERY = f"""
<view class="vtkMRMLSliceNode" singletontag="{GALLERY_VIEW}">
 <property name="orientation" action="default">Axial</property>
 <property name="viewlabel" action="default">A</property>
 <property name="viewcolor" action="default">#56B4E9</property>
 <property name="viewgroup" action="default">{_VIEW_GROUP}</property>
</view>"""
_THREE_D = """
<view class="vtkMRMLViewNode" singletontag="1"><property name="viewlabel" action="default">1</property></view>"""
_PLOT = """
<view class="vtkMRMLPlotViewNode" singletontag="PlotView1">
 <property name="viewlabel" action="default">P</property>
</view>"""


def _slice(name: str, orientation: str, color: str) -> str:
    return f"""
<view class="vtkMRMLSliceNode" singletontag="{name}">
 <property name="orientation" action="default">{orientation}</property>
 <property name="viewlabel" action="default">{name[0]}</property>
 <property name="viewcolor" action="default">{color}</property>
</view>"""


_RED = _slice("Red", "Axial", "#F34A33")
_GREEN = _slice("Green", "Coronal", "#6EB04B")
_YELLOW = _slice("Yellow", "Sagittal", "#EDD54C")


def _layout(kind: str, *parts: tuple[str, int]) -> str:
    """Views beside (``horizontal``) or above (``vertical``) each other, with their shares of the room in per mille."""
    items = "".join(f'<item splitSize="{share}">{view}</item>' for view, share in parts)
    return f'<layout type="{kind}" split="true">{items}</layout>'


_PLANES = _layout("horizontal", (_RED, 333), (_GREEN, 333), (_YELLOW, 333))
# Views, of slices (2 axes) and of volumes (3). Numbers of Slicer's own layouts are below 100.
_LAYOUTS = {
    ("gallery", 2): (
        5460,
        _layout("horizontal", (_GALLERY, 600), (_layout("vertical", (_RED, 500), (_PLOT, 500)), 400)),
    ),
    ("single", 2): (5461, _layout("horizontal", (_RED, 500), (_PLOT, 500))),
    ("gallery", 3): (
        5462,
        _layout("horizontal", (_GALLERY, 600), (_layout("vertical", (_THREE_D, 500), (_PLOT, 500)), 400)),
    ),
    ("single", 3): (
        5463,
        _layout("vertical", (_layout("horizontal", (_THREE_D, 500), (_PLOT, 500)), 550), (_PLANES, 450)),
    ),
}


class ResultLayout:
    """Switches the application's layout, and knows which one the user had.

    While it is on, it is not saved with the scene: who opens that without TopoGAN would see no view at all.
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        """Change nothing yet."""
        self._scene = scene
        self._before: int | None = None

    @property
    def shown(self) -> bool:
        """Whether the views are as :meth:`show` left them, not as the user has chosen since."""
        layout = self._layout
        return layout is not None and layout.GetViewArrangement() in {number for number, _ in _LAYOUTS.values()}

    def show(self, view: str, axes: int) -> None:
        """Switch to a layout; nothing happens where it is on already.

        Args:
            view: ``gallery`` or ``single``.
            axes: of samples, 2 for slices and 3 for volumes.
        """
        layout = self._layout
        if layout is None:
            return
        number, description = _LAYOUTS[view, axes]
        if not self.shown:
            self._before = layout.GetViewArrangement()
        layout.SetSaveWithScene(False)
        # In one step: the application rebuilds its views at each.
        with slicer.util.NodeModify(layout):
            layout.AddLayoutDescription(number, description)
            layout.SetViewArrangement(number)

    def leave(self) -> None:
        """Give the user's own layout back, and take away what was added."""
        layout = self._layout
        if layout is None:
            return
        layout.SetSaveWithScene(True)
        with slicer.util.NodeModify(layout):
            if self.shown:
                layout.SetViewArrangement(self._before or slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
            for number, _ in _LAYOUTS.values():
                layout.SetLayoutDescription(number, "")

    @property
    def _layout(self) -> slicer.vtkMRMLLayoutNode | None:
        return self._scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
