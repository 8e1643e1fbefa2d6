"""A segmentation of the scene as the real data that samples are compared with: what the engine is asked to cut of it.

Its patches get the structures, the size, the pixels and the center of the samples, which their own files tell: the
model that is chosen in the panel may be another by now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.preparation import REQUEST_FILE
from topogan_contract.schemas import find_json
from topogan_contract.synthesis import REPORT_FILE, axes_of
from topogan_contract.words import shown

if TYPE_CHECKING:
    import slicer

    from TopoGANSynthLib.paint.painting import Match


_ARBITRARY = "arbitrary"


@dataclass(frozen=True)
class SampleForm:
    """What samples are made of."""

    structures: tuple[Mapping[str, Any], ...]
    """As in a table of structures, without labels and without context."""
    unions: tuple[tuple[str, ...], ...]
    axes: int
    """2 for slices, 3 for volumes."""
    size: int
    pixel_size: float
    """mm."""
    window: tuple[float, float] | None
    """Of the textures; None where there are none."""
    intensity: str
    context: tuple[str, ...] = ()
    """Names of what is learned besides, and not compared."""
    center: str = "slice"
    """What slices lie around: their own structures, or those of all slices ("volume")."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the structures."""
        return tuple(str(one["name"]) for one in self.structures)


def read_form(synthesis: Path) -> SampleForm | None:
    """Read it of a synthesis folder; None where that does not say it."""
    report = find_json(synthesis / REPORT_FILE, schemas.SYNTHESIS)
    try:
        return None if report is None else _form(report)
    except (KeyError, TypeError, ValueError):
        return None


def _form(report: Mapping[str, Any]) -> SampleForm:
    table, window = report["table"], report.get("window")
    counted = [one for one in table["structures"] if not one.get("context")]
    return SampleForm(
        structures=tuple({name: one[name] for name in ("name", "color", "terminology")} for one in counted),
        context=tuple(str(one["name"]) for one in table["structures"] if one.get("context")),
        unions=tuple(tuple(map(str, union)) for union in table["unions"]),
        axes=axes_of(report),
        size=int(report["size"]),
        pixel_size=float(report["pixel_size_mm"]),
        window=None if window is None else (float(window[0]), float(window[1])),
        intensity=str(report["intensity"]),
        center=str(report.get("center", "slice")),
    )


def scene_request(
    form: SampleForm,
    segmentation: slicer.vtkMRMLSegmentationNode,
    matched: Match,
    volume: slicer.vtkMRMLScalarVolumeNode | None = None,
    plane: list[list[float]] | None = None,
) -> Callable[[Path], None]:
    """What writes the request and its files into a folder, on any thread; ValueError of it tells that it is no CT.

    Args:
        form: of the samples.
        segmentation: shows all of their structures.
        matched: which segments are which.
        volume: the CT; None compares masks alone.
        plane: SliceToRAS of the plane that the patches are cut in; None for axial.

    Raises:
        InputError: segmentation or volume cannot be used.
    """
    from TopoGANLib.scene.scene_input import read_scene_input

    scan = read_scene_input(volume, segmentation, [identifier for _structure, identifier in matched.segments])
    labels = list(range(1, len(form.structures) + 1))
    table = {
        "structures": [{**one, "labels": [label]} for one, label in zip(form.structures, labels, strict=True)],
        "unions": form.unions,
    }
    settings: dict[str, Any] = {"size": form.size, "pixel_size": form.pixel_size, "resample": True}
    if form.axes == 2:
        settings["center"] = form.center
    if form.window is not None:
        settings |= {"window_low": form.window[0], "window_high": form.window[1], "intensity": form.intensity}

    sentence = _("{volume} has no value below 0, so that it is no CT: choose the CT, or None to compare masks alone.")
    no_ct = "" if volume is None else sentence.format(volume=shown(volume.GetName()))

    def write(folder: Path) -> None:
        # The engine would name a file that is gone by then.
        if form.intensity != _ARBITRARY and scan.image is not None and scan.image.array.min() >= 0:
            raise ValueError(no_ct)
        written = scan.write(folder, "p1-001", labels)
        source = {
            "segmentations": [str(written.segmentation.absolute())],
            "images": [] if written.image is None else [str(written.image.absolute())],
            "patient": "p1",
            "plane": "axial" if plane is None else plane,
        }
        content = {"sources": [source], "settings": settings, "table": table, "temporary": True}
        text = json.dumps({"schema": schemas.PREPARE_REQUEST, **content})
        (folder / REQUEST_FILE).write_text(text, encoding="utf-8")

    return write
