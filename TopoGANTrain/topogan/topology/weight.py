"""λ of the topological loss, from the ratio of two gradient norms at the generator's output."""

from __future__ import annotations

from statistics import fmean, median

from topogan.config import TopologyMode, TopologySettings

MEASURED_STEPS = 60
State = dict[str, float | int | list[float]]


class TopologyWeight:
    """λ = ρ · median(adversarial norm) / mean(topological norm), measured after the warm-up, frozen and ramped.

    Gradient norms depend on the data set and on the formulation by factors of 10 to 80, so that a fixed λ means
    something else each time; ρ does not. With ``settings.fixed_weight`` λ is that value, ramped alike.

    Args:
        settings: mode, ratio, fixed_weight, warm_up and ramp_steps are used.
        total_steps: of the training of the masks.
    """

    def __init__(self, settings: TopologySettings, total_steps: int) -> None:
        self._settings = settings
        self._begin = round(settings.warm_up * total_steps)
        self._adversarial: list[float] = []
        self._topological: list[float] = []

    def active(self, step: int) -> bool:
        """Tell whether the loss is to be computed in this step (steps count from 0)."""
        wanted = self._settings.fixed_weight > 0 or self._settings.ratio > 0
        return self._settings.mode is not TopologyMode.OFF and wanted and step >= self._begin

    def update(self, step: int, adversarial_norm: float, topological_norm: float) -> float:
        """Take the norms of this step's two gradients at the generator's output and return its λ."""
        if self._settings.fixed_weight > 0:
            return self._settings.fixed_weight * self._ramp(step - self._begin)
        if len(self._adversarial) < MEASURED_STEPS:
            self._adversarial.append(adversarial_norm)
            self._topological.append(topological_norm)
            return 0.0
        topological = fmean(self._topological)
        if topological == 0.0:
            return 0.0
        weight = self._settings.ratio * median(self._adversarial) / topological
        return weight * self._ramp(step - self._begin - MEASURED_STEPS)

    def _ramp(self, steps: int) -> float:
        return min(1.0, (steps + 1) / self._settings.ramp_steps)

    def state_dict(self) -> State:
        """What has been measured."""
        return {"adversarial": list(self._adversarial), "topological": list(self._topological)}

    def load_state_dict(self, state: State) -> None:
        """Go on from :meth:`state_dict`."""
        self._adversarial = list(state["adversarial"])  # type: ignore[arg-type]
        self._topological = list(state["topological"])  # type: ignore[arg-type]
