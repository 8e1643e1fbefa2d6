"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["homology.diagrams", "losses.topology_loss", "losses.weight"])
def test_examples(name: str) -> None:
    results = doctest.testmod(import_module(f"topogan.{name}"))
    assert results.attempted > 0
    assert results.failed == 0
