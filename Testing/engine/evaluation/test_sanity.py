"""Each metric moves the way its docstring says, and only then (the table in Resources/Docs/metrics.md, smaller)."""

from __future__ import annotations

import pytest
from metric_sanity import sanity_rows


@pytest.fixture(scope="module")
def rows() -> list:
    return sanity_rows(count=60, size=64)


def test_every_metric_moves_as_expected_and_only_then(rows: list) -> None:
    wrong = [f"{row.metric}, {row.perturbation}: {row.before} -> {row.after}" for row in rows if not row.as_expected]
    assert not wrong


def test_every_metric_is_moved_by_something(rows: list) -> None:
    moved = {row.metric for row in rows if row.measured != "0"}
    # Most walls are closed, so that the scale of the births' kernel is 0; test_topology.py tests the kernel.
    # Copies in other places: test_changed_copies.py.
    assert {row.metric for row in rows} - moved == {"uMMD (W1-birth) of holes", "Possible copies, changed"}


def test_order_changes_nothing_at_all(rows: list) -> None:
    for row in rows:
        if row.perturbation == "shuffled order":
            assert row.after == pytest.approx(row.before, abs=1e-9), row.metric
