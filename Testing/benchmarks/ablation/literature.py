"""What others report, beside ours."""

from __future__ import annotations

from ablation.results import Group, mean_of
from ablation.variants import DEFAULT, NONE
from topogan.evaluation.report import number

_PUBLISHED = """\
| | of what | figures |
|---|---|---|
| Wang et al., ECCV 2020, table 1 | Betti score, WGAN-GP over TopoGAN: CREMI, ISBI 2012, Retina, Maps, Facade | \
÷15.7, ÷1.13, ÷1.18, ÷1.26, ÷1.42 |
| the same | uMMD, likewise | ÷1.06, ÷1.38, ÷1.08, ÷1.02, ÷1.71 |
| the task this project began with | "Wasserstein distance" and "Dice" between synthetic and real | 0.0021 and 0.995 |

The paper trains WGAN-GP, longer, and prints neither the formula of its Betti score, nor of which dimension it is, nor
its kernel's σ: only its ratios can be laid beside ours, and only loosely. The task's two numbers name no unit, no
formula and no pairing; a Dice of 0.995 between a drawn sample and any real mask would be a copy. Of ours, W1 is in
image widths, and real against real is not 0; Dice to real is that of a sample to the nearest held-out mask."""


def beside_the_literature(groups: list[Group]) -> str:
    """A table of the default variant on every set, under what others report."""
    rows = [_row(group) for group in groups if DEFAULT in group.by_variant and NONE in group.by_variant]
    head = [
        f"| ours: {DEFAULT} | Betti score of holes | joint | uMMD of holes: λ = 0, with | W1 of pieces, of holes "
        "(real against real) | Dice to real (real against real) |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join(["### Beside the literature", "", _PUBLISHED, "", *head, *rows])


def _row(group: Group) -> str:
    holes, joint = (group.ratio(DEFAULT, name) for name in ("Betti score of holes", "Joint Betti score"))
    mmd = [number(group.mean(variant, "uMMD (W1) of holes")) for variant in (NONE, DEFAULT)]
    cells = [
        f"{group.set_name}, {len(group.by_variant[DEFAULT])} seeds",
        *("–" if value is None else f"÷{value:.2f}" for value in (holes, joint)),
        ", ".join(mmd),
        ", ".join(_with_real(group, f"W1 of {what}") for what in ("pieces", "holes")),
        _with_real(group, "Dice to real"),
    ]
    return f"| {' | '.join(cells)} |"


def _with_real(group: Group, name: str) -> str:
    real = mean_of([result.real(name) for result in group.by_variant[DEFAULT].values()])
    return f"{number(group.mean(DEFAULT, name))} ({number(real)})"
