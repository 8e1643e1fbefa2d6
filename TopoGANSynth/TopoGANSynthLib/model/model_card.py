"""What a model package says of itself, as far as a panel shows it, and why a package is none."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.figures import Figures, read_figures
from topogan_contract.words import shown

_METADATA = "configs/metadata.json"
_MOST_BYTES = 1 << 20
_LONGEST_NAME = 80
# No gray value is further from 0.
_FARTHEST = 1e9
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_NO_COLOR = "#808080"
_KIND, _SLASH, _NEWEST = schemas.MODEL.partition("/")
_CHUNK = 1 << 20
# As much as the engine unpacks at most.
_MOST_CHECKED = 1 << 30


class ModelRefused(ValueError):
    """A sentence for the user that says why a package cannot be used."""


@dataclass(frozen=True)
class ModelCard:
    """What of the metadata helps to choose a model."""

    structure: str
    size: int
    pixel_size_mm: float
    regions: tuple[str, ...]
    """Names of the structures but context, and of unions of them, whole, as the engine knows them."""
    axes: int
    """2 for slices, 3 for volumes."""
    modal_betti: tuple[tuple[int, ...], ...]
    """Of each region in the most frequent real topology: pieces and holes, of volumes pieces, tunnels and cavities."""
    has_textures: bool
    independent: bool
    """False where training and evaluation share a patient."""
    structures: tuple[str, ...]
    """Names as the engine knows them, in the order of their label ids; context comes last."""
    colors: tuple[str, ...]
    """Of the structures but context: ``#rrggbb``."""
    window: tuple[float, float] | None
    """Lowest and highest value of the textures to tell apart, HU for CT."""
    patients: int
    parts: tuple[int, int, int]
    """How many slices (volumes) were for training, validation and test."""
    training_set: str
    """Content hash of what it was trained on; empty where it says nothing."""
    figures: Figures | None
    """How good it is; None where that was not measured."""
    hashes: tuple[tuple[str, str], ...]
    """Name and SHA-256 of each file of the package."""

    @property
    def counted(self) -> tuple[str, ...]:
        """The structures but context."""
        return self.structures[: len(self.colors)]

    @property
    def shown_regions(self) -> tuple[str, ...]:
        """The names of ``regions`` fit to be shown: of one line, the longest cut."""
        return tuple(shown(region, _LONGEST_NAME) for region in self.regions)


def package_of(path: Path) -> Path:
    """The package that a user means: of the folder of a run the one in it."""
    inside = path / "model"
    return inside if not (path / _METADATA).exists() and (inside / _METADATA).exists() else path


def read_model_card(path: Path) -> ModelCard:
    """Read the metadata of a package, a folder or a zip. Nothing else of it is opened.

    Raises:
        ModelRefused: it is no package, is damaged, or was made by a newer version.
    """
    content = _metadata(path)
    schema = str(content.get("schema")) if isinstance(content, dict) else ""
    kind, _slash, version = schema.partition("/")
    if kind != _KIND or not re.fullmatch("[0-9]{1,4}", version):
        raise _no_package()
    if int(version) > int(_NEWEST):
        sentence = _("This model was made by a newer TopoGAN ({schema}): update the extension.")
        raise ModelRefused(sentence.format(schema=schema))
    try:
        return _card(content)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        sentence = _("The model's description ({file}) is damaged: ask whoever made it for a whole one.")
        raise ModelRefused(sentence.format(file=_METADATA)) from error


def first_wrong_file(path: Path, hashes: Mapping[str, str]) -> str:
    """Compare a package's files with their hashes; return the name of one that is missing or changed, or nothing.

    Takes a second for each gigabyte: for a thread.
    """
    left = _MOST_CHECKED
    for name, expected in hashes.items():
        digest = hashlib.sha256()
        try:
            with _opened(path, name) as file:
                while left > 0 and (chunk := file.read(_CHUNK)):
                    digest.update(chunk)
                    left -= len(chunk)
        except (OSError, KeyError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error):
            return name
        if digest.hexdigest() != expected:
            return name
    return ""


