"""The weight λ of the topological loss."""

from __future__ import annotations

import math
from statistics import fmean, median
from typing import Any

from topogan.config import TopologySettings

# How often after the warm-up both gradients are measured while λ is still 0: less in a short training, of which at most
# this share of the steps after the warm-up is for measuring.
MEASURED = 60
_FEWEST_MEASURED = 10
_SHARE_FOR_MEASURING = 0.3


class TopologyWeight:
    """λ from the strength ρ: λ = ρ · median‖∂L_adv/∂logits‖ / mean‖∂L_topo/∂logits‖, frozen, then ramped up.

    A fixed λ means something else on every data set and for every form of the loss; ρ is the same initial force.
    Both norms are measured the first 60 times after the warm-up that the loss is due and has a gradient, in a short
    training less often.
    A ``fixed_weight`` above 0 takes the place of the measurement.

    Example:
        >>> settings = TopologySettings(fixed_weight=0.5, warm_up=0.5, ramp_steps=2, every=1)
        >>> weight = TopologyWeight(settings, total_steps=10)
        >>> [weight.update(step, 1.0, 1.0) for step in (4, 5, 6, 7) if weight.active(step)]
        [0.25, 0.5, 0.5]
    """

    def __init__(self, settings: TopologySettings, total_steps: int, continued: bool = False) -> None:
        """
        Args:
            settings: ``mode``, ``ratio``, ``fixed_weight``, ``warm_up``, ``ramp_steps`` and ``every`` are used.
            total_steps: of the training.
            continued: whether it goes on from a model. There is then neither warm-up nor ramp, and the norms are
                measured 10 times: while the loss does not act, the topology that the model knows is lost.
        """
        if continued:
            settings = settings.model_copy(update={"warm_up": 0.0, "ramp_steps": 1})
        self._settings = settings
        self._first_step = math.ceil(settings.warm_up * total_steps)
        due = (total_steps - self._first_step) // settings.every
        self._measured = min(MEASURED, max(_FEWEST_MEASURED, round(_SHARE_FOR_MEASURING * due)))
        if continued:
            self._measured = _FEWEST_MEASURED
        self._adversarial: list[float] = []
        self._topological: list[float] = []
        self._weight = settings.fixed_weight
        self._ramp_start = self._first_step if settings.fixed_weight > 0 else -1

    def active(self, step: int) -> bool:
        """Tell whether the loss is measured or acts in ``step`` (counted from 0)."""
        settings = self._settings
        wanted = settings.ratio > 0 or settings.fixed_weight > 0
        due = step >= self._first_step and (step - self._first_step) % settings.every == 0
        return settings.on and wanted and due

    def turn(self, step: int) -> int:
        """How many times the loss was due before ``step``, in which it is."""
        return (step - self._first_step) // self._settings.every

    def update(self, step: int, adversarial_norm: float, topological_norm: float) -> float:
        """Take the gradient norms at the generator's output in ``step``, and return the λ to use in it.

        Args:
            step: counted from 0.
            adversarial_norm: ‖∂L_adv/∂logits‖₂ over the batch.
            topological_norm: ‖∂L_topo/∂logits‖₂ over the batch.
        """
        if not self.active(step):
            return 0.0
        if self._ramp_start < 0:
            self._measure(step, adversarial_norm, topological_norm)
        if not 0 <= self._ramp_start <= step:
            return 0.0
        return self._weight * min(1.0, (step - self._ramp_start + 1) / self._settings.ramp_steps)

    def _measure(self, step: int, adversarial_norm: float, topological_norm: float) -> None:
        usable = math.isfinite(adversarial_norm) and math.isfinite(topological_norm) and topological_norm > 0
        if not usable:
            return
        self._adversarial.append(adversarial_norm)
        self._topological.append(topological_norm)
        if len(self._topological) == self._measured:
            self._weight = self._settings.ratio * median(self._adversarial) / fmean(self._topological)
            self._ramp_start = step + 1

    def state_dict(self) -> dict[str, float | int | list[float]]:
        """What :meth:`load_state_dict` needs to go on exactly."""
        return {
            "adversarial": list(self._adversarial),
            "topological": list(self._topological),
            "weight": self._weight,
            "ramp_start": self._ramp_start,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self._adversarial = [float(value) for value in state["adversarial"]]
        self._topological = [float(value) for value in state["topological"]]
        self._weight = float(state["weight"])
        self._ramp_start = int(state["ramp_start"])
