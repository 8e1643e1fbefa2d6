"""The extension as CMake sees it: every file listed, installed where the code looks for it, described for the index."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
_FAKE = Path(__file__).with_name("fake_slicer")
_MODULES = ("TopoGANTrain", "TopoGANSynth")
_SCRIPTED = Path("lib/Slicer-5.13/qt-scripted-modules")


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """The build folder, and what the macros were given."""
    folder = tmp_path_factory.mktemp("build with spaces")
    record = folder / "record.txt"
    cmake = str(Path(sys.executable).with_name("cmake"))
    subprocess.run(
        [
            cmake, "-S", str(REPOSITORY), "-B", str(folder), "-G", "Unix Makefiles", f"-DSlicer_DIR={_FAKE}",
            f"-DRECORD={record}", f"-DCMAKE_TOOLCHAIN_FILE={_FAKE / 'no_compiler.cmake'}",
            f"-DCMAKE_INSTALL_PREFIX={folder / 'installed'}",
        ],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, list[str]] = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        kind, _, values = line.partition("\t")
        found.setdefault(kind, []).extend(values.split(";"))
    subprocess.run([cmake, "--install", str(folder)], check=True, capture_output=True, text=True)
    return folder, found


def files(folder: Path, pattern: str) -> set[str]:
    found = (path for path in folder.rglob(pattern) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in found}


@pytest.mark.parametrize("name", _MODULES)
def test_every_file_is_listed(configured: tuple[Path, dict[str, list[str]]], name: str) -> None:
    _, found = configured
    assert name in found["module"]
    scripts, resources = found[f"scripts {name}"], found[f"resources {name}"]
    assert sorted(scripts) == sorted(files(REPOSITORY / name, "*.py"))
    others = files(REPOSITORY / name, "*") - files(REPOSITORY / name, "*.py") - {"CMakeLists.txt"}
    assert sorted(resources) == sorted(others)


def test_only_modules_lie_beside_a_module() -> None:
    """Slicer takes every Python file right in a module's folder for a module."""
    for name in _MODULES:
        assert [path.name for path in (REPOSITORY / name).glob("*.py")] == [f"{name}.py"]


def test_tests_for_the_application(configured: tuple[Path, dict[str, list[str]]]) -> None:
    assert set(configured[1]["test"]) == {"TopoGANTrain.py", "TopoGANSynth.py", "TopoGANInSlicerTest.py"}


def test_description_for_the_index(configured: tuple[Path, dict[str, list[str]]]) -> None:
    found = {name: ";".join(values) for name, values in configured[1].items()}
    assert found["EXTENSION_DEPENDS"] == "PyTorch"
    assert len(found["EXTENSION_DESCRIPTION"]) > 80
    assert found["EXTENSION_HOMEPAGE"].endswith("/SlicerTopoGAN")
    text = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
    assert re.search(r"^project\(TopoGAN\)$", text, re.MULTILINE)
    for name in ("ICONURL", "SCREENSHOTURLS"):
        # The index reads them line by line.
        url = re.search(rf'^set\(EXTENSION_{name} "(\S+\.png)"\)$', text, re.MULTILINE)
        assert url, name
        assert url.group(1).startswith("https://raw.githubusercontent.com/TopoGAN/SlicerTopoGAN/main/Resources/")
    assert (REPOSITORY / "LICENSE").is_file()


def test_what_is_installed_works(configured: tuple[Path, dict[str, list[str]]]) -> None:
    """The engine runs from the installed extension and finds what it shares with the panels."""
    scripted = configured[0] / "installed" / _SCRIPTED
    code = (
        f"import sys; sys.path.insert(0, {str(scripted)!r})\n"
        "import topogan.presets, topogan.resources, topogan_contract, TopoGANLib.engine.process as process\n"
        "assert topogan.__file__.startswith(sys.path[0]) and topogan.presets.preset_names()\n"
        "assert topogan_contract.__file__.startswith(sys.path[0])\n"
        "assert topogan.resources.slicer_library_parent() == process.ENGINE_PARENT\n"
        "assert process.ENGINE_PARENT in topogan.resources.resource_path('presets').parents\n"
        "assert (process.ENGINE_PARENT / 'Resources' / 'requirements.txt').is_file()\n"
        "assert (process.ENGINE_PARENT / 'TopoGANLib' / 'forms' / 'settings.schema.json').is_file()\n"
        "print(process.ENGINE_PARENT)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=configured[0]
    ).stdout
    assert Path(said.strip()) == scripted.resolve()


def test_the_build_tree_has_the_shared_resources(configured: tuple[Path, dict[str, list[str]]]) -> None:
    shared = configured[0] / _SCRIPTED / "Resources" / "TopoGAN"
    assert files(shared / "presets", "*.json") == files(REPOSITORY / "Resources" / "presets", "*.json")


@pytest.mark.usefixtures("application")
def test_requirements_are_those_of_the_engine() -> None:
    """All that the engine needs but torch, which PyTorchUtils installs, and what Slicer brings."""
    needs = [need for need in importlib.metadata.requires("topogan") or [] if "extra ==" not in need]
    text = (REPOSITORY / "TopoGANTrain" / "Resources" / "requirements.txt").read_text(encoding="utf-8")
    listed = {line for line in text.splitlines() if line and not line.startswith("#")}
    brought = ("torch>", "numpy>", "scipy>", "simpleitk>", "pydicom>", "pillow>")
    assert listed == {need for need in needs if not need.lower().startswith(brought)}

    from TopoGANLib.engine.install import TORCH

    assert TORCH in needs
