"""The command line of a benchmark that has one thing to measure and one table."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def measure_or_tell(description: str, run: Callable[[], None], summary: Callable[[], str]) -> None:
    """Do what the user asks for.

    Args:
        description: of the benchmark, for ``--help``.
        run: with ``--run``: measures.
        summary: with ``--summary``: its table is printed.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--summary", action="store_true")
    asked = parser.parse_args()
    if asked.run:
        run()
    if asked.summary:
        print(summary())
