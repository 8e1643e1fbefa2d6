"""Hold the topology engine to its bars and print them as one table.

    python Testing/benchmarks/topology.py

All times are CPU times of one thread, the peers taking turns; only the ratios mean anything. tcripser and GLPK are
compared with where the packages cripser and cvxopt are installed; neither is needed.
"""

from __future__ import annotations

import platform
import sys
from importlib.metadata import version
from time import perf_counter

from topology_bars.bars import table
from topology_bars.distances import distance_bars
from topology_bars.engine import engine_bars
from topology_bars.robustness import robustness_bar
from topology_bars.training import training_bars


def main() -> int:
    """Measure and print; 1 where a bar is missed."""
    start = perf_counter()
    bars = [*engine_bars(), *training_bars(), *distance_bars(), robustness_bar()]
    packages = ", ".join(f"{name} {version(name)}" for name in ("gudhi", "numpy", "scipy", "torch", "POT"))
    print(table(bars))
    print(f"\nPython {platform.python_version()}, {packages}; {perf_counter() - start:.0f} s in all.")
    missed = [bar.asked for bar in bars if bar.met is False]
    print(f"Missed: {'; '.join(missed)}." if missed else "Every bar is met.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
