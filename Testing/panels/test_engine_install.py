"""Installing: the PyTorch extension for torch, pip for the rest, nothing of Slicer moved, every end said in words."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell_doctor

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn

    from TopoGANLib.engine.process import Engine


class Pip:
    """What Slicer's packaging module was asked for; nothing is installed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import slicer.packaging

        self.calls: list[tuple[list[str], str, dict[str, Any]]] = []
        self.installed = {"torch"}
        self.busy = False
        monkeypatch.setattr(slicer.packaging, "pip_install", self._install)
        monkeypatch.setattr(slicer.packaging, "pip_check", lambda need: str(need).split(">")[0] in self.installed)
        monkeypatch.setattr(slicer.packaging, "isPipInstallInProgress", lambda: self.busy)

    def _install(self, requirements: list[str], **how: Any) -> None:
        self.calls.append((requirements, Path(how["constraints"]).read_text(), how))

    def end(self, code: int) -> None:
        self.calls[-1][2]["completedCallback"](code)


@pytest.fixture
def pip(application: StandIn, monkeypatch: pytest.MonkeyPatch) -> Pip:
    return Pip(monkeypatch)


def make_installer(ends: list[str]) -> Any:
    from TopoGANLib.engine.install import EngineInstaller
    from TopoGANLib.engine.panel import REQUIREMENTS

    return EngineInstaller(REQUIREMENTS, lambda line: None, ends.append)


def test_what_is_there_stays_as_it_is(pip: Pip) -> None:
    import numpy

    ends: list[str] = []
    assert make_installer(ends).start() == ""
    requirements, constraints, how = pip.calls[0]
    assert requirements[:2] == ["--only-binary", ":all:"]
    assert any(need.startswith("gudhi<") and ">=3.11" in need for need in requirements)
    assert all("<" in need for need in requirements[2:]), "below what has not been tested"
    assert not [need for need in requirements if need.startswith("torch")]
    assert f"numpy=={numpy.__version__}\n" in constraints
    assert "torch==" in constraints
    assert how["blocking"] is False
    pip.end(0)
    assert ends == [""]
    assert not Path(how["constraints"]).exists()


def test_a_failure_is_said(pip: Pip) -> None:
    ends: list[str] = []
    make_installer(ends).start()
    pip.end(1)
    assert ends == ["The installation failed (exit code 1): see what pip said."]


def test_one_installation_at_a_time(pip: Pip) -> None:
    pip.busy = True
    assert "Other packages are being installed" in make_installer([]).start()
    assert not pip.calls


@pytest.mark.parametrize(("torch", "problem"), [(object(), ""), (None, "torch was not installed")])
def test_torch_comes_from_the_pytorch_extension(
    pip: Pip, monkeypatch: pytest.MonkeyPatch, torch: object, problem: str
) -> None:
    import slicer

    asked: list[dict[str, Any]] = []

    def install_torch(**how: Any) -> object:
        asked.append(how)
        return torch

    pip.installed.clear()
    logic = SimpleNamespace(installTorch=install_torch)
    monkeypatch.setattr(slicer.util, "getModuleLogic", lambda name: {"PyTorchUtils": logic}[name])
    assert make_installer([]).start().startswith(problem)
    assert asked == [{"askConfirmation": True, "torchVersionRequirement": ">=2.2"}]
    assert len(pip.calls) == (not problem)


def test_without_the_pytorch_extension(pip: Pip) -> None:
    pip.installed.clear()
    assert make_installer([]).start().startswith("Install the PyTorch extension first")
    assert not pip.calls


def test_the_button(bench: Bench, engine: Engine, pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from bench import pump

    tell_doctor(engine, packages={"gudhi": ""}, problems=["gudhi is not installed."])
    widget = bench.open("TopoGANTrain")
    ui = widget.ui
    pump(lambda: ui.installEngineButton.visible)
    answers = [False, True, True]
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *words: answers.pop(0))
    ui.installEngineButton.click()
    assert not pip.calls, "the user has said no"
    ui.installEngineButton.click()
    assert not ui.installEngineButton.enabled
    assert not ui.checkEngineButton.enabled
    pip.calls[0][2]["logCallback"]("Downloading gudhi\n")
    assert ui.engineStatusLabel.text == "Downloading gudhi"
    pip.end(1)
    assert "The installation failed" in ui.engineStatusLabel.text
    assert ui.installEngineButton.enabled
    ui.installEngineButton.click()
    tell_doctor(engine)
    pip.end(0)
    pump(lambda: "Ready" in ui.engineStatusLabel.text)
    assert not ui.installEngineButton.visible
