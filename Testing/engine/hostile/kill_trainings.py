"""Train over an older run in forks of this process, and kill each at another moment or take its memory.

Used by test_overwrite.py. Everything is imported once, and nothing is computed here (see kill_commands.py).

Usage: kill_trainings.py ORDER.json RESULT.json, where ORDER holds ``folder``, ``dataset`` and ``settings``: options of
``topogan train``.
"""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from kill_commands import Changes, ended, fingerprint, forked

_FIRST, _ALONG, _LAST = 10, 8, 5
_LIMITS_MB = (0, 4, 16, 48, 96, 192, 384)
_WEIGHTS = "model/models/masks_generator.safetensors"


class Trial:
    """One output folder with an older run in it."""

    def __init__(self, folder: Path, dataset: str, settings: list[str]) -> None:
        self.folder, self.out = folder, folder / "work" / "out"
        self._train = ["train", dataset, str(self.out), *settings]
        self._resume = ["resume", str(self.out), "--dataset", dataset]

    def train(self, *more: str) -> int:
        return self._run([*self._train, *more])

    def resume(self) -> int:
        return self._run(self._resume)

    def restore(self) -> None:
        shutil.rmtree(self.out.parent, ignore_errors=True)
        self.out.parent.mkdir(parents=True)
        if (self.folder / "older").exists():
            shutil.copytree(self.folder / "older", self.out)

    def state(self) -> dict:
        """What a user finds: the run by its fingerprint and weights, and what lies beside it."""
        weights = self.out / _WEIGHTS
        beside = {path.name: fingerprint(path) for path in self.out.parent.iterdir() if path != self.out}
        return {
            "run": fingerprint(self.out),
            "weights": fingerprint(weights),
            "beside": beside,
            "said": self._said().read_text(encoding="utf-8") if self._said().exists() else "",
        }

    def _said(self) -> Path:
        return self.folder / "said"

    def _run(self, arguments: list[str]) -> int:
        from topogan.cli import run

        with (
            self._said().open("w", encoding="utf-8") as said,
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            return run(arguments)


def killed_before(change: int, trial: Trial) -> Callable[[], int]:
    def work() -> int:
        Changes(change)
        return trial.train("--overwrite")

    return work


def limited(megabytes: int, trial: Trial) -> Callable[[], int]:
    def work() -> int:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limit = used + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        return trial.train("--overwrite")

    return work


def attempt(trial: Trial, work: Callable[[], int]) -> dict:
    """What there is after the attempt, and after going on with it."""
    trial.restore()
    code = ended(forked(work))
    after = trial.state()
    resumed = ended(forked(trial.resume))
    return {"code": code, "after": after, "resumed": resumed, "at last": trial.state()}


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    import torch._dynamo  # noqa: F401 - what forks need, so that none of them imports it again

    import topogan.cli
    import topogan.training  # noqa: F401
    from topogan.runs import recorder, status

    # What is written by the clock would make the number of changes depend on what else the computer does.
    status._SECONDS_BETWEEN_BEATS = recorder._SECONDS_BETWEEN_HISTORIES = 3600.0

    trial = Trial(Path(order["folder"]), order["dataset"], order["settings"])
    trial.restore()
    assert ended(forked(lambda: trial.train("--masks-steps", "3"))) == 0, trial.state()["said"]
    shutil.move(trial.out, trial.folder / "older")
    trial.restore()
    older = trial.state()

    def counted() -> int:
        changes = Changes(None)
        code = trial.train("--overwrite")
        (trial.folder / "count").write_text(str(changes.stop()))
        return code

    assert ended(forked(counted)) == 0, trial.state()["said"]
    new, count = trial.state(), int((trial.folder / "count").read_text())
    # The first moments, in which the folders change places, some all along, and the last, when the older run goes.
    along = [count * one // _ALONG for one in range(1, _ALONG)]
    moments = sorted({*range(2, 2 + _FIRST), *along, *range(count - _LAST, count)})
    kills = {str(moment): attempt(trial, killed_before(moment, trial)) for moment in moments}
    limits = {str(limit): attempt(trial, limited(limit, trial)) for limit in _LIMITS_MB}
    result = {"older": older, "new": new, "count": count, "kills": kills, "limits": limits}
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
