"""Betti numbers in plain words."""

from __future__ import annotations

VALID = "valid"
# What the Betti numbers count, for people: b0 connected components, b1 holes, b2 (of volumes) cavities.
_NOUNS = (("piece", "pieces"), ("hole", "holes"), ("cavity", "cavities"))


def plural(dimension: int) -> str:
    """What a dimension is called: "pieces", "holes", "cavities"."""
    return _NOUNS[dimension][1]


def topology_in_words(betti: tuple[int, ...]) -> str:
    """``(1, 1)`` as "1 piece and 1 hole", ``(2, 0, 1)`` as "2 pieces, no hole and 1 cavity"."""
    *first, last = (_counted(count, dimension) for dimension, count in enumerate(betti))
    return f"{', '.join(first)} and {last}"


def verdict(betti: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """Say what is wrong with the topology of a mask.

    Args:
        betti: (b0, b1, …) of the mask, one number for each dimension: connected components, holes, ….
        expected: what it should have, in as many dimensions.

    Returns:
        "valid", "empty", or what differs: "2 pieces instead of 1", "no hole", "3 holes instead of none", ….
    """
    if tuple(betti) == tuple(expected):
        return VALID
    if betti[0] == 0:
        return "empty"
    pairs = enumerate(zip(betti, expected, strict=True))
    return ", ".join(_difference(*pair, dimension) for dimension, pair in pairs if pair[0] != pair[1])


def _difference(found: int, wanted: int, dimension: int) -> str:
    if found == 0 and wanted == 1:
        return _counted(0, dimension)
    return f"{_counted(found, dimension)} instead of {wanted or 'none'}"


def _counted(count: int, dimension: int) -> str:
    return f"{count or 'no'} {_NOUNS[dimension][count > 1]}"
