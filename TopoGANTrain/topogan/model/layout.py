"""Which files a model package holds, laid out like a MONAI bundle (https://docs.monai.io, "MONAI Bundle
Specification"), except that weights are safetensors instead of pickles.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from textwrap import shorten

from topogan.errors import InputError

METADATA = "configs/metadata.json"
# The first version called the discriminator critic; its files keep that name.
MASKS_GENERATOR = "models/masks_generator.safetensors"
MASKS_DISCRIMINATOR = "models/masks_critic.safetensors"
TEXTURES_GENERATOR = "models/textures_generator.safetensors"
TEXTURES_DISCRIMINATOR = "models/textures_critic.safetensors"
REFERENCE = "reference/diagrams.npz"
CARD = "docs/README.md"
LICENSE = "LICENSE"

WEIGHTS = (MASKS_GENERATOR, MASKS_DISCRIMINATOR, TEXTURES_GENERATOR, TEXTURES_DISCRIMINATOR)
# What the engine opens; the bytes of all but the metadata themselves are vouched for by hashes in the metadata.
OPENED = (METADATA, *WEIGHTS, REFERENCE)
FILES = (*OPENED, CARD, LICENSE)

# The four largest networks that the settings allow take 750 MB together.
MAX_BYTES = 1 << 30
MAX_METADATA_BYTES = 1 << 20
MAX_REFERENCE_BYTES = 64 << 20
MAX_ENTRIES = 200

_LEFT_BY_FILE_MANAGERS = {"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"}


def refused(path: Path, why: str, remedy: str = "ask whoever made it for a whole one") -> InputError:
    """The one sentence for a package that cannot be used; what a stranger wrote in it is quoted at bounded length."""
    return InputError(f"The model package {path} cannot be used: {shorten(why, 300, placeholder=' ...')}; {remedy}.")


def is_opened(name: str, package: Path) -> bool:
    """Whether the engine opens the member ``name`` ("models/x.safetensors") of ``package``.

    Further documents in ``docs`` and what file managers leave behind are passed over.

    Raises:
        InputError: the file has no place in a package: it may be a pickle, which other software would execute.
    """
    parts = PurePosixPath(name).parts
    if name in OPENED:
        return True
    if name == LICENSE or parts[0] == "docs" or _LEFT_BY_FILE_MANAGERS & set(parts) or parts[-1].startswith("._"):
        return False
    raise refused(package, f"it holds {name!r}, which is no part of a model package", "take it out only if you know it")


def check_folder(folder: Path, package: Path) -> None:
    """Refuse an unpacked package with foreign files, links or too many entries, before anything in it is opened.

    Args:
        folder: where the files are.
        package: what the user named, for the message.

    Raises:
        InputError: one sentence that names the first such entry.
    """
    if not (folder / METADATA).exists():
        raise InputError(f"{package} is no model package: {METADATA} is missing in it.")
    for count, (name, mode) in enumerate(_entries(folder), start=1):
        if count > MAX_ENTRIES:
            raise refused(package, f"it holds more than {MAX_ENTRIES} files")
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise refused(package, f"{name!r} is a link or a device instead of a file")
        if stat.S_ISREG(mode):
            is_opened(name, package)
    for name, limit in ((METADATA, MAX_METADATA_BYTES), (REFERENCE, MAX_REFERENCE_BYTES)):
        path = folder / name
        if path.exists() and path.stat().st_size > limit:
            raise refused(package, f"{name} is larger than {limit >> 20} MB")


def _entries(folder: Path) -> Iterator[tuple[str, int]]:
    for parent, folders, files in os.walk(folder):
        for name in sorted(folders) + sorted(files):
            path = Path(parent, name)
            yield path.relative_to(folder).as_posix(), path.lstat().st_mode
