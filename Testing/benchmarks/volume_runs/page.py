"""The tables of the page on trainings, as Markdown, from the stored runs alone."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import Any

from ablation.results import Group, read_results
from ablation.variants import NONE

from volume_runs.measure import CLEANED, DICE_TEST, DICE_TRAIN, DRAWS, JOINT_ERROR, SHOWN, VALID

STEP_WITHOUT, PERSISTENCE = "step without the loss", "persistence of the batch"


def summary(results: Path) -> str:
    """A section for each set and protocol that was trained without a loss."""
    groups = [group for group in read_results(results) if NONE in group.by_variant]
    return "\n\n".join(_section(group) for group in groups) or "No trainings yet: say --run."


def cost_table(found: list[dict[str, Any]]) -> str:
    """The measurements in Markdown."""
    threads = [f"{row['threads']} thread{'s' * (row['threads'] > 1)}" for row in found]
    lines = [f"| CPU s (s by the clock), batch {found[0]['batch']} | {' | '.join(threads)} |"]
    lines.append("|---|" + "---|" * len(found))
    for name in found[0]["seconds"]:
        times = (row["seconds"][name] for row in found)
        cells = " | ".join("{cpu:.2f} ({clock:.2f})".format(**cell) for cell in times)
        lines.append(f"| {name} | {cells} |")
    shares = (row["seconds"][PERSISTENCE]["cpu"] / row["seconds"][STEP_WITHOUT]["cpu"] for row in found)
    cells = " | ".join(f"{100 * share:.0f} %" for share in shares)
    lines.append(f"| persistence, of a step without the loss | {cells} |")
    for name in ("without the loss", "with it"):
        cells = " | ".join(f"{row['peak_mb'][name]:.0f}" for row in found)
        lines.append(f"| MB at most, {name} | {cells} |")
    lines.append(f"\n{found[0]['wrong_b1']} of the {found[0]['batch']} samples have another b1 than training volumes.")
    return "\n".join(lines)


def _section(group: Group) -> str:
    variants = [NONE, *sorted(name for name in group.by_variant if name != NONE)]
    content = group.any.content
    names = [VALID, CLEANED, SHOWN, DRAWS, JOINT_ERROR]
    for region in content["training_set"]["regions"]:
        names += [f"Valid, {region}", *(f"Mean {number}, {region}" for number in ("b0", "b1", "b2"))]
        names += [f"Mean volume, {region}"]
    names += [DICE_TEST, DICE_TRAIN, "Dice between volumes"]
    lines = [
        f"## {group.set_name}: {group.protocol}",
        "",
        f"{content['training_set']['train']} volumes to train on, {content['samples']} samples; seeds "
        f"{', '.join(map(str, sorted(group.by_variant[NONE])))}, one beside the other.",
        "",
        *(_said(group, variant) for variant in variants if any(_costs(group, variant))),
        "",
        f"| | {' | '.join(variants)} | training volumes |",
        "|---|" + "---|" * (len(variants) + 1),
        *(_row(group, variants, name) for name in names),
    ]
    return "\n".join(lines)


def _said(group: Group, variant: str) -> str:
    """How much better a variant is than none, seed by seed, and what it costs."""
    seeds = sorted(group.by_variant[NONE].keys() & group.by_variant[variant].keys())
    pairs = [(group.by_variant[NONE][seed], group.by_variant[variant][seed]) for seed in seeds]
    # One sample in a thousand is the least that can be counted.
    failures = [(100 - none.value(VALID)) / max(100 - loss.value(VALID), 0.1) for none, loss in pairs]
    errors = [none.value(JOINT_ERROR) / max(loss.value(JOINT_ERROR), 0.001) for none, loss in pairs]
    cost = fmean(time["with"] / time["without"] for time in _costs(group, variant))
    return (
        f"- **{variant}**: failures ÷ {_list(failures)}, joint Betti error ÷ {_list(errors)}; a step takes "
        f"{cost:.2f} times as long."
    )


def _costs(group: Group, variant: str) -> list[dict[str, float]]:
    """Milliseconds of a step with the loss and without, of each seed; empty where there is no loss."""
    return [run.content["step_ms"] for run in group.by_variant[variant].values()]


def _row(group: Group, variants: list[str], name: str) -> str:
    columns = [
        " / ".join(_shown(group.by_variant[variant][seed].value(name)) for seed in sorted(group.by_variant[variant]))
        for variant in variants
    ]
    return f"| {name} | {' | '.join(columns)} | {_shown(group.any.real(name))} |"


def _list(ratios: list[float]) -> str:
    return ", ".join(f"{ratio:.1f}" for ratio in ratios)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
