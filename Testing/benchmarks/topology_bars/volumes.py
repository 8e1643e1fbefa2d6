"""Persistence of volumes beside gudhi.CubicalComplex: exactness, CPU time, and what threads gain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from statistics import median
from time import perf_counter
from typing import Any

import gudhi
import numpy as np
from scipy.ndimage import gaussian_filter

from topogan.homology import betti_numbers_of_batch, cubical_persistence, euler_characteristics
from topogan.homology.persistence import pairs_of_batch
from topology_bars.clock import interleaved

_SIZES = (32, 48, 64)
_RANDOM, _SMOOTH = 600, 20
# Standard deviations of the Gaussian that makes noise smooth, in voxels; 0 is noise.
_KINDS = {"noise": 0.0, "rough": 1.0, "smooth": 2.0, "very smooth": 4.0}
_DIMENSIONS = (0, 1, 2)


def measure_persistence() -> dict[str, Any]:
    """What :func:`persistence_table` prints."""
    return {
        "packages": {name: version(name) for name in ("gudhi", "numpy", "scipy")},
        "wrong": {f"{_RANDOM} random up to 12³": _wrong(_random()), f"{_SMOOTH} smooth of 32³": _wrong(_smooth())},
        "cpu_seconds": [_times(size, kind) for size in _SIZES for kind in _KINDS],
        "threads": [_threads(size) for size in _SIZES],
    }


def persistence_table(found: dict[str, Any]) -> str:
    """The measurements in Markdown."""
    lines = [f"Volumes, over Z/2, against gudhi {found['packages']['gudhi']}. Wrong:"]
    lines += [f"- {wrong} of {what}" for what, wrong in found["wrong"].items()]
    lines += [
        "",
        "| CPU ms a volume | gudhi | H0, H1, H2 | ratio | H0, H2 | Betti numbers |",
        "|---|---|---|---|---|---|",
    ]
    for row in found["cpu_seconds"]:
        gudhi_, every, outer, betti = (1e3 * row[name] for name in ("gudhi", "all", "without H1", "betti"))
        name = f"{row['size']}³ {row['kind']}"
        lines.append(f"| {name} | {gudhi_:.0f} | {every:.1f} | {gudhi_ / every:.1f}× | {outer:.1f} | {betti:.1f} |")
    lines += ["", "| two threads, speed-up | gudhi | H0, H1, H2 |", "|---|---|---|"]
    lines += [f"| {row['size']}³ smooth | {row['gudhi']:.2f}× | {row['all']:.2f}× |" for row in found["threads"]]
    return "\n".join(lines)


def smooth_noise(size: int, sigma: float, seed: int = 0) -> np.ndarray:
    """Float32 [size, size, size], of standard deviation 4."""
    noise = np.random.default_rng(seed).standard_normal((size,) * 3)
    values = gaussian_filter(noise, sigma) if sigma else noise
    return (4.0 * values / values.std()).astype(np.float32)


def _by_gudhi(volume: np.ndarray) -> gudhi.CubicalComplex:
    cells = gudhi.CubicalComplex(top_dimensional_cells=volume.astype(np.float64))
    cells.compute_persistence(homology_coeff_field=2)
    return cells


def _random() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    volumes = []
    for number in range(_RANDOM):
        shape = tuple(rng.integers(1, 13, 3))
        makers: list[Callable[[], np.ndarray]] = [
            lambda s=shape: rng.standard_normal(s),
            lambda s=shape: rng.integers(0, 4, s).astype(np.float64),
            lambda s=shape: rng.choice([-np.inf, -1.0, 0.0, 1.0, np.inf], s),
            lambda s=shape: np.full(s, 1.5),
            lambda s=shape: gaussian_filter(rng.standard_normal(s), 1.0).astype(np.float32),
        ]
        volumes.append(makers[number % len(makers)]())
    return volumes


def _smooth() -> list[np.ndarray]:
    return [smooth_noise(32, 0.7 + 0.15 * seed, seed) for seed in range(_SMOOTH)]


def _wrong(volumes: list[np.ndarray]) -> int:
    """How many differ from GUDHI in diagrams, critical voxels' values, or the Euler characteristic at a level."""
    wrong = 0
    for volume in volumes:
        diagram, cells = cubical_persistence(volume), _by_gudhi(volume)
        mortal = ~diagram.essential
        expected = [sorted(map(tuple, cells.persistence_intervals_in_dimension(dim).tolist())) for dim in _DIMENSIONS]
        right = [sorted(map(tuple, diagram.points(dim).tolist())) for dim in _DIMENSIONS] == expected
        right &= np.array_equal(volume[tuple(diagram.birth_index.T)], diagram.birth)
        right &= np.array_equal(volume[tuple(diagram.death_index[mortal].T)], diagram.death[mortal])
        levels = np.unique(volume)[::97] if volume.size > 12**3 else np.unique(volume)
        numbers = np.array([diagram.betti_numbers(level, _DIMENSIONS) for level in levels])
        counted = np.concatenate([euler_characteristics(volume[None] <= level) for level in levels])
        wrong += not (right and np.array_equal(numbers @ [1, -1, 1], counted))
    return wrong


def _times(size: int, kind: str) -> dict[str, Any]:
    volume = smooth_noise(size, _KINDS[kind])
    times = interleaved(
        {
            "gudhi": lambda: _by_gudhi(volume).cofaces_of_persistence_pairs(),
            "all": lambda: pairs_of_batch(volume[None]),
            "without H1": lambda: pairs_of_batch(volume[None], (0, 2)),
            "betti": lambda: betti_numbers_of_batch(volume[None] < 0),
        },
        rounds=3,
    )
    return {"size": size, "kind": kind, **times}


def _threads(size: int) -> dict[str, Any]:
    """Wall time of four volumes one after another, over that with two threads."""
    volumes = [smooth_noise(size, _KINDS["smooth"], seed) for seed in range(4)]
    works = {"gudhi": _by_gudhi, "all": lambda volume: pairs_of_batch(volume[None])}
    found: dict[str, Any] = {"size": size}
    with ThreadPoolExecutor(2) as pool:
        for name, work in works.items():
            gains = []
            for _ in range(3):
                start = perf_counter()
                list(map(work, volumes))
                middle = perf_counter()
                list(pool.map(work, volumes))
                gains.append((middle - start) / (perf_counter() - middle))
            found[name] = median(gains)
    return found
