"""TopoGAN: synthetic, topologically faithful cardiac CT.

The public names load lazily, so that ``import topogan`` costs milliseconds and no torch.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "betti_numbers": "topogan.homology",
    "cubical_persistence": "topogan.homology",
    "diagram_distance": "topogan.homology",
    "distance_filtration": "topogan.homology",
    "evaluate": "topogan.evaluation",
    "load_model": "topogan.model",
    "make_phantom": "topogan.phantom",
    "prepare": "topogan.dataset",
    "synthesize": "topogan.synthesis",
    "train": "topogan.training",
}

__all__ = ["__version__", *_PUBLIC]

if TYPE_CHECKING:
    from topogan.dataset import prepare
    from topogan.evaluation import evaluate
    from topogan.homology import betti_numbers, cubical_persistence, diagram_distance, distance_filtration
    from topogan.model import load_model
    from topogan.phantom import make_phantom
    from topogan.synthesis import synthesize
    from topogan.training import train


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'topogan' has no attribute {name!r}")
    if hasattr(sys.modules.get("slicer"), "app"):
        raise RuntimeError(
            f"topogan.{name} runs in the engine's own process, not inside Slicer: "
            'use slicer.util.getModuleLogic("TopoGANTrain") or ("TopoGANSynth") here.'
        )
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
