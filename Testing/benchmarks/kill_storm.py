"""Kill a training 30 times and resume it each time: ``python Testing/benchmarks/kill_storm.py``.

Every run is killed (SIGKILL) once, every third while it writes a checkpoint, the others at a random moment from the
making of its folder on. It is then resumed to its end. Printed are how many could be resumed, how many of these ended
in the same weights as a training that was left alone, how many kills left half a checkpoint behind, what a reader of
the status said, and how many steps were lost at most.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from topogan.config import PhantomSettings, PrepareSettings
from topogan.dataset import prepare
from topogan.model import load_model
from topogan.phantom import make_phantom
from topogan.runs import read_status
from topogan.volumes import find_pairs
from topogan_contract.leftovers import is_partial
from topogan_contract.run import EVENTS_FILE

RESULTS = Path(__file__).resolve().parent / "results" / "kill_storm.json"
EVERY = 10
_STEPS = {"masks": 60, "textures": 30}
_POLL_SECONDS = 0.0005


@dataclass(frozen=True)
class Kill:
    """What one kill did."""

    when: str
    """``moment`` or ``checkpoint``."""
    step: int
    """Last step that the events had."""
    resumed_from: int
    """Step of the last whole checkpoint, 0 if there was none."""
    half_written: bool
    """Whether half a checkpoint was left behind."""
    state: str
    """What a reader of the status said afterwards."""
    complaint: str
    """Why it could not be resumed; empty where it could."""
    equal: bool
    """Whether the resumed training gave the weights of the one that was left alone."""

    @property
    def lost(self) -> int:
        """Steps that were done again."""
        return max(self.step - self.resumed_from, 0)


def main() -> int:
    """Run the storm; 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kills = _storm(Path(scratch), options.kills, random.Random(options.seed))
    content = {
        "kills": len(kills),
        "in a checkpoint": sum(kill.when == "checkpoint" for kill in kills),
        "left half a checkpoint": sum(kill.half_written for kill in kills),
        "before the first step": sum(kill.step == 0 for kill in kills),
        "called failed": sum(kill.state == "failed" for kill in kills),
        "resumed": sum(not kill.complaint for kill in kills),
        "resumed to equal weights": sum(kill.equal for kill in kills),
        "checkpoint every": EVERY,
        "most steps lost": max(kill.lost for kill in kills),
    }
    options.results.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for name, value in content.items():
        print(f"{name}: {value}")
    return int(content["resumed to equal weights"] < len(kills) or content["most steps lost"] > EVERY)


def _storm(scratch: Path, count: int, dice: random.Random) -> list[Kill]:
    phantom = make_phantom(scratch / "phantom", PhantomSettings(patients=4, phases=2))
    segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
    dataset = prepare(scratch / "set", segmentations, images, PrepareSettings(structure="myocardium", labels=(2,)))
    alone = scratch / "alone"
    start = time.monotonic()
    subprocess.run(_training(dataset, alone), check=True)
    seconds_a_step = (time.monotonic() - start) / sum(_STEPS.values())
    expected = load_model(alone / "model").metadata.content_hash
    kills: list[Kill] = []
    attempts = 0
    while len(kills) < count:
        run = scratch / f"run {attempts}"
        attempts += 1
        when = "checkpoint" if len(kills) % 3 == 2 else "moment"
        process = subprocess.Popen(_training(dataset, run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if when == "checkpoint":
            _wait_for_a_checkpoint(process, run, dice.randrange(1, sum(_STEPS.values()) // EVERY))
        else:
            _wait_for_a_step(process, run, dice.randrange(sum(_STEPS.values())))
            time.sleep(dice.uniform(0.0, seconds_a_step))
        was_running = process.poll() is None
        process.kill()
        process.wait()
        if was_running:  # else it was over before the moment came
            kills.append(_resume(dataset, run, when, expected))
            print(f"{len(kills)}/{count} {kills[-1]}", flush=True)
        shutil.rmtree(run)
    return kills


def _resume(dataset: Path, run: Path, when: str, expected: str) -> Kill:
    state, step, names = read_status(run).state, _last_step(run), [path.name for path in _checkpoints(run)]
    steps = [int(Path(name).stem.rpartition("-")[2]) for name in names if not is_partial(name)]
    half_written = any(map(is_partial, names))
    words = _words("resume", run, "--dataset", dataset)
    ended = subprocess.run(words, check=False, capture_output=True, text=True)
    complaint = ended.stderr.strip() if ended.returncode else ""
    equal = not complaint and load_model(run / "model").metadata.content_hash == expected
    return Kill(when, step, max(steps, default=0), half_written, state, complaint, equal)


def _wait_for_a_checkpoint(process: subprocess.Popen[bytes], run: Path, number: int) -> None:
    """Until the n-th checkpoint is being written, or the run is over."""
    seen = set[str]()
    while process.poll() is None and len(seen) < number:
        seen |= {path.name for path in _checkpoints(run) if is_partial(path.name)}
        time.sleep(_POLL_SECONDS)


def _wait_for_a_step(process: subprocess.Popen[bytes], run: Path, step: int) -> None:
    """Until the events have a step, or the run is over; 0 is when the run's folder is there."""
    while process.poll() is None and not (run.is_dir() and _last_step(run) >= step):
        time.sleep(_POLL_SECONDS)


def _checkpoints(run: Path) -> list[Path]:
    """Whole ones and half written ones."""
    folder = run / "checkpoints"
    return list(folder.iterdir()) if folder.is_dir() else []


def _last_step(run: Path) -> int:
    """Of the last whole line of the events, counted over both stages; 0 where there are none yet."""
    path = run / EVENTS_FILE
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if path.is_file() else []
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    steps = [(event["stage"], event["step"]) for event in events if event["kind"] == "step"]
    if not steps:
        return 0
    stage, step = steps[-1]
    return step + (_STEPS["masks"] if stage == "textures" else 0)


def _training(dataset: Path, run: Path) -> list[str]:
    words = _words("train", dataset, run, "--checkpoint-every", EVERY, "--threads", 1)
    small = ["--masks-width", "4", "--masks-batch", "8", "--textures-width", "4", "--topology-warm-up", "0.2"]
    return [*words, *small, *(word for name, count in _STEPS.items() for word in (f"--{name}-steps", str(count)))]


def _words(*words: object) -> list[str]:
    return [sys.executable, "-m", "topogan", *map(str, words)]


if __name__ == "__main__":
    sys.exit(main())
