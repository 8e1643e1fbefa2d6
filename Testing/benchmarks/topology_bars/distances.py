"""Bars 8 and 10: all pairs, assignments, and all metrics."""

from __future__ import annotations

from time import process_time

import numpy as np
import ot
from scipy.optimize import linprog
from scipy.sparse import csr_matrix as sparse
from scipy.sparse import eye, kron, vstack

from topogan.homology import assign, betti_numbers_of_batch, wasserstein_1d
from topogan.metrics.diagrams import diagrams_of, w1_birth_matrix, w1_matrix
from topogan.metrics.memorization import audit
from topogan.metrics.mmd import unbiased_mmd
from topogan.metrics.shape import best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, betti_score, set_distance, valid_share
from topology_bars.bars import Bar, at_least
from topology_bars.clock import cpu_seconds, interleaved
from topology_bars.inputs import half_and_half

_WIDTH = 64
_TIMED_PAIRS = 400


def distance_bars() -> list[Bar]:
    """Measure all of them."""
    return [*_births(), *_assignment(), _all_metrics(), _birth_metrics()]


def _births() -> list[Bar]:
    diagrams = diagrams_of(half_and_half(878, _WIDTH))
    births = [diagram.projected(1) for diagram in diagrams]
    births = [found if len(found) else np.zeros(1) for found in births]
    rng = np.random.default_rng(0)
    order = rng.permutation(len(births))
    fake, real = [births[i] for i in order[:128]], [births[i] for i in order[128:]]
    pairs = np.stack([rng.integers(0, len(fake), _TIMED_PAIRS), rng.integers(0, len(real), _TIMED_PAIRS)], axis=1)
    times = interleaved(
        {
            "ours": lambda: wasserstein_1d(fake, real),
            "plans": lambda: [_plan_and_cost(fake[i], real[j]) for i, j in pairs],
            "costs": lambda: [ot.wasserstein_1d(fake[i], real[j]) for i, j in pairs],
        },
        rounds=3,
    )
    scale = len(fake) * len(real) / _TIMED_PAIRS
    distances = wasserstein_1d(fake, real)
    worst = max(abs(distances[i, j] - ot.wasserstein_1d(fake[i], real[j])) for i, j in pairs)
    ratio, costs_only = (scale * times[name] / times["ours"] for name in ("plans", "costs"))
    details = f" ({1e3 * times['ours']:.0f} ms; a loop without plans: {costs_only:.3g}×)"
    return [
        at_least("8", "128 × 750 W1 of births, beside a POT loop (emd_1d and wasserstein_1d)", ratio, 500.0, details),
        Bar("8", "difference ≤ 1e-9", f"{worst:.1e}", worst <= 1e-9),
    ]


def _plan_and_cost(a: np.ndarray, b: np.ndarray) -> object:
    return ot.emd_1d(a, b), ot.wasserstein_1d(a, b)


def _assignment() -> list[Bar]:
    costs = np.random.default_rng(1).random((128, 128))
    name, solve = _linear_program()
    times = interleaved({"ours": lambda: assign(costs), "peer": lambda: solve(costs)}, rounds=3)
    ours, peer = float(costs[np.arange(128), assign(costs)].mean()), solve(costs)
    same = abs(ours - peer) < 1e-7
    return [
        at_least("8", f"assignment 128 × 128, beside a linear program ({name})", times["peer"] / times["ours"], 50.0),
        Bar("8", "equal cost", f"{ours:.6f} and {peer:.6f}", same),
    ]


def _linear_program() -> tuple[str, object]:
    """The dual program of the transport, by GLPK where cvxopt is installed, else by SciPy's HiGHS."""
    try:
        from cvxopt import matrix, solvers, spmatrix
    except ImportError:
        return "HiGHS; GLPK needs cvxopt", _by_highs
    solvers.options["glpk"] = {"msg_lev": "GLP_MSG_OFF"}

    def by_glpk(costs: np.ndarray) -> float:
        constraints = _dual_constraints(costs.shape).tocoo()
        weights = _dual_weights(costs.shape)
        rows = spmatrix(constraints.data, constraints.row.tolist(), constraints.col.tolist(), constraints.shape)
        solution = solvers.lp(matrix(-weights), rows, matrix(costs.ravel()), solver="glpk")
        return -float(solution["primal objective"])

    return "GLPK", by_glpk


def _by_highs(costs: np.ndarray) -> float:
    constraints, weights = _dual_constraints(costs.shape), _dual_weights(costs.shape)
    return -float(linprog(-weights, A_ub=constraints, b_ub=costs.ravel(), bounds=(None, None)).fun)


def _dual_constraints(shape: tuple[int, int]) -> sparse:
    """u_i + v_j ≤ c_ij, one row for each pair."""
    rows, columns = shape
    first = kron(eye(rows), np.ones((columns, 1)))
    second = vstack([eye(columns)] * rows)
    return sparse(np.hstack([first.toarray(), second.toarray()]))


def _dual_weights(shape: tuple[int, int]) -> np.ndarray:
    return np.concatenate([np.full(count, 1.0 / count) for count in shape])


def _all_metrics() -> Bar:
    masks = [half_and_half(500, _WIDTH, seed) for seed in (10, 20, 30)]
    start = process_time()
    fake, real, training = (diagrams_of(found) for found in masks)
    for function in (w1_matrix, w1_birth_matrix):
        for dimension in (0, 1):
            between, reference = (function(side, real, dimension, _WIDTH) for side in (fake, training))
            set_distance(between), set_distance(reference)
            within = [function(side, side, dimension, _WIDTH) for side in (fake, training, real)]
            scale = float(np.median(reference))
            unbiased_mmd(within[0], within[2], between, scale), unbiased_mmd(within[1], within[2], reference, scale)
    numbers = [betti_numbers_of_batch(found) for found in masks]
    for side in (numbers[0], numbers[2]):
        betti_error(side, numbers[1]), valid_share(side, (1, 1))
        [betti_score(side, numbers[1], dimension) for dimension in (0, 1)]
    best_matches(masks[0], masks[1]), mean_pairwise_dice(masks[0])
    audit(masks[0], masks[1], masks[2].__getitem__, np.arange(500))
    seconds = process_time() - start
    asked = "all metrics, 500 against 500 masks of 64², beside real against real: ≤ 30 s"
    return Bar("10", asked, f"{seconds:.1f} s", seconds <= 30.0)


def _birth_metrics() -> Bar:
    first, second = half_and_half(1000, _WIDTH, 1), half_and_half(1000, _WIDTH, 2)

    def work() -> None:
        sides = [diagrams_of(masks) for masks in (first, second)]
        matrices = [w1_birth_matrix(sides[i], sides[j], 1, _WIDTH) for i, j in ((0, 0), (1, 1), (0, 1))]
        unbiased_mmd(*matrices, float(np.median(matrices[2])))
        numbers = [betti_numbers_of_batch(masks) for masks in (first, second)]
        [betti_score(*numbers, dimension) for dimension in (0, 1)]

    seconds = cpu_seconds(work)
    asked = "uMMD (births of holes) and Betti score, 1000 against 1000: ≤ 2 s"
    return Bar("10", asked, f"{seconds:.2f} s", seconds <= 2.0)
