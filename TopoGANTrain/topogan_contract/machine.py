"""Which computer this is, without saying so to a stranger who is given a run folder."""

from __future__ import annotations

import hashlib
import os
import socket
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_KEY_LETTERS = 32


def user_folder() -> Path:
    """The folder for the user's own settings, by each system's custom."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "TopoGAN"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "TopoGAN"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "topogan"


def machine_id() -> str:
    """What this user's processes on this computer have in common; empty where the settings cannot be written.

    A random key, which stays in the settings, hides the name of the host. The name still counts: on a cluster many
    hosts share one home.
    """
    try:
        key = _key(user_folder() / "machine")
    except (OSError, RuntimeError, ValueError):  # RuntimeError: there is no home
        return ""
    return hashlib.sha256(f"{key} {socket.gethostname()}".encode(errors="replace")).hexdigest()[:_KEY_LETTERS]


def written_here(status: Mapping[str, Any], machine: str) -> bool:
    """Whether an engine of this user on this computer wrote a status; version 0.1 named the host in it."""
    if "machine" not in status:
        return bool(status.get("host") == socket.gethostname())
    return bool(machine) and status["machine"] == machine


def _key(path: Path) -> str:
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = path.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(uuid.uuid4().hex)
            os.link(made, path)  # fails where another process was faster: its key counts
        except FileExistsError:
            pass
        except OSError:  # a disk without hard links
            os.replace(made, path)
        finally:
            made.unlink(missing_ok=True)
    with path.open(encoding="ascii") as file:
        key = file.read(_KEY_LETTERS + 1)
    if len(key) != _KEY_LETTERS:
        raise ValueError("no key of ours")
    return key
