"""How the bars of real masks are, made up."""

from __future__ import annotations

import json
import math
from pathlib import Path

from topogan_contract.real_bars import RealBar, RealBars, RealClasses, to_json

SQUARE = ((0.0, 20.0), (1.0, 20.0), (1.0, 30.0), (0.0, 30.0), (0.0, 20.0))
_AROUND = ((0.0, 10.0), (4.0, 10.0), (4.0, 31.0), (0.0, 31.0), (0.0, 10.0))
_PIECE = RealBar(100.0, (0.0,) * 5, (math.inf,) * 5, (math.inf,) * 5)
_HOLE = RealBar(97.0, (0.0, 0.0, 0.0, 0.5, 3.0), (14.0, 16.0, 18.0, 21.0, 24.0), (13.0, 15.0, 18.0, 20.0, 23.0))
REAL = RealBars(
    166,
    (
        RealClasses((_PIECE, RealBar(7.229, (), (), ())), (), ()),
        RealClasses((_HOLE,), (SQUARE,), (_AROUND, SQUARE)),
    ),
)
"""Mostly a ring whose hole ends at 14 to 24 mm; few have a second piece, none a second hole."""


def tell_real(folder: Path) -> None:
    """Let the synthesis in a folder know it, for each of its regions."""
    path = folder / "report.json"
    report = json.loads(path.read_text())
    for region in report["regions"]:
        region["real"] = to_json(REAL)
    path.write_text(json.dumps(report))
