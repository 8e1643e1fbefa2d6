"""Which training set a run learns from, and which ones are needed by runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_folders import add_training_set, make_run

from TopoGANTrainLib.run.training_sets import training_set_beside, training_set_elsewhere

OTHER_WINDOW = {"window": [0.0, 100.0]}
OTHER_NAMES = {"table": {"structures": [{"name": "Blood"}, {"name": "Myocardium"}]}}


@pytest.mark.parametrize("other", [OTHER_WINDOW, OTHER_NAMES], ids=["window", "names"])
def test_a_run_goes_on_with_the_set_of_its_own_window_and_names(tmp_path: Path, other: dict) -> None:
    """Sets that were prepared twice from the same data have one content hash."""
    run = make_run(tmp_path, "one")
    config = json.loads((run / "config.json").read_text())
    config["training_set"] |= {"intensity": None, "unions": [], "window": [-200.0, 600.0]}
    (run / "config.json").write_text(json.dumps(config))
    add_training_set(run, **other)
    assert training_set_beside(run) is None
    for number in range(4):  # in whatever order the disk lists them
        more = {} if number == 2 else other
        add_training_set(tmp_path / f"again-{number}" / "run", content_hash="of one", **more)
    assert training_set_elsewhere(run, lambda: False) == tmp_path / "again-2" / "training-set"
