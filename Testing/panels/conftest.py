"""Where the panels' files and the helpers of their tests lie."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# As in Slicer, where every module's folder is on the path.
for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels"):
    path = str(REPOSITORY / folder)
    if path not in sys.path:
        sys.path.append(path)
