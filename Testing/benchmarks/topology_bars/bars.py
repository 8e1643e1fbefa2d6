"""What a bar asks and what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """One line of the table."""

    number: str
    asked: str
    measured: str
    met: bool | None
    """None: no bar, printed for comparison."""


def table(bars: list[Bar]) -> str:
    """The bars as a table in Markdown."""
    words = {True: "met", False: "**missed**", None: "–"}
    lines = ["| # | bar | measured | |", "|---|---|---|---|"]
    lines += [f"| {bar.number} | {bar.asked} | {bar.measured} | {words[bar.met]} |" for bar in bars]
    return "\n".join(lines)


def at_least(number: str, asked: str, ratio: float, limit: float, details: str = "") -> Bar:
    """A bar on how many times faster than a peer."""
    return Bar(number, f"{asked}: ≥ {limit:g}×", f"{ratio:.3g}×{details}", ratio >= limit)


def at_most(number: str, asked: str, percent: float, limit: float, details: str = "") -> Bar:
    """A bar on a share in percent."""
    return Bar(number, f"{asked}: ≤ {limit:g} %", f"{percent:.2g} %{details}", percent <= limit)
