"""Tables and curves of the results; only here the test patients' scores are looked at."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from downstream_runs.arms import ARMS, OWN, REAL, RIVAL, SYNTHETIC, WITHOUT
from downstream_runs.results import Runs
from topogan.evaluation.gain import Gain, gain

_SCORES = {"dice": "Dice", "hd95": "HD95, mm", "missed": "missed, %", "betti_error": "Betti error"}
_COMPARED = ("dice", "betti_error")
_DRAWN = {REAL: "C7", OWN: "C2", SYNTHETIC: "C0", WITHOUT: "C1"}


def tables(source: str, runs: Runs, less_told: Runs) -> str:
    """A table of each number of patients, and what each arm has over the rival, paired by seed.

    ``less_told`` are runs on the same slices whose synthesis was told less, if there are any.
    """
    title, lines = source.replace("_", " ").capitalize(), []
    for patients in _numbers(runs):
        lines += [f"\n### {title}, {patients} training patient{'s' if patients > 1 else ''}\n"]
        head = [*_SCORES.values(), "Dice over the rival", "Betti error over the rival", "seeds"]
        lines += [f"| U-Net trained on | {' | '.join(head)} |", f"|{'---|' * (len(head) + 1)}"]
        by_arm, others = ({arm: _seeds(found, patients, arm) for arm in ARMS} for found in (runs, less_told))
        for arm, mine in by_arm.items():
            if mine:
                cells = [_spread([one["test"][score] for one in mine.values()]) for score in _SCORES]
                rival = {} if arm == RIVAL else by_arm[RIVAL]
                over = [_over(_gain(mine, rival, score)) for score in _COMPARED]
                lines.append(f"| {arm} | {' | '.join([*cells, *over, str(len(mine))])} |")
        pairs = {"λ > 0 over λ = 0": (by_arm[SYNTHETIC], by_arm[WITHOUT])}
        pairs |= {f"told over not told, {arm}": (mine, others[arm]) for arm, mine in by_arm.items() if ARMS[arm].data}
        for words, pair in pairs.items():
            found = {score: _over(_gain(*pair, score)) for score in _COMPARED}
            if all(found.values()):
                lines.append(f"\n{words}: " + ", ".join(f"{_SCORES[score]} {said}" for score, said in found.items()))
    return "\n".join(lines)


def draw(runs: Runs, path: Path) -> None:
    """Curves of the gain over the rival against the number of patients, a point a seed and a line through the means."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    numbers = _numbers(runs)
    figure, both = pyplot.subplots(1, 2, figsize=(8, 3.2))
    for axes, score in zip(both, _COMPARED, strict=True):
        for shift, (arm, color) in enumerate(_DRAWN.items()):
            means = []
            for place, patients in enumerate(numbers):
                mine, rival = _seeds(runs, patients, arm), _seeds(runs, patients, RIVAL)
                seeds = mine.keys() & rival.keys()
                found = [mine[seed]["test"][score] - rival[seed]["test"][score] for seed in seeds]
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


def _numbers(runs: Runs) -> list[int]:
    """How many training patients there are synthetic slices of."""
    return sorted({one["patients"] for one in runs.values() if ARMS[one["arm"]].data is not None})


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


def _gain(mine: dict[int, Any], others: dict[int, Any], score: str) -> Gain | None:
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
