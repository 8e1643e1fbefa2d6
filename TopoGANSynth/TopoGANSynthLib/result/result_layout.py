"""The application's views while the synthesis panel is open: gallery or single sample, and the mouse in them."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from TopoGANSynthLib.result.slice_link import SliceLink

if TYPE_CHECKING:
    from TopoGANLib.scene.layouts import ResultLayout
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.users_views import UsersViews


class View(enum.Enum):
    """What the views show; a scene stores the names."""

    gallery = "gallery"
    single = "single"

    def label(self) -> str:
        """What the user reads."""
        return {"gallery": _("Gallery"), "single": _("Single sample")}[self.value]


class ResultViews:
    """Shows a synthesis in the views, and gives the user's own layout and slice views back."""

    def __init__(self, nodes: Callable[[], SynthesisNodes | None], choose: Callable[[int], None]) -> None:
        """Change nothing yet.

        Args:
            nodes: the synthesis that is looked at, if there is one.
            choose: is called with a sample that the mouse chose.
        """
        self._nodes = nodes
        self._link = SliceLink(nodes, choose)
        self._layout: ResultLayout | None = None
        self._view: View | None = None
        self._users: UsersViews | None = None

    @property
    def shown(self) -> View | None:
        """What the views show; None where the user has chosen a layout of his own."""
        return self._view if self._layout is not None and self._layout.shown else None

    def show(self, nodes: SynthesisNodes, view: View) -> None:
        """Switch to the view, and put the shown sample into it."""
        from TopoGANLib.scene.gallery import show_gallery
        from TopoGANLib.scene.layouts import ResultLayout
        from TopoGANLib.scene.users_views import UsersViews
        from TopoGANLib.scene.views import show_chart, show_picture

        logic = slicer.app.applicationLogic()
        # The views change in many steps, of which none is the user's.
        self._link.close()
        self._users = self._users or UsersViews(logic)
        self._layout = self._layout or ResultLayout(slicer.mrmlScene)
        self._layout.show(view.value, nodes.axes)
        self._view = view
        show_picture(nodes, logic)
        self._users.are_ours()
        show_chart(nodes.plots.shown, logic)
        if view is View.gallery:
            show_gallery(nodes, logic)
            # New views get their size in a moment.
            qt.QTimer.singleShot(0, self._fit)
        self._link.listen()

    def update(self, nodes: SynthesisNodes) -> None:
        """Another sample is shown."""
        from TopoGANLib.scene.gallery import update_gallery

        if self.shown is View.gallery:
            update_gallery(nodes)

    def leave(self) -> None:
        """Give the user's own layout and slice views back."""
        self._link.close()
        if self._users is not None:
            self._users.give_back()
            self._users = None
        if self._layout is not None:
            self._layout.leave()
            self._layout = None

    def _fit(self) -> None:
        # The panel may be closed by now, and its widgets gone.
        nodes = self._nodes() if self.shown is View.gallery else None
        if nodes is not None:
            from TopoGANLib.scene.gallery import fit_gallery

            fit_gallery(nodes, slicer.app.applicationLogic())
