"""The tables of the page, as Markdown, from the stored runs alone."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from ablation.results import Group, read_results
from ablation.variants import DEFAULT, NONE

from structures.measure import ALL_VALID, ALL_VALID_FURTHER, JOINT_ERROR, JOINT_SEEN


def summary(results: Path) -> str:
    """A section for each set and protocol."""
    groups = [group for group in read_results(results) if {NONE, DEFAULT} <= group.by_variant.keys()]
    return "\n\n".join(_section(group) for group in groups) or "No results yet: say --run."


def _section(group: Group) -> str:
    seeds = sorted(group.by_variant[NONE].keys() & group.by_variant[DEFAULT].keys())
    regions = group.any.content["training_set"]["regions"]
    names = [ALL_VALID, ALL_VALID_FURTHER, JOINT_SEEN, JOINT_ERROR]
    for region in regions:
        names += [f"Valid, {region}", f"Betti error, {region}", f"Mean area, {region}"]
    rows = [_row(group, name) for name in [*names, "Dice to test", "Dice between samples"]]
    times = [run.content["step_ms"] for run in group.by_variant[DEFAULT].values()]
    cost = fmean(time["with"] / time["without"] - 1.0 for time in times)
    return "\n".join(
        [
            f"## {group.set_name}: {group.protocol}, seeds {', '.join(map(str, seeds))}",
            "",
            f"Samples in which a structure has a topology that no test slice of its level shows: fewer by a factor of "
            f"{_fewer(group, ALL_VALID, seeds)}; that no slice of any held-out patient does, further ones too: "
            f"{_fewer(group, ALL_VALID_FURTHER, seeds)}. The loss costs {cost:.0%} of a step.",
            "",
            "| | λ = 0 | default | training slices |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def _fewer(group: Group, name: str, seeds: list[int]) -> str:
    """By what factor the loss makes invalid samples fewer, seed by seed; a share below .1 % counts as that."""
    invalid = [[100.0 - group.by_variant[variant][seed].value(name) for seed in seeds] for variant in (NONE, DEFAULT)]
    return ", ".join(f"{none / max(loss, 0.1):.1f}" for none, loss in zip(*invalid, strict=True))


def _row(group: Group, name: str) -> str:
    values = [
        " / ".join(_shown(group.by_variant[variant][seed].value(name)) for seed in sorted(group.by_variant[variant]))
        for variant in (NONE, DEFAULT)
    ]
    return f"| {name} | {values[0]} | {values[1]} | {_shown(group.any.real(name))} |"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
