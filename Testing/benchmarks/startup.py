"""How long ``import topogan`` takes, beside ``import numpy`` in the same run: ``python Testing/benchmarks/startup.py``.

Each takes turns in fresh interpreters, so that a busy machine slows both; the ratio of their medians is what counts.
"""

from __future__ import annotations

import subprocess
import sys
from statistics import median

TURNS = 15
CODE = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"


def seconds(package: str) -> float:
    """Import a package in a fresh interpreter; return what the import alone took."""
    return float(subprocess.check_output([sys.executable, "-c", CODE.format(package)], text=True))


def main() -> None:
    """Print both medians and their ratio."""
    pairs = [(seconds("topogan"), seconds("numpy")) for _ in range(TURNS)]
    ours, theirs = (median(column) for column in zip(*pairs, strict=True))
    print(f"import topogan {1000 * ours:.1f} ms, import numpy {1000 * theirs:.1f} ms: ratio {ours / theirs:.3f}")


if __name__ == "__main__":
    main()
