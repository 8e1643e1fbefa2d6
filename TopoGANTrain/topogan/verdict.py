"""Betti numbers in plain words, and what real slices of a level, or real volumes, show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from topogan_contract.synthesis import VALID

# Below this share of the real samples a topology is called valid, but it is said how rare it is.
_USUAL = 0.1
TENTHS = 10

Betti = tuple[int, ...]
Joint = tuple[Betti, ...]
"""The Betti numbers of all regions."""
# What the Betti numbers of slices (2 of them) and of volumes (3) count, for people. A handle is a tunnel, too.
_NOUNS = {
    2: (("piece", "pieces"), ("hole", "holes")),
    3: (("piece", "pieces"), ("tunnel", "tunnels"), ("cavity", "cavities")),
}
_SAMPLES = {2: "slices", 3: "volumes"}


def plural(dimension: int, axes: int = 2) -> str:
    """What a dimension is called: "pieces" and "holes" of slices, "pieces", "tunnels" and "cavities" of volumes."""
    return _NOUNS[axes][dimension][1]


def topology_in_words(betti: Betti) -> str:
    """``(1, 1)`` as "1 piece and 1 hole", ``(2, 0, 1)`` as "2 pieces, no tunnel and 1 cavity"."""
    *first, last = (_counted(count, dimension, len(betti)) for dimension, count in enumerate(betti))
    return f"{', '.join(first)} and {last}"


def verdict(betti: Betti, expected: Betti, share: float = 0.0) -> str:
    """Say what is wrong with the topology of a mask.

    Args:
        betti: (b0, b1) of the mask, connected components and holes; of a volume (b0, b1, b2), connected components,
            tunnels and cavities.
        expected: what it should have, as many numbers.
        share: of the real samples that have the same topology as the mask, 0 to 1; what some of them have is right.

    Returns:
        "valid", "empty", or what differs: "2 pieces instead of 1", "no hole", "3 holes instead of none", …; with a
        small share "valid (no hole, as in 9 % of real slices)".

    Raises:
        ValueError: they are not equally many numbers.
    """
    if tuple(betti) == tuple(expected) or share >= _USUAL:
        return VALID
    axes, pairs = len(betti), enumerate(zip(betti, expected, strict=True))
    said = ", ".join(_difference(*pair, dimension, axes) for dimension, pair in pairs if pair[0] != pair[1])
    said = "empty" if betti[0] == 0 else said
    return f"{VALID} ({said}, as in {_percent(share)} of real {_SAMPLES[axes]})" if share else said


def is_valid(said: str) -> bool:
    """Whether a verdict is that nothing is wrong."""
    return said.startswith(VALID)


class RealTopologies:
    """Which topologies real slices of each level show; or real volumes, which all have the level 0.

    A level is compared with its tenth of the structures' length and the neighboring ones: the levels of two patients do
    not agree better, and a single tenth holds too few slices. None stands for slices of every level.

    Args:
        topologies: tenth of the level (0 to 9), Betti numbers of each region, and number of slices.
    """

    def __init__(self, topologies: Iterable[tuple[int, Joint, int]]) -> None:
        self._of_tenth: dict[int | None, Counter[Joint]] = {tenth: Counter() for tenth in (None, *range(TENTHS))}
        for tenth, betti, count in topologies:
            for near in (None, *range(max(0, tenth - 1), min(TENTHS, tenth + 2))):
                self._of_tenth[near][betti] += count
        self._of_region: dict[tuple[int | None, int], Counter[Betti]] = {}

    @classmethod
    def of(cls, levels: Iterable[float], betti: Iterable[Iterable[Iterable[int]]]) -> RealTopologies:
        """Those of single slices: their levels [N], 0 to 1, and their Betti numbers [N, R, dimensions]."""
        pairs = zip(levels, betti, strict=True)
        return cls((tenth_of(level), tuple(tuple(map(int, one)) for one in found), 1) for level, found in pairs)

    def joint(self, level: float | None = None) -> Counter[Joint]:
        """How often all regions together have which Betti numbers."""
        return self._of_tenth[None if level is None else tenth_of(level)]

    def of_region(self, region: int, level: float | None = None) -> Counter[Betti]:
        """How often one region has which Betti numbers."""
        key = (None if level is None else tenth_of(level), region)
        if key not in self._of_region:
            found = self._of_region[key] = Counter()
            for betti, count in self.joint(level).items():
                found[betti[region]] += count
        return self._of_region[key]

    def verdict(self, betti: Betti, region: int, level: float | None = None) -> str:
        """What is wrong with a region, beside the most frequent topology of real slices of its level."""
        return verdict(betti, self.usual(region, level), self.share(betti, region, level))

    def share(self, betti: Betti, region: int, level: float | None = None) -> float:
        """Which part of the real slices of a level has these Betti numbers of a region, 0 to 1."""
        found = self.of_region(region, level)
        return found[tuple(betti)] / max(found.total(), 1)

    def usual(self, region: int, level: float | None = None) -> Betti:
        """The most frequent Betti numbers of a region; of all levels, where no real slice is near."""
        found = self.of_region(region, level) or self.of_region(region)
        return min(found, key=lambda one: (-found[one], one))


@dataclass(frozen=True)
class Expectation:
    """What samples are judged by."""

    asked: tuple[Betti | None, ...]
    """For each region the Betti numbers that were asked for; None: those that real slices of its level show."""
    real: RealTopologies | None = None
    """Needed where nothing was asked."""

    def verdicts(self, betti: Joint, level: float | None = None) -> list[str]:
        """What is wrong with each region of a sample."""
        return [self._verdict(found, region, level) for region, found in enumerate(betti)]

    def wanted(self, betti: Joint, level: float | None = None) -> list[Betti]:
        """What each region of a sample should have had; what it has, where that is valid."""
        return [
            found if is_valid(said) else self.asked[region] or self._known.usual(region, level)
            for region, (found, said) in enumerate(zip(betti, self.verdicts(betti, level), strict=True))
        ]

    def _verdict(self, found: Betti, region: int, level: float | None) -> str:
        asked = self.asked[region]
        return verdict(found, asked) if asked else self._known.verdict(found, region, level)

    @property
    def _known(self) -> RealTopologies:
        assert self.real is not None
        return self.real


def joint_verdict(names: Iterable[str], verdicts: Iterable[str]) -> str:
    """The verdicts on all regions of a sample in one: those that find something, each after the region's name."""
    found = [(name, said) for name, said in zip(names, verdicts, strict=True) if said != VALID]
    wrong = [f"{name}: {said}" for name, said in found if not is_valid(said)]
    rare = [f"{name}: {said.removeprefix(f'{VALID} (')[:-1]}" for name, said in found]
    return "; ".join(wrong) if wrong else f"{VALID} ({'; '.join(rare)})" if rare else VALID


def tenth_of(level: float) -> int:
    """Number of the tenth in which a level of 0 to 1 lies, 0 to 9."""
    return min(max(int(level * TENTHS), 0), TENTHS - 1)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"


def _difference(found: int, wanted: int, dimension: int, axes: int) -> str:
    if found == 0 and wanted == 1:
        return _counted(0, dimension, axes)
    return f"{_counted(found, dimension, axes)} instead of {wanted or 'none'}"


def _counted(count: int, dimension: int, axes: int) -> str:
    return f"{count or 'no'} {_NOUNS[axes][dimension][count > 1]}"
