"""Which samples of a synthesis the user keeps, and which of them have the wanted topology."""

from __future__ import annotations

import json

from topogan_contract.synthesis import VALID, region_columns
from TopoGANLib.scene.nodes import SynthesisNodes

_KEPT = "TopoGAN.kept"
# A name, not a path: a shared scene must not tell where a user's files are.
_SOURCE = "TopoGAN.source"
# Of version 0.1, which knew one structure.
_FIRST_VERDICT = "verdict"


def kept_samples(nodes: SynthesisNodes) -> list[int]:
    """Their numbers, rising; none of a scene that says nonsense."""
    try:
        numbers = json.loads(nodes.attribute(_KEPT) or "[]")
    except ValueError:
        return []
    count = nodes.count
    whole = {one for one in numbers if type(one) is int and 0 <= one < count} if isinstance(numbers, list) else set()
    return sorted(whole)


def keep_sample(nodes: SynthesisNodes, sample: int, wanted: bool) -> None:
    """Keep a sample, or no longer; the scene remembers it."""
    numbers = {*kept_samples(nodes), sample} if wanted else {*kept_samples(nodes)} - {sample}
    nodes.set_attribute(_KEPT, json.dumps(sorted(numbers)))


def fitting_samples(nodes: SynthesisNodes) -> list[int]:
    """Numbers of the samples of which every region has the topology that was asked for, or that real samples show."""
    table = nodes.samples.GetTable()
    columns = [table.GetColumnByName(region_columns(region, nodes.axes)[-1]) for region in nodes.regions]
    if None in columns:
        columns = [table.GetColumnByName(_FIRST_VERDICT)]
    if None in columns:
        return []
    return [
        sample
        for sample in range(nodes.count)
        if all(column.GetVariantValue(sample).ToString().startswith(VALID) for column in columns)
    ]


def source_of(nodes: SynthesisNodes) -> str:
    """Name under which the session that made the samples keeps their files; empty if there is none."""
    return nodes.attribute(_SOURCE) or ""


def set_source(nodes: SynthesisNodes, name: str) -> None:
    """Remember that name with the scene."""
    nodes.set_attribute(_SOURCE, name)
