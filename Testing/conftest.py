"""What tests of all folders share."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Set what libraries read when they are loaded, here and in the engine's processes.

    Threads of PyTorch sleep while they wait, as the command line has it: beside other tests, spinning takes their core.
    matplotlib keeps its list of fonts: tests give the engine a home of its own, where it would be made anew, a second
    for each process, and on a busy machine a warning among what the engine says.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    cache = getattr(config, "cache", None)  # missing with -p no:cacheprovider
    if cache is not None:
        os.environ.setdefault("MPLCONFIGDIR", str(cache.mkdir("matplotlib")))
