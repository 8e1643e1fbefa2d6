"""What the engine's environment is, and what is wrong with it, for people and for the panels."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import shutil
import subprocess
import sys
from typing import Any

import topogan
from topogan_contract import schemas

# Distribution name -> module to import; a distribution that is there but does not import is broken, and is said so.
_PACKAGES = {
    "torch": "torch",
    "gudhi": "gudhi",
    "numpy": "numpy",
    "scipy": "scipy",
    "SimpleITK": "SimpleITK",
    "nibabel": "nibabel",
    "pydicom": "pydicom",
    "monai": "monai",
    "safetensors": "safetensors",
    "pydantic": "pydantic",
    "typer": "typer",
    "rich": "rich",
    "matplotlib": "matplotlib",
    "contourpy": "contourpy",
    "jinja2": "jinja2",
}
_PROBE_SECONDS = 10


def examine() -> dict[str, Any]:
    """Return versions, devices, problems, and notes on what works but slowly: one sentence each, with its remedy."""
    packages = {name: _version(name) for name in _PACKAGES}
    problems = [
        f"{name} is not installed: install it, or choose another Python."
        for name, found in packages.items()
        if not found
    ]
    problems += [
        f"{name} is installed but does not load ({reason}): install it again."
        for name, found in packages.items()
        if found and (reason := _import_failure(_PACKAGES[name]))
    ]
    gpu = nvidia_gpu()
    devices = _devices() if packages["torch"] and not _import_failure("torch") else []
    if gpu and "cuda" not in devices:
        problems.append(
            f"{gpu} is there, but this torch ({packages['torch']}) cannot use it: "
            "install a CUDA build of torch (in Slicer: the PyTorch extension), or choose another Python."
        )
    return {
        "schema": schemas.DOCTOR,
        "topogan": topogan.__version__,
        "path": topogan.__path__[0],
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.machine()}",
        "packages": packages,
        "devices": devices,
        "gpu": gpu,
        "problems": problems,
        "notes": [] if problems else _notes(packages),
    }


def _notes(packages: dict[str, str]) -> list[str]:
    from topogan.homology.gudhi_cubical import fast_path

    if fast_path():
        return []
    return [
        f"This gudhi ({packages['gudhi']}) lacks the fast routine for images: everything works, but persistence takes "
        "50 to 200 times as long; install another version of gudhi."
    ]


def nvidia_gpu() -> str:
    """Return the name of the first NVIDIA GPU, or nothing; asked of the driver, so that a CPU torch cannot hide it."""
    tool = shutil.which("nvidia-smi")
    if not tool:
        return ""
    try:
        answer = subprocess.run(
            [tool, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip().splitlines()[0] if answer.stdout.strip() else ""


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _import_failure(module: str) -> str:
    try:
        importlib.import_module(module)
    except Exception as error:  # a broken binary package can fail in any way; that is what is being looked for
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    return ""


def _devices() -> list[str]:
    import torch

    found = ["cuda"] if torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]
