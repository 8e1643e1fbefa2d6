"""The tables of the page, as Markdown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ablation.measure import CLEANED, JOINT
from ablation.results import AREA, FAILURES, Group, mean_of, spread_of
from ablation.variants import NONE
from topogan.evaluation.report import number

_PAIRED = "Minus λ = 0, seed by seed – mean ± standard deviation (smallest to largest)"
_TIMED = (
    "**Time of a step** – CPU milliseconds, median of 20 in turn in one run, one thread (where the loss acts every "
    "k-th step, of 20 times k steps)"
)


@dataclass(frozen=True)
class Column:
    """A figure, how it is headed and, for a guard, how far it may move from λ = 0."""

    name: str
    head: str
    limit: float | None = None
    """Largest allowed paired difference; a negative one is the deepest allowed fall."""
    relative: bool = False
    """The limit is a share of λ = 0's figure."""

    def holds(self, difference: float, zero: float) -> bool | None:
        """Tell whether the guard holds; None where there is none."""
        if self.limit is None:
            return None
        limit = self.limit * zero if self.relative else self.limit
        return difference <= limit if limit >= 0 else difference >= limit


def _betti(suffix: str) -> tuple[Column, ...]:
    return (
        Column(f"Valid{suffix}", "modal, %"),
        Column(f"Betti error{suffix}", "Betti error"),
        Column(f"{JOINT}{suffix}", "joint Betti score"),
        Column(f"Betti score{suffix} of pieces", "of pieces"),
        Column(f"Betti score{suffix} of holes", "of holes"),
    )


DIAGRAMS = (
    Column("W1 of pieces", "W1 of pieces"),
    Column("W1 of holes", "W1 of holes"),
    Column("uMMD (W1) of pieces", "uMMD of pieces"),
    Column("uMMD (W1) of holes", "uMMD of holes"),
)
# Mean pairwise Dice rises when the samples become more alike: diversity falls.
GUARDS = (
    Column(AREA, "area distance / mean area", 0.04),
    Column("Dice to real", "Dice to real", -0.005),
    Column("Dice to training", "Dice to training", 0.01),
    Column("Mean pairwise Dice", "mean pairwise Dice", 0.05, relative=True),
)
SECTIONS: dict[str, tuple[Column, ...]] = {
    "Betti numbers, raw": _betti(""),
    "Betti numbers, after cleaning": _betti(CLEANED),
    "Persistence diagrams, raw": DIAGRAMS,
    "Guards": GUARDS,
}


def set_section(group: Group) -> str:
    """Everything about one set under one protocol."""
    common = group.any.content["training_set"]
    split = "" if common["independent"] else ", of the same patient (not independent)"
    lines = [
        f"### {group.set_name}: {group.protocol}",
        f"{common['train']} training and {common['held_out']} held-out masks{split}; the most frequent (pieces, holes) "
        f"is ({common['modal_betti'][0]}, {common['modal_betti'][1]}).",
    ]
    for title, columns in SECTIONS.items():
        lines.append(f"**{title}** – mean over seeds\n\n{_means(group, columns)}")
        differences = _differences(group, columns)
        if differences:
            lines.append(f"{_PAIRED}\n\n{differences}")
    lines.append(f"**How many times smaller than with λ = 0** (means over common seeds)\n\n{_ratios(group)}")
    cost = _cost(group)
    if cost:
        lines.append(f"{_TIMED}\n\n{cost}")
    return "\n\n".join(lines)


def _means(group: Group, columns: tuple[Column, ...]) -> str:
    rows = [["real against real", "", *(number(group.any.real(column.name)) for column in columns)]]
    for variant, runs in group.by_variant.items():
        figures = (number(group.mean(variant, column.name)) for column in columns)
        rows.append([variant, str(len(runs)), *figures])
    return _table(["variant", "seeds", *(column.head for column in columns)], rows)


def _differences(group: Group, columns: tuple[Column, ...]) -> str:
    rows = []
    for variant in group.by_variant:
        found = [group.pairs(variant, column.name) for column in columns]
        if variant == NONE or not any(found):
            continue
        cells = [_difference(group, column, values) for column, values in zip(columns, found, strict=True)]
        rows.append([variant, str(max(map(len, found))), *cells])
    return _table(["variant", "pairs", *(column.head for column in columns)], rows) if rows else ""


def _difference(group: Group, column: Column, values: list[float]) -> str:
    mean, spread = mean_of(values), spread_of(values)
    if mean is None:
        return "–"
    text = f"{mean:+.3g}"
    if spread is not None:
        text += f" ± {round(spread, 9):.2g} ({min(values):+.3g} to {max(values):+.3g})"
    holds = column.holds(mean, group.mean(NONE, column.name) or 0.0)
    return text if holds is not False else f"{text} **guard broken**"


def _ratios(group: Group) -> str:
    names = [
        (FAILURES, ""),
        (FAILURES, CLEANED),
        ("Betti error", ""),
        ("Betti error", CLEANED),
        (JOINT, ""),
        (JOINT, CLEANED),
    ]
    columns = [(f"{name}{suffix}", f"{name}{suffix or ' (raw)'}") for name, suffix in names]
    columns += [("W1 of pieces", "W1 of pieces"), ("W1 of holes", "W1 of holes")]
    variants = [variant for variant in group.by_variant if variant != NONE and group.pairs(variant, "Betti error")]
    rows = [[variant, *(_times(group.ratio(variant, name)) for name, _ in columns)] for variant in variants]
    return _table(["variant", *(head for _, head in columns)], rows)


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"÷{ratio:.2f}"


def _cost(group: Group) -> str:
    def mean(variant: str, read: Callable[[dict], float | None]) -> float | None:
        return mean_of([read(result.content) for result in group.by_variant[variant].values()])

    rows = []
    for variant in group.by_variant:
        with_loss = mean(variant, lambda content: content["step_ms"].get("with"))
        without = mean(variant, lambda content: content["step_ms"].get("without"))
        if with_loss is None or without is None:
            continue
        weight = mean(variant, lambda content: content["lambda"])
        share = f"+{100.0 * (with_loss / without - 1.0):.0f} %"
        rows.append([variant, f"{with_loss:.1f}", f"{without:.1f}", share, number(weight)])
    return _table(["variant", "with", "without", "more", "λ at the end"], rows) if rows else ""


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