def _no_package() -> ModelRefused:
    return ModelRefused(_("This is no model package: choose its folder, or its .zip."))


def _metadata(path: Path) -> Any:
    try:
        if not path.exists():
            raise ModelRefused(_("There is nothing at {path}: choose the model again.").format(path=shown(path)))
        if path.is_file() and not zipfile.is_zipfile(path):
            raise _no_zip(path)
        with _opened(path, _METADATA) as file:
            return json.loads(file.read(_MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError, KeyError) as error:
        raise _no_package() from error
    except OSError as error:
        sentence = _("The model cannot be read ({reason}): look at its permissions.")
        raise ModelRefused(sentence.format(reason=error.strerror or error)) from error
    except ModelRefused:
        raise
    except (ValueError, RecursionError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged() from error


def _no_zip(path: Path) -> ModelRefused:
    with path.open("rb") as file:
        begins_so = file.read(2) == b"PK"
    return _damaged() if begins_so or path.suffix.lower() == ".zip" else _no_package()


def _damaged() -> ModelRefused:
    return ModelRefused(_("This model is damaged: copy it again, or ask whoever made it for a whole one."))


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A file of a package; in a zip all of them lie in one folder, or at the top.

    Raises:
        KeyError: the zip has no such file.
    """
    if path.is_dir():
        if not (path / name).is_file():  # a pipe would keep us waiting
            raise FileNotFoundError(name)
        with (path / name).open("rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        names = [one for one in archive.namelist() if f"/{one}".endswith(f"/{name}")]
        with archive.open(names[0] if names else name) as inside:
            yield inside


def _card(content: dict[str, Any]) -> ModelCard:
    if content["schema"] == schemas.FIRST_MODEL:
        structures, unions, modal = [{"name": content["structure"]}], [], [content["betti"]["modal"]]
    else:
        table = content["table"]
        structures, unions, modal = table["structures"], table["unions"], content["betti"]["modal"]
    names = [one["name"] for one in structures]
    colors = [one.get("color", _NO_COLOR) for one in structures if not one.get("context")]
    counted = [one["name"] for one in structures if not one.get("context")]
    regions = tuple(map(str, (*counted, *(" + ".join(union) for union in unions))))
    axes = int(content.get("axes", 2))
    if len(modal) != len(regions) or any(len(numbers) != axes for numbers in modal) or axes not in (2, 3):
        raise ValueError("a topology without its region")
    if not counted or not all(_COLOR.fullmatch(color) for color in colors):
        raise ValueError("no structure, or no color")
    trained, figures = content["training_set"], read_figures(content.get("figures"))
    if figures is not None and len(figures.regions) != len(regions):
        raise ValueError("figures of other regions")
    return ModelCard(
        structure=shown(", ".join(names), _LONGEST_NAME),
        regions=regions,
        size=int(content["size"]),
        pixel_size_mm=float(content["pixel_size_mm"]),
        axes=axes,
        modal_betti=tuple(tuple(int(number) for number in numbers) for numbers in modal),
        has_textures="image" in content["network_data_format"]["outputs"],
        independent=bool(trained["independent"]),
        structures=tuple(map(str, names)),
        colors=tuple(colors),
        window=_window(content.get("window")),
        patients=int(trained["patients"]),
        # Sets of two parts had "held_out" slices.
        parts=(
            int(trained["train"]),
            int(trained.get("validation", 0)),
            int(trained["test"] if "test" in trained else trained["held_out"]),
        ),
        training_set=str(trained.get("content_hash", "")),
        figures=figures,
        hashes=tuple((str(name), str(digest)) for name, digest in content.get("files", {}).items()),
    )


def _window(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    low, high = map(float, value)
    if not -_FARTHEST < low < high < _FARTHEST:
        raise ValueError("no window")
    return low, high
