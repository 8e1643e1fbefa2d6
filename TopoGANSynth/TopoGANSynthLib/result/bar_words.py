"""What a bar of the barcode says of the sample, in words with its own numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

if TYPE_CHECKING:
    from TopoGANLib.scene.barcode import Bar
    from TopoGANLib.scene.standing import Standing

# mm; the quantiles are rounded.
_ROUNDING = 1e-3


def bar_words(bar: Bar, axes: int, standing: Standing | None = None) -> str:
    """Explain a bar: what it is, when it begins, what its end means, and whether it is as in real masks.

    The structure is grown by the filtration value, in mm: a hole that is as wide as 18 mm is filled at 9 mm.

    Args:
        bar: of a sample's barcode.
        axes: 2 for slices, 3 for volumes.
        standing: among the bars of real masks, where they are known.
    """
    compared = [] if standing is None else _compared(bar, axes, standing)
    words = " ".join([_meaning(bar, axes), *compared])
    return _("Bar {number}: {words}").format(number=bar.number, words=words)


def _compared(bar: Bar, axes: int, standing: Standing) -> list[str]:
    samples, real = _("slices") if axes == 2 else _("volumes"), standing.real
    if real is None:
        return [
            _("None of {masks} real {samples} has as many such bars.").format(masks=standing.masks, samples=samples)
        ]
    if not real.lengths:
        sentence = _("Only {percent} % of {masks} real {samples} have {count} or more such bars.")
        percent = f"{real.percent:.0f}"
        return [sentence.format(percent=percent, masks=standing.masks, samples=samples, count=standing.rank)]
    sentences, length = [], bar.death - bar.birth
    if bar.birth > real.births[-1] + _ROUNDING:
        sentences.append(_("The bar begins later than in 95 % of real {samples}."))
    if length > real.lengths[-1] + _ROUNDING:
        sentences.append(_("The bar is longer than in 95 % of real {samples}."))
    elif length < real.lengths[0] - _ROUNDING:
        sentences.append(_("The bar is shorter than in 95 % of real {samples}."))
    elif math.isfinite(length):
        sentences.append(_("The bar is as long as usual in real {samples}."))
    return [sentence.format(samples=samples) for sentence in sentences]


def _meaning(bar: Bar, axes: int) -> str:
    birth, death = f"{bar.birth:.1f}", f"{bar.death:.1f}"
    if bar.dimension == 0:
        if math.isinf(bar.death):
            return _("a piece of the structure, the one that is left at the end.")
        sentence = _("another piece; grown by {death} mm it touches an older one: the gap is about {gap} mm wide.")
        return sentence.format(death=death, gap=f"{2 * bar.death:.1f}")
    if bar.dimension == 1 and axes == 3:
        closed, filled = (
            (_("a tunnel or handle of the structure"), _("it is filled at {death} mm."))
            if bar.birth <= 0
            else (_("a tunnel that closes at {birth} mm: a gap"), _("it is filled at {death} mm."))
        )
        return f"{closed}; {filled}".format(birth=birth, death=death)
    whole, gap = (_("a ring around a hole"), _("a ring with a gap")) if axes == 2 else (_("a cavity"), _("a leak"))
    if bar.birth <= 0:
        sentence = _("{what}: it is closed; what is inside is filled at {death} mm, about {width} mm wide.")
    else:
        sentence = _(
            "{what} of {gap} mm, closed only when grown by {birth} mm; filled at {death} mm, about {width} mm wide."
        )
    what = whole if bar.birth <= 0 else gap
    width, across = f"{2 * bar.death:.1f}", f"{2 * bar.birth:.1f}"
    return sentence.format(what=what, birth=birth, death=death, width=width, gap=across)
