"""Kill a training 30 times and resume it each time: ``python Testing/benchmarks/kill_storm.py``.

Every run is killed (SIGKILL) once, every third while it writes a checkpoint, the others at a random moment, the
first seconds included. It is then resumed to its end. Printed are how many ended in the same weights as a training that
was left alone, how much the reader of its status knew, and how many steps were lost at most.
"""

from __future__ import annotations

import argparse
import json
import random
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
    state: str
    """What a reader of the status said afterwards."""
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
        "resumed to equal weights": sum(kill.equal for kill in kills),
        "called failed": sum(kill.state == "failed" for kill in kills),
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
    start = time.monotonic()
    alone = scratch / "alone"
    _command("train", dataset, alone).wait()
    seconds = time.monotonic() - start
    expected = load_model(alone / "model").metadata.content_hash
    kills: list[Kill] = []
    while len(kills) < count:
        run = scratch / f"run {len(kills)}"
        process = _command("train", dataset, run)
        when = "checkpoint" if len(kills) % 3 == 2 else "moment"
        if when == "checkpoint":
            _wait_for_a_checkpoint(process, run, dice.randrange(1, 8))
        else:
            time.sleep(dice.uniform(0.0, 0.95) * seconds)
        was_running = process.poll() is None and (run / "status.json").is_file()
        process.kill()
        process.wait()
        if not was_running:
            continue  # over, or nothing there yet: no kill of a run
        kill = _resume(dataset, run, when, expected)
        kills.append(kill)
        print(f"{len(kills)}/{count} {kill}", flush=True)
    return kills


def _resume(dataset: Path, run: Path, when: str, expected: str) -> Kill:
    state, step = read_status(run).state, _last_step(run)
    checkpoints = [int(path.stem.rpartition("-")[2]) for path in (run / "checkpoints").glob("step-*.safetensors")]
    subprocess.run(_words("resume", run, "--dataset", dataset), check=True, capture_output=True)
    found = load_model(run / "model").metadata.content_hash
    return Kill(when, step, max(checkpoints, default=0), state, found == expected)


def _wait_for_a_checkpoint(process: subprocess.Popen[bytes], run: Path, number: int) -> None:
    """Until the n-th checkpoint is being written."""
    folder, seen = run / "checkpoints", set[str]()
    while process.poll() is None and len(seen) < number:
        seen |= (
            {path.name for path in folder.glob("*") if not path.name.startswith("step-")} if folder.is_dir() else set()
        )
        time.sleep(_POLL_SECONDS)


def _last_step(run: Path) -> int:
    """Of the last whole line of the events, counted over both stages."""
    before = 0
    step = 0
    for line in (run / "events.jsonl").read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            break
        if event["kind"] == "step":
            before = _STEPS["masks"] if event["stage"] == "textures" else 0
            step = before + event["step"]
    return step


def _command(command: str, dataset: Path, run: Path) -> subprocess.Popen[bytes]:
    words = _words(command, dataset, run, "--checkpoint-every", EVERY, "--threads", 1)
    small = ["--masks-width", "4", "--masks-batch", "8", "--textures-width", "4", "--topology-warm-up", "0.2"]
    steps = [word for name, count in _STEPS.items() for word in (f"--{name}-steps", str(count))]
    return subprocess.Popen([*words, *small, *steps], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _words(*words: object) -> list[str]:
    return [sys.executable, "-m", "topogan", *map(str, words)]


if __name__ == "__main__":
    sys.exit(main())
