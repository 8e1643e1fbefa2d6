"""Betti numbers in plain words."""

from __future__ import annotations

VALID = "valid"


def topology_in_words(betti: tuple[int, int]) -> str:
    """``(1, 1)`` as "1 piece and 1 hole", ``(2, 0)`` as "2 pieces and no hole"."""
    return f"{_counted(betti[0], 'piece')} and {_counted(betti[1], 'hole')}"


def verdict(betti: tuple[int, int], expected: tuple[int, int]) -> str:
    """Say what is wrong with the topology of a mask.

    Args:
        betti: (b0, b1) of the mask: connected components and holes.
        expected: (b0, b1) that it should have.

    Returns:
        "valid", "empty", or what differs: "2 pieces instead of 1", "no hole", "3 holes instead of none", ….
    """
    if tuple(betti) == tuple(expected):
        return VALID
    if betti[0] == 0:
        return "empty"
    pairs = zip(betti, expected, ("piece", "hole"), strict=True)
    return ", ".join(_difference(found, wanted, noun) for found, wanted, noun in pairs if found != wanted)


def _difference(found: int, wanted: int, noun: str) -> str:
    if found == 0 and wanted == 1:
        return f"no {noun}"
    return f"{_counted(found, noun)} instead of {wanted or 'none'}"


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'s' if count > 1 else ''}"
