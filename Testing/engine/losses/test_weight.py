"""λ is measured after the warm-up, frozen, ramped, and goes on exactly after an interruption."""

from __future__ import annotations

import pytest

from topogan.config import TopologySettings
from topogan.losses.weight import MEASURED, TopologyWeight


def settings(**values: object) -> TopologySettings:
    return TopologySettings(**{"warm_up": 0.5, "ramp_steps": 4, "ratio": 2.0, "every": 1, **values})


def test_nothing_happens_in_the_warm_up() -> None:
    weight = TopologyWeight(settings(), total_steps=100)
    assert not weight.active(49)
    assert weight.update(49, 1.0, 1.0) == 0.0
    assert weight.active(50)


def test_lambda_is_the_ratio_of_the_norms_then_ramped_then_constant() -> None:
    weight = TopologyWeight(settings(warm_up=0.125), total_steps=400)
    adversarial = [1.0] * 31 + [100.0] * 29  # the median does not see the outliers
    topological = [2.0, 6.0] * 30  # the mean is 4
    measured = [weight.update(50 + i, a, t) for i, (a, t) in enumerate(zip(adversarial, topological, strict=True))]
    assert measured == [0.0] * MEASURED
    after = [weight.update(50 + MEASURED + i, 1e9, 1e-9) for i in range(6)]
    assert after == pytest.approx([0.125, 0.25, 0.375, 0.5, 0.5, 0.5])


def test_steps_without_a_usable_gradient_are_not_measured() -> None:
    weight = TopologyWeight(settings(warm_up=0.0), total_steps=1000)
    for step in range(200):
        assert weight.update(step, 1.0, (0.0, float("nan"), float("inf"))[step % 3]) == 0.0
    for step in range(200, 200 + MEASURED):
        assert weight.update(step, 3.0, 2.0) == 0.0
    assert weight.update(200 + MEASURED + 3, 0.0, 0.0) == pytest.approx(3.0)


def test_a_fixed_weight_is_ramped_from_the_end_of_the_warm_up() -> None:
    weight = TopologyWeight(settings(fixed_weight=0.0005, ratio=0.0), total_steps=10)
    assert [weight.update(step, 1.0, 1.0) for step in (4, 5, 6, 7, 8, 9)] == pytest.approx(
        [0.0, 0.000125, 0.00025, 0.000375, 0.0005, 0.0005]
    )


def test_in_a_training_that_goes_on_from_a_model_it_acts_as_soon_as_it_is_measured() -> None:
    weight = TopologyWeight(settings(), total_steps=400, continued=True)
    assert [weight.update(step, 1.0, 4.0) for step in range(12)] == [0.0] * 10 + [0.5, 0.5]


@pytest.mark.parametrize("values", [{"mode": "off"}, {"ratio": 0.0}])
def test_no_loss_is_wanted(values: dict) -> None:
    weight = TopologyWeight(settings(**values), total_steps=10)
    assert not any(weight.active(step) for step in range(10))
    assert weight.update(9, 1.0, 1.0) == 0.0


@pytest.mark.parametrize("interruption", [3, 40, MEASURED, MEASURED + 2])
def test_an_interrupted_weight_goes_on_exactly(interruption: int) -> None:
    norms = [(1.0 + 0.1 * i, 0.5 + 0.01 * i) for i in range(MEASURED + 6)]
    whole = TopologyWeight(settings(warm_up=0.0), total_steps=1000)
    expected = [whole.update(step, *norms[step]) for step in range(len(norms))]
    first = TopologyWeight(settings(warm_up=0.0), total_steps=1000)
    found = [first.update(step, *norms[step]) for step in range(interruption)]
    second = TopologyWeight(settings(warm_up=0.0), total_steps=1000)
    second.load_state_dict(first.state_dict())
    found += [second.update(step, *norms[step]) for step in range(interruption, len(norms))]
    assert found == expected
    assert second.state_dict() == whole.state_dict()


def test_a_loss_that_acts_now_and_then_is_due_from_the_end_of_the_warm_up() -> None:
    weight = TopologyWeight(settings(every=3), total_steps=10)
    assert [step for step in range(12) if weight.active(step)] == [5, 8, 11]


@pytest.mark.parametrize(("steps", "every", "times"), [(2000, 4, 60), (2000, 1, 60), (600, 4, 22), (40, 4, 10)])
def test_a_short_training_measures_less(steps: int, every: int, times: int) -> None:
    weight = TopologyWeight(settings(every=every, ramp_steps=1), total_steps=steps)
    due = [step for step in range(steps // 2, 10 * steps) if weight.active(step)]
    found = [weight.update(step, 1.0, 1.0) for step in due[: times + 1]]
    assert found == [0.0] * times + [2.0]
