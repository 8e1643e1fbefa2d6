"""The direction of imports: who may know whom is the design, so a test holds it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = REPOSITORY / "TopoGANTrain" / "topogan"
CONTRACT = REPOSITORY / "TopoGANTrain" / "topogan_contract"
SLICER_SIDE = [
    REPOSITORY / "TopoGANTrain" / "TopoGANTrain.py",
    REPOSITORY / "TopoGANSynth" / "TopoGANSynth.py",
    *(REPOSITORY / "TopoGANTrain" / "TopoGANLib").rglob("*.py"),
    *(REPOSITORY / "TopoGANTrain" / "TopoGANTrainLib").rglob("*.py"),
    *(REPOSITORY / "TopoGANSynth" / "TopoGANSynthLib").rglob("*.py"),
]

# Later layers may import earlier ones and their own, never the other way. A name is a module or a sub-package.
LAYERS = [
    {"errors", "files", "resources", "config", "presets", "config_schema", "progress", "randomness", "device"},
    {"plane", "volumes"},
    {"homology"},
    {"metrics", "losses"},
    {"phantom", "training_set", "dataset"},
    {"networks"},
    {"model", "verdict"},
    {"runs", "synthesis"},
    {"training", "export", "serve"},
    {"evaluation"},
    {"cli_options", "doctor", "demo", "cli", "__main__"},
]
# What Slicer bundles, the standard library aside.
SLICER_BUNDLES = {"numpy", "scipy", "vtk", "vtkmodules", "SimpleITK", "pydicom", "qt", "ctk", "slicer", "PythonQt"}
OWN_SLICER_SIDE = {"TopoGANLib", "TopoGANTrainLib", "TopoGANSynthLib"}
SHARED = "topogan_contract"


def imported_names(path: Path) -> set[str]:
    """Return every absolute module name that a file imports, wherever in the file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def layer_of(module: str) -> int:
    """Return the layer of ``topogan.X...``; a module outside the table fails the test that asks."""
    part = module.split(".")[1]
    found = [number for number, layer in enumerate(LAYERS) if part in layer]
    assert found, f"topogan.{part} is in no layer: put it into LAYERS, where it belongs"
    return found[0]


@pytest.mark.parametrize("path", sorted(ENGINE.rglob("*.py")), ids=lambda path: str(path.relative_to(ENGINE)))
def test_engine_imports_point_downwards(path: Path) -> None:
    if path == ENGINE / "__init__.py":
        return  # its lazy public names point everywhere by design; the test below holds that they stay lazy
    part = path.relative_to(ENGINE).parts[0].removesuffix(".py")
    own = layer_of(f"topogan.{part}")
    modules = {".".join(name.split(".")[:2]) for name in imported_names(path) if name.startswith("topogan.")}
    wrong = [
        module
        for module in modules
        if (ENGINE / module.split(".")[1]).is_dir() or (ENGINE / f"{module.split('.')[1]}.py").is_file()
        if layer_of(module) > own
    ]
    assert not wrong, f"{path.name} imports from a later layer: {wrong}"


def test_engine_knows_nothing_of_slicer() -> None:
    forbidden = {"slicer", "qt", "ctk", "vtk", "vtkmodules"} | OWN_SLICER_SIDE
    for path in ENGINE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imported_names(path)} & forbidden, path


def test_what_both_share_needs_the_standard_library_alone() -> None:
    """Slicer's process loads it, whatever is installed there, and both sides can rely on it."""
    files = sorted(CONTRACT.rglob("*.py"))
    assert files
    for path in files:
        found = {name.split(".")[0] for name in imported_names(path)}
        assert found <= {*sys.stdlib_module_names, SHARED}, path


@pytest.mark.parametrize("path", SLICER_SIDE, ids=lambda path: path.name)
def test_slicer_side_imports_only_what_slicer_bundles(path: Path) -> None:
    allowed = {*sys.stdlib_module_names, *SLICER_BUNDLES, *OWN_SLICER_SIDE, SHARED}
    found = {name.split(".")[0] for name in imported_names(path)}
    assert found <= allowed, f"{path.name} imports {found - allowed}"


# Which of the Slicer side's own packages each room may import.
ROOMS = {
    "TopoGANTrain/TopoGANLib/scene": {"TopoGANLib.scene"},
    "TopoGANTrain/TopoGANLib/headless": {"TopoGANLib.scene", "TopoGANLib.headless"},
    "TopoGANTrain/TopoGANLib/engine": {"TopoGANLib.engine", "TopoGANLib.forms"},
    "TopoGANTrain/TopoGANLib/forms": {"TopoGANLib.engine", "TopoGANLib.forms"},
    "TopoGANTrain/TopoGANTrainLib": {"TopoGANLib.engine", "TopoGANLib.forms", "TopoGANTrainLib"},
    "TopoGANSynth/TopoGANSynthLib": {"TopoGANLib.engine", "TopoGANLib.forms", "TopoGANLib.scene", "TopoGANSynthLib"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_the_slicer_side(room: str) -> None:
    files = sorted((REPOSITORY / room).rglob("*.py"))
    assert files
    for path in files:
        for name in imported_names(path):
            if name.split(".")[0] in OWN_SLICER_SIDE:
                assert name.startswith(tuple(ROOMS[room])), f"{path.name} imports {name}"


def test_import_is_light() -> None:
    """``import topogan`` loads nothing heavy and costs under 50 ms (measured inside a fresh interpreter)."""
    code = (
        "import sys, time; t = time.perf_counter(); import topogan; s = time.perf_counter() - t;"
        "heavy = {'torch', 'gudhi', 'numpy', 'scipy', 'pydantic', 'SimpleITK', 'monai'} & set(sys.modules);"
        "assert not heavy, heavy; print(s)"
    )
    seconds = min(float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(3))
    assert seconds < 0.05


def test_public_names_load(monkeypatch: pytest.MonkeyPatch) -> None:
    import topogan

    monkeypatch.delitem(sys.modules, "slicer", raising=False)  # a stand-in of other tests
    for name in topogan.__all__:
        assert getattr(topogan, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = topogan.nonsense


def test_public_names_refuse_to_run_inside_slicer() -> None:
    code = (
        "import sys, types; sys.modules['slicer'] = types.SimpleNamespace(app=object()); import topogan\n"
        "try: topogan.train\n"
        "except RuntimeError as error: print(error)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "getModuleLogic" in said
    assert said.count("\n") == 1
