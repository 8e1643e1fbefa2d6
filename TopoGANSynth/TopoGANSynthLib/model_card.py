"""What a model package says of itself, as far as a panel shows it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan_contract import schemas
from topogan_contract.words import shown

_METADATA = "configs/metadata.json"
_MOST_BYTES = 1 << 20
_LONGEST_NAME = 80
# No gray value is further from 0.
_FARTHEST = 1e9


@dataclass(frozen=True)
class ModelCard:
    """The few lines of the metadata that help to choose a model."""

    structure: str
    size: int
    pixel_size_mm: float
    regions: tuple[str, ...]
    """Names of the structures, and of unions of them."""
    axes: int
    """2 for slices, 3 for volumes."""
    modal_betti: tuple[tuple[int, ...], ...]
    """Of each region in the most frequent real topology: pieces and holes, of volumes pieces, tunnels and cavities."""
    has_textures: bool
    independent: bool
    """False where training and evaluation share a patient."""
    structures: tuple[str, ...]
    """Names as the engine knows them, in the order of their label ids."""
    window: tuple[float, float] | None
    """Lowest and highest value of the textures to tell apart, HU for CT."""


def read_model_card(path: Path) -> ModelCard | None:
    """Read the metadata of a package, a folder or a zip; None if it is none. Nothing else of it is opened."""
    try:
        content = json.loads(_metadata(path))
        if content["schema"] not in (schemas.MODEL, schemas.FIRST_MODEL):
            return None
        return _card(content)
    except (OSError, KeyError, TypeError, ValueError, RecursionError, zipfile.BadZipFile):
        return None


def _metadata(path: Path) -> bytes:
    if path.is_dir():
        with (path / _METADATA).open("rb") as file:
            return file.read(_MOST_BYTES)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if f"/{name}".endswith(f"/{_METADATA}")]
        with archive.open(names[0] if names else _METADATA) as file:
            return file.read(_MOST_BYTES)


def _card(content: dict[str, Any]) -> ModelCard:
    if content["schema"] == schemas.FIRST_MODEL:
        names, unions, modal = [content["structure"]], [], [content["betti"]["modal"]]
    else:
        table = content["table"]
        names, unions = [structure["name"] for structure in table["structures"]], table["unions"]
        modal = content["betti"]["modal"]
    regions = tuple(shown(name, _LONGEST_NAME) for name in (*names, *(" + ".join(union) for union in unions)))
    axes = int(content.get("axes", 2))
    if len(modal) != len(regions) or any(len(numbers) != axes for numbers in modal) or axes not in (2, 3):
        raise ValueError("a topology without its region")
    return ModelCard(
        structure=shown(", ".join(names), _LONGEST_NAME),
        regions=regions,
        size=int(content["size"]),
        pixel_size_mm=float(content["pixel_size_mm"]),
        axes=axes,
        modal_betti=tuple(tuple(int(number) for number in numbers) for numbers in modal),
        has_textures="image" in content["network_data_format"]["outputs"],
        independent=bool(content["training_set"]["independent"]),
        structures=tuple(map(str, names)),
        window=_window(content.get("window")),
    )


def _window(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = map(float, value)
    if not -_FARTHEST < low < high < _FARTHEST:
        raise ValueError("no window")
    return low, high
