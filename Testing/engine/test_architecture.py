"""The direction of imports: who may know whom is the design, so a test holds it."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
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

# A name is a module or a sub-package. It may import what stands in earlier layers, and nothing beside or above itself.
LAYERS = [
    {"errors"},
    {"results"},
    {"files", "config", "console", "resources", "progress", "randomness", "warping", "pictures", "surface_picture"},
    {"structures"},
    {"presets", "device", "free_memory", "plane", "array_file", "verdict", "possible_copies"},
    {"volumes"},
    {"homology"},
    {"metrics", "losses"},
    {"phantom", "training_set"},
    {"dataset", "networks"},
    {"model"},
    {"runs", "synthesis", "stored_samples"},
    {"training", "export", "serve", "painting"},
    {"evaluation"},
    {"doctor", "timings", "estimate", "demo", "config_schema"},
    {"cli"},
    {"__main__"},
]
# What Slicer bundles, the standard library aside.
SLICER_BUNDLES = {
    "numpy", "scipy", "vtk", "vtkmodules", "SimpleITK", "pydicom", "qt", "ctk", "slicer", "PythonQt", "SampleData",
}  # fmt: skip
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


# Its lazy public names point everywhere by design; a test below holds that they stay lazy.
PUBLIC_NAMES = ENGINE / "__init__.py"
FILES = {
    ".".join(path.relative_to(ENGINE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ENGINE.rglob("*.py"))
    if path != PUBLIC_NAMES
}


def imported_files(path: Path) -> set[str]:
    """Return the modules of the engine that a file imports, under TYPE_CHECKING or in a function as well."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            # "from topogan.model import layout" is an import of the file layout, not of all of topogan.model.
            found |= {
                name if (name := f"{node.module}.{alias.name}") in FILES else str(node.module) for alias in node.names
            }
    return found & set(FILES)


def layer_of(module: str) -> int:
    """Return the layer of ``topogan.X...``; a module outside the table fails the test that asks."""
    part = module.split(".")[1]
    found = [number for number, layer in enumerate(LAYERS) if part in layer]
    assert found, f"topogan.{part} is in no layer: put it into LAYERS, where it belongs"
    return found[0]


@pytest.mark.parametrize("module", FILES)
def test_engine_imports_point_downwards(module: str) -> None:
    others = {name for name in imported_files(FILES[module]) if name.split(".")[1] != module.split(".")[1]}
    wrong = [name for name in others if layer_of(name) >= layer_of(module)]
    assert not wrong, f"{module} imports from its own or a later layer: {wrong}"


def test_no_files_of_the_engine_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter({module: imported_files(path) for module, path in FILES.items()}).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' -> '.join(error.args[1])}")


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
_WORDS = "TopoGANLib.words"
_SHARED = {"TopoGANLib.engine", "TopoGANLib.forms", _WORDS}
_TRAIN = "TopoGANTrain/TopoGANTrainLib"
_SYNTH = "TopoGANSynth/TopoGANSynthLib"
ROOMS = {
    "TopoGANTrain/TopoGANLib/scene": {"TopoGANLib.scene", _WORDS},
    "TopoGANTrain/TopoGANLib/headless": {"TopoGANLib.scene", "TopoGANLib.headless"},
    "TopoGANTrain/TopoGANLib/engine": _SHARED,
    "TopoGANTrain/TopoGANLib/forms": _SHARED,
    # Upwards, each on those before it.
    f"{_TRAIN}/run": {*_SHARED, "TopoGANLib.scene", "TopoGANTrainLib.run"},
    f"{_TRAIN}/data": {*_SHARED, "TopoGANLib.scene", "TopoGANTrainLib.run", "TopoGANTrainLib.data"},
    f"{_TRAIN}/check": {*_SHARED, "TopoGANLib.scene", *(f"TopoGANTrainLib.{one}" for one in ("run", "data", "check"))},
    f"{_TRAIN}/settings": {*_SHARED, *(f"TopoGANTrainLib.{one}" for one in ("run", "check", "settings"))},
    f"{_TRAIN}/runs": {*_SHARED, *(f"TopoGANTrainLib.{one}" for one in ("run", "runs", "train_logic"))},
    _TRAIN: {*_SHARED, "TopoGANLib.scene", "TopoGANTrainLib"},
    f"{_SYNTH}/job": {*_SHARED, "TopoGANSynthLib.job"},
    f"{_SYNTH}/model": {*_SHARED, "TopoGANSynthLib.model"},
    f"{_SYNTH}/result": {*_SHARED, "TopoGANLib.scene", "TopoGANSynthLib.result"},
    f"{_SYNTH}/paint": {*_SHARED, "TopoGANLib.scene", *(f"TopoGANSynthLib.{one}" for one in ("job", "model", "paint"))},
    f"{_SYNTH}/keep": {*_SHARED, "TopoGANLib.scene", *(f"TopoGANSynthLib.{one}" for one in ("job", "keep"))},
    f"{_SYNTH}/compare": {
        *_SHARED,
        "TopoGANLib.scene",
        *(f"TopoGANSynthLib.{one}" for one in ("job", "paint", "compare")),
    },
    _SYNTH: {*_SHARED, "TopoGANLib.scene", "TopoGANSynthLib"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_the_slicer_side(room: str) -> None:
    files = sorted((REPOSITORY / room).rglob("*.py"))
    assert files
    for path in files:
        for name in imported_names(path):
            if name.split(".")[0] in OWN_SLICER_SIDE:
                allowed = any(name == one or name.startswith(f"{one}.") for one in ROOMS[room])
                assert allowed, f"{path.name} imports {name}"


def test_import_is_light() -> None:
    """``import topogan`` loads nothing that takes time; Testing/benchmarks/startup.py says how much it takes."""
    code = "import sys; before = set(sys.modules); import topogan; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    packages = {name.split(".")[0] for name in loaded}
    assert packages <= set(sys.stdlib_module_names) | {"topogan"}
    assert [name for name in loaded if name.startswith("topogan")] == ["topogan"]


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
