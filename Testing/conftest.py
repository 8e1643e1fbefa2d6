"""What tests of all folders share."""

from __future__ import annotations

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let matplotlib keep its list of fonts.

    Tests give the engine a home of its own, where it would be made anew: a second for each process, and on a busy
    machine a warning among what the engine says.
    """
    if config.cache is not None:
        os.environ.setdefault("MPLCONFIGDIR", str(config.cache.mkdir("matplotlib")))
