"""Which training set a run learns from, and which ones are needed by runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from run_folders import add_training_set, make_run, write

from topogan_contract import schemas
from topogan_contract.results import known_run, mark_used
from TopoGANTrainLib.run.training_sets import (
    remove_training_set,
    training_set_beside,
    training_set_elsewhere,
    unused_sets,
)
from TopoGANTrainLib.runs.run_removal import remove_run

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


def test_what_was_learned_from_elsewhere_is_free_when_the_last_such_run_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    results = tmp_path / "results"
    training_set = add_training_set(results / "heart" / "run")
    runs = [make_run(tmp_path / "elsewhere", name) for name in ("one", "two")]
    for run, identifier in zip(runs, ("a" * 32, "b" * 32), strict=True):
        config = json.loads((run / "config.json").read_text())
        (run / "config.json").write_text(json.dumps({**config, "id": identifier}))
        mark_used(training_set, run, identifier)
        known_run(identifier).parent.mkdir(parents=True, exist_ok=True)
        write(known_run(identifier), schemas.KNOWN_RUN, dataset=str(training_set))
    for run, listed in zip(runs, ([], [training_set]), strict=True):
        with pytest.raises(ValueError, match="delete that run first, or, if you know that it is gone"):
            remove_training_set(training_set)
        remove_run(run)
        assert [found for found, words in unused_sets(results)] == listed
    remove_training_set(training_set)
    assert not training_set.parent.exists()
