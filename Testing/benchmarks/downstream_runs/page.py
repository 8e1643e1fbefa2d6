"""Tables and curves of the results; only here the test patients' scores are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from downstream_runs.arms import ARMS, OWN, REAL, RIVAL, SYNTHETIC, WITHOUT
from downstream_runs.results import Runs
from topogan.evaluation.gain import Gain, gain

_SCORES = {"dice": "Dice", "hd95": "HD95, mm", "missed": "missed, %", "betti_error": "Betti error"}
_DRAWN = {REAL: "C7", OWN: "C2", SYNTHETIC: "C0", WITHOUT: "C1"}


def tables(source: str, runs: Runs) -> str:
    """A table of each number of patients, and what each arm has over the rival, paired by seed."""
    title, lines = source.replace("_", " ").capitalize(), []
    for patients in sorted({one["patients"] for one in runs.values()}):
        lines += [f"\n### {title}, {patients} training patient{'s' if patients > 1 else ''}\n"]
        head = [*_SCORES.values(), "Dice over the rival", "Betti error over the rival", "seeds"]
        lines += [f"| U-Net trained on | {' | '.join(head)} |", f"|{'---|' * (len(head) + 1)}"]
        for arm in ARMS:
            mine = _seeds(runs, patients, arm)
            if mine:
                cells = [_spread([one["test"][score] for one in mine.values()]) for score in _SCORES]
                over = [_over(_gain(runs, patients, arm, RIVAL, score)) for score in ("dice", "betti_error")]
                lines.append(f"| {arm} | {' | '.join([*cells, *over, str(len(mine))])} |")
        for score in ("dice", "betti_error"):
            against = _over(_gain(runs, patients, SYNTHETIC, WITHOUT, score))
            lines += [f"\nλ > 0 over λ = 0, {_SCORES[score]}: {against}"] if against else []
    return "\n".join(lines)


def draw(runs: Runs, path: Path) -> None:
    """Curves of the gain over the rival against the number of patients, a point a seed and a line through the means."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    numbers = sorted({one["patients"] for one in runs.values()})
    figure, both = pyplot.subplots(1, 2, figsize=(8, 3.2))
    for axes, score in zip(both, ("dice", "betti_error"), strict=True):
        for shift, (arm, color) in enumerate(_DRAWN.items()):
            means = []
            for place, patients in enumerate(numbers):
                found = list(_differences(runs, patients, arm, RIVAL, score))
                at = place + 0.07 * (shift - 1.5)
                axes.plot([at] * len(found), found, ".", color=color, markersize=4)
                means += [(at, fmean(found))] if found else []
            axes.plot(*zip(*means, strict=True), "-", color=color, label=arm) if means else None
        axes.axhline(0.0, color="black", linewidth=0.8)
        axes.set_xticks(range(len(numbers)), [str(number) for number in numbers])
        axes.set_xlabel("training patients")
        axes.set_title(f"{_SCORES[score]}, over {RIVAL}", fontsize=9)
    both[0].legend(fontsize=7)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90, metadata={"Software": None})
    pyplot.close(figure)


def write(page: Path, place: str, text: str) -> None:
    """Put a text between the two marks of a place, instead of what is there."""
    begin, end = f"<!-- {place}: begin -->", f"<!-- {place}: end -->"
    before, _, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def _seeds(runs: Runs, patients: int, arm: str) -> dict[int, dict[str, Any]]:
    """By seed, in their order."""
    found = [one for one in runs.values() if (one["patients"], one["arm"]) == (patients, arm)]
    return {one["seed"]: one for one in sorted(found, key=lambda one: int(one["seed"]))}


def _differences(runs: Runs, patients: int, arm: str, other: str, score: str) -> Iterator[float]:
    mine, others = _seeds(runs, patients, arm), _seeds(runs, patients, other)
    for seed in mine.keys() & others.keys():
        one, two = mine[seed]["test"][score], others[seed]["test"][score]
        if one is not None and two is not None:
            yield one - two


def _gain(runs: Runs, patients: int, arm: str, other: str, score: str) -> Gain | None:
    if arm == other:
        return None
    mine, others = _seeds(runs, patients, arm), _seeds(runs, patients, other)
    seeds = sorted(mine.keys() & others.keys())
    return gain([others[seed]["test"][score] for seed in seeds], [mine[seed]["test"][score] for seed in seeds])


def _over(found: Gain | None) -> str:
    if found is None:
        return ""
    sign = "" if round(found.difference, 3) == 0 else "+" if found.difference > 0 else "−"
    spread = "" if found.spread is None else f" ± {found.spread:.3f}"
    return f"{'**' if found.clear else ''}{sign}{abs(found.difference):.3f}{spread}{'**' if found.clear else ''}"


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    return f"{fmean(known):.3f}" + (f" ± {stdev(known):.3f}" if len(known) > 1 else "")
