"""The plots of the page: how the topology is learned over the steps, and paired differences."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from ablation.measure import CLEANED, JOINT
from ablation.results import Group
from ablation.variants import NONE
from topogan.files import staged_file

_COMPARED = (("Betti error", "Betti error"), (JOINT, "joint Betti score"), (f"{JOINT}{CLEANED}", "… cleaned"))


def write_plot(group: Group, path: Path) -> None:
    """Draw the curves of all variants and, where there are pairs, their differences to λ = 0, as one PNG."""
    others = [variant for variant in group.by_variant if variant != NONE and group.pairs(variant, "Betti error")]
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    ratios = [2, 1, 1, 1] if others else [1]
    curves, *differences = figure.subplots(1, len(ratios), squeeze=False, width_ratios=ratios)[0]
    # One line a run: a mean over other seeds in each variant would show the seeds and not the variants.
    colors = {variant: f"C{number}" for number, variant in enumerate(group.by_variant)}
    for variant, runs in group.by_variant.items():
        for number, result in enumerate(runs.values()):
            points = result.content["curve"]
            steps, errors = ([point[key] for point in points] for key in ("step", "betti_error"))
            curves.plot(steps, errors, colors[variant], linewidth=1.0, label=None if number else variant)
    curves.axvline(group.any.content["warm_up_steps"], color="0.7", linewidth=0.8)
    curves.axhline(group.any.real("Betti error"), color="0.4", linewidth=0.8, linestyle=":", label="real against real")
    curves.set(xlabel="step", ylabel="Betti error (500 samples)", yscale="log", title=group.set_name)
    curves.legend(fontsize=6, loc="lower left")
    for axes, (name, title) in zip(differences, _COMPARED, strict=False):
        for place, variant in enumerate(others):
            values = group.pairs(variant, name)
            axes.plot(values, [place] * len(values), "o", color=colors[variant], alpha=0.7)
        axes.axvline(0.0, color="0.4", linewidth=0.8)
        axes.set(title=f"{title}\nminus λ = 0", yticks=range(len(others)), ylim=(len(others) - 0.5, -0.5))
        axes.set_yticklabels(others if axes is differences[0] else [], fontsize=8)
        axes.tick_params(axis="x", labelsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged_file(path) as temporary:
        figure.savefig(temporary, dpi=110)
