"""What a sample's topology is, and how many real samples have the same: one plain line for each structure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from TopoGANLib.scene.diagrams import Diagram
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANLib.scene.sample_table import Judgement

_RING, _NO_RING = (1, 1), (1, 0)
# What the engine says of a ring without a hole.
_NO_HOLE = "no hole"


def sample_words(nodes: SynthesisNodes, sample: int) -> str:
    """A line for each structure and union: "✓ 1 piece, 1 hole: as in 91 % of real slices"."""
    judgements = nodes.judgements(sample)
    if not judgements:
        return nodes.caption(sample)
    lines = []
    for number, one in enumerate(judgements):
        # Most real ones are rings, and this is none.
        lacks = one.betti == _NO_RING and (_NO_HOLE in one.said or nodes.usual_betti(number) == _RING)
        opened = lacks and is_open_ring(nodes.diagram(sample, number), nodes.image.GetSpacing()[0])
        lines.append(verdict_words(one, opened, named=len(judgements) > 1))
    return "\n".join(lines)


def verdict_words(judgement: Judgement, opened: bool = False, named: bool = True) -> str:
    """One line.

    Args:
        judgement: on a region of a sample.
        opened: it is a ring with a gap; where false, nothing of a ring is there.
        named: begin with the region's name.
    """
    what = _("open ring") if opened else _topology(judgement.betti)
    if judgement.milliliters is not None:
        what = _("{topology}, {size} ml").format(topology=what, size=f"{judgement.milliliters:.3g}")
    if named:
        what = _("{region} – {topology}").format(region=judgement.region, topology=what)
    mark = "✓" if judgement.valid else "✗"
    return _("{mark} {topology}: {verdict}").format(mark=mark, topology=what, verdict=_verdict(judgement))


def is_open_ring(diagram: Diagram, pixel: float) -> bool:
    """Whether the shape closes around a hole as it is grown, by more than the noise of the grid.

    Args:
        diagram: of a region of a slice, mm.
        pixel: mm.
    """
    closes = (diagram.dimension == 1) & (diagram.birth > 0) & (diagram.death - diagram.birth >= pixel)
    return bool(closes.any())


def _verdict(judgement: Judgement) -> str:
    percent, volumes = judgement.real_percent, len(judgement.betti) == 3
    if percent is None:
        return judgement.said
    if percent == 0:
        return _("as in no real volume") if volumes else _("as in no real slice")
    sentence = _("as in {share} of real volumes") if volumes else _("as in {share} of real slices")
    share = f"{percent:.0f} %" if percent >= 1 else _("less than 1 %")
    words = sentence.format(share=share)
    # What some real samples have is wrong only where something else was asked for.
    return words if judgement.valid else _("not what was asked for, {real}").format(real=words)


def _topology(betti: tuple[int, ...]) -> str:
    """``(1, 1)`` as "1 piece, 1 hole"."""
    if betti[0] == 0:
        return _("empty")
    nouns = [(_("no piece"), _("1 piece"), _("{count} pieces"))]
    if len(betti) == 2:
        nouns += [(_("no hole"), _("1 hole"), _("{count} holes"))]
    else:
        nouns += [
            (_("no tunnel"), _("1 tunnel"), _("{count} tunnels")),
            (_("no cavity"), _("1 cavity"), _("{count} cavities")),
        ]
    pairs = zip(betti, nouns, strict=True)
    return ", ".join(forms[min(count, 2)].format(count=count) for count, forms in pairs)
