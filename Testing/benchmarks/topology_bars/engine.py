"""Bars 1 to 4: exactness and speed of persistence."""

from __future__ import annotations

from collections.abc import Iterator

import gudhi
import numpy as np

from topogan.homology import cubical_persistence, cubical_persistence_of_batch, distance_filtration
from topogan.homology import signed_distance_filtration as signed
from topology_bars.bars import Bar, at_least
from topology_bars.clock import interleaved
from topology_bars.inputs import blobs

_IMAGES = 2400
_SPEED = [(512, 100.0, 20.0), (256, 80.0, None), (128, 70.0, None)]


def engine_bars() -> list[Bar]:
    """Measure all of them."""
    return [_exact(), _squares(), *_speed(), *_small_images()]


def peer(image: np.ndarray) -> tuple:
    """What gudhi.CubicalComplex offers for the same: diagrams and critical pixels."""
    cells = gudhi.CubicalComplex(top_dimensional_cells=image)
    cells.compute_persistence()
    intervals = [sorted(map(tuple, cells.persistence_intervals_in_dimension(dim).tolist())) for dim in (0, 1)]
    return intervals, cells.cofaces_of_persistence_pairs()


def _peer_timed(image: np.ndarray) -> object:
    cells = gudhi.CubicalComplex(top_dimensional_cells=image)
    cells.compute_persistence()
    return cells.cofaces_of_persistence_pairs()


def _images() -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    for number in range(_IMAGES):
        shape = tuple(rng.integers(1, 25, 2))
        mask = rng.random(shape) < rng.uniform(0.02, 0.6)
        kinds = [
            lambda s=shape: rng.standard_normal(s),
            lambda s=shape: rng.standard_normal(s).astype(np.float32),
            lambda s=shape: rng.integers(0, 4, s).astype(np.float64),
            lambda s=shape: rng.choice([-np.inf, 0.0, 1.0, np.inf], s),
            lambda m=mask: distance_filtration(m, rng.choice([1.0, 0.37])),
            lambda m=mask: signed(m),
            lambda m=mask: distance_filtration(m, (0.5, 0.8)),
            lambda m=mask: distance_filtration(m, border=True),
        ]
        yield kinds[number % len(kinds)]()


def _exact() -> Bar:
    wrong = 0
    for image in _images():
        diagram = cubical_persistence(image)
        mortal = ~diagram.essential
        same = [sorted(map(tuple, diagram.points(dim).tolist())) for dim in (0, 1)]
        right = same == peer(image.astype(np.float64))[0]
        right &= np.array_equal(image[tuple(diagram.birth_index.T)], diagram.birth)
        right &= np.array_equal(image[tuple(diagram.death_index[mortal].T)], diagram.death[mortal])
        wrong += not right
    asked = "diagrams and critical pixels equal to gudhi.CubicalComplex's (≥ 2,000 images)"
    return Bar("1", asked, f"{wrong} of {_IMAGES:,} wrong", wrong == 0)


def _squares() -> Bar:
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(300):
        mask = rng.random(tuple(rng.integers(2, 20, 2))) < 0.2
        mask[0, 0] = True
        positions = np.stack(np.indices(mask.shape), axis=-1)
        squares = ((positions[:, :, None] - positions[mask]) ** 2).sum(axis=-1).min(axis=-1)
        wrong += not np.array_equal(distance_filtration(mask), np.sqrt(squares))
    return Bar("2", "squared distances are exact integers", f"{wrong} of 300 masks wrong", wrong == 0)


def _speed() -> list[Bar]:
    bars = []
    for size, limit, noise_limit in _SPEED:
        distance = distance_filtration(blobs(1, size)[0])
        noise = np.random.default_rng(2).standard_normal((size, size))
        single = noise.astype(np.float32)
        times = interleaved(
            {
                "peer": lambda x=distance: _peer_timed(x),
                "ours": lambda x=distance: cubical_persistence(x),
                "peer noise": lambda x=noise: _peer_timed(x),
                "ours noise": lambda x=noise: cubical_persistence(x),
                "ours single": lambda x=single: cubical_persistence(x),
            }
            | _tcripser("tcripser", distance)
        )
        number = "3" if size == 512 else "4"
        ratio = times["peer"] / times["ours"]
        bars.append(at_least(number, f"{size}² distance transform", ratio, limit, f" ({1e3 * times['ours']:.2f} ms)"))
        noise_ratio = times["peer noise"] / times["ours noise"]
        details = f" (float64; float32: {times['peer noise'] / times['ours single']:.3g}×)"
        if noise_limit:
            bars.append(at_least(number, f"{size}² noise", noise_ratio, noise_limit, details))
        else:
            bars.append(Bar("–", f"{size}² noise", f"{noise_ratio:.3g}×{details}", None))
        if "tcripser" in times:
            bars.append(Bar("–", f"{size}², tcripser", f"{times['peer'] / times['tcripser']:.3g}×", None))
    return bars


def _small_images() -> list[Bar]:
    batch = np.stack([distance_filtration(mask) for mask in blobs(128, 64)])
    one = batch[0]
    times = interleaved(
        {
            "peer": lambda: _peer_timed(one),
            "ours": lambda: cubical_persistence(one),
            "peer batch": lambda: [_peer_timed(image) for image in batch],
            "ours batch": lambda: cubical_persistence_of_batch(batch),
        },
        rounds=9,
    )
    single, whole = times["peer"] / times["ours"], times["peer batch"] / times["ours batch"]
    return [
        at_least("4", "64², one call", single, 35.0, f" ({1e6 * times['ours']:.0f} µs)"),
        at_least("4", "128 × 64² in one call", whole, 60.0, f" ({1e3 * times['ours batch']:.1f} ms)"),
    ]


def _tcripser(name: str, image: np.ndarray) -> dict:
    try:
        from tcripser import computePH
    except ImportError:
        return {}
    return {name: lambda: computePH(image, maxdim=1)}
