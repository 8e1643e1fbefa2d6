"""The extension's CMake, configured against a stand-in for Slicer that writes down what its macros were given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALLED = Path("lib/Slicer-5.12/qt-scripted-modules")


def cmake(*arguments: str) -> None:
    code = "import cmake, sys; sys.exit(cmake.cmake())"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    fake = Path(__file__).parent / "fake_slicer"
    cmake("-S", str(REPOSITORY), "-B", str(folder), f"-DSlicer_DIR={fake}", "-DBUILD_TESTING=ON")
    return folder


@pytest.fixture(scope="module")
def recorded(build: Path) -> list[tuple[str, str]]:
    lines = (build / "recorded.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split(" ", 1)) for line in lines]  # type: ignore[misc]


@pytest.mark.parametrize("module", ["TopoGANTrain", "TopoGANSynth"])
def test_every_file_of_a_module_is_packaged(module: str, recorded: list[tuple[str, str]]) -> None:
    folder = REPOSITORY / module
    listed = {name for owner, name in recorded if owner == module}
    wanted = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "CMakeLists.txt" and "__pycache__" not in path.parts
    }
    assert listed == wanted


def test_module_tests_are_run_by_ctest(recorded: list[tuple[str, str]]) -> None:
    scripts = {Path(name).name for owner, name in recorded if owner == "unittest"}
    assert scripts == {"TopoGANTrain.py", "TopoGANSynth.py"}


def test_extension_describes_itself(recorded: list[tuple[str, str]]) -> None:
    metadata = {owner: name for owner, name in recorded if owner.startswith("EXTENSION_")}
    assert metadata["EXTENSION_DEPENDS"] == "PyTorch"
    assert metadata["EXTENSION_DESCRIPTION"].endswith(".")
    for name in ("ICONURL", "SCREENSHOTURLS"):
        path = metadata[f"EXTENSION_{name}"].split("/main/")[1]
        assert (REPOSITORY / path).is_file(), f"{path} is named in CMakeLists.txt"


def test_shared_resources_lie_where_the_engine_looks(build: Path, tmp_path: Path) -> None:
    presets = INSTALLED / "Resources" / "TopoGAN" / "presets"
    assert (build / presets / "demo.json").is_file(), "build tree"
    cmake("--install", str(build), "--prefix", str(tmp_path))
    assert (tmp_path / presets / "demo.json").is_file(), "installed"


def test_an_installed_engine_finds_its_resources(tmp_path: Path) -> None:
    """Laid out as the extension installs it, with nothing of the source tree around."""
    modules = tmp_path / INSTALLED
    (modules / "Resources" / "TopoGAN" / "presets").mkdir(parents=True)
    (modules / "Resources" / "TopoGAN" / "presets" / "demo.json").write_text("{}")
    (modules / "topogan").mkdir()
    for name in ("resources.py", "errors.py", "__init__.py"):
        (modules / "topogan" / name).write_bytes((REPOSITORY / "TopoGANTrain" / "topogan" / name).read_bytes())
    code = (
        f"import sys; sys.path.insert(0, {str(modules)!r})\n"
        "from topogan.resources import resource_path; print(resource_path('presets', 'demo.json'))"
    )
    found = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    assert Path(found) == modules / "Resources" / "TopoGAN" / "presets" / "demo.json"
