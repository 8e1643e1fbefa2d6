"""A run that lies elsewhere marks its training set, for as long as it is there."""

from __future__ import annotations

from pathlib import Path

from topogan.runs.folder import RunFolder
from topogan.runs.known_runs import remember_dataset
from topogan_contract.results import mark_used


def test_the_mark_goes_of_the_run_that_is_replaced_or_of_the_one_that_was_to_replace_it(tmp_path: Path) -> None:
    run, training_set = tmp_path / "run", tmp_path / "results" / "1" / "training-set"
    training_set.mkdir(parents=True)

    def begun(letter: str) -> RunFolder:
        """A new run, as a training makes it."""
        config = {"id": letter * 32, "training_set": {"content_hash": "of one"}, "device": "cpu", "threads": 1}
        folder = RunFolder.create(run, True, {**config, "settings": {}, "started_from": None})
        mark_used(training_set, run, letter * 32)
        remember_dataset(letter * 32, training_set)
        return folder

    def marks() -> str:
        return "".join(sorted(path.name[5] for path in training_set.glob("used-*.json")))

    begun("a").close()
    failed = begun("b")
    assert marks() == "ab", "the older run is kept until the new one is finished"
    assert failed.bring_back_older()
    assert marks() == "a"
    finished = begun("c")
    finished.remove_older()
    finished.close()
    assert marks() == "c"
