"""The model package: written by the training, shared between people, opened with care.

A folder laid out like a MONAI bundle (or that folder as a zip): settings and hashes as JSON, weights as safetensors,
reference diagrams as plain arrays. Nothing in it is ever executed or unpickled.
"""

from __future__ import annotations

from topogan.model.archive import pack_model
from topogan.model.drawing import Samples
from topogan.model.loading import load_model
from topogan.model.measuring import add_figures
from topogan.model.model import Model
from topogan.model.saving import save_model

__all__ = ["Model", "Samples", "add_figures", "load_model", "pack_model", "save_model"]
