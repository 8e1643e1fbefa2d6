"""Which curves of a run are plotted, in which of three charts, and what is computed from them; knows no MRML."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from slicer.i18n import tr as _

from TopoGANLib.engine.history import Curve, History

LOSSES, TOPOLOGY, GRADIENTS = "losses", "topology", "gradients"
CHARTS = (LOSSES, TOPOLOGY, GRADIENTS)

# Colors of Okabe and Ito, told apart by color-blind readers.
_BLUE, _VERMILION, _GREEN = (
    (0 / 255, 114 / 255, 178 / 255),
    (213 / 255, 94 / 255, 0 / 255),
    (0 / 255, 158 / 255, 115 / 255),
)
_PURPLE, _ORANGE = (204 / 255, 121 / 255, 167 / 255), (230 / 255, 159 / 255, 0 / 255)

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart."""

    key: str
    """Names it among all lines of a chart; never shown."""
    label: str
    color: Color
    curve: Curve


def lines_of(chart: str, history: History) -> list[Line]:
    """The lines of a run that have points, in the order of the legend.

    Losses are over the steps of the whole run, textures after masks. Topology is of masks drawn from the model,
    compared with validation, both from 0 to 1. Gradients are the norms of the topological ones over that of the
    adversarial one at the generator's output, as the setting *strength* is.

    Args:
        chart: one of :data:`CHARTS`.
        history: of the run.
    """
    lines = {LOSSES: _losses, TOPOLOGY: _topology, GRADIENTS: _gradients}[chart](history)
    return [line for line in lines if len(line.curve.steps)]


def chart_title(chart: str) -> str:
    """What a chart shows, in words."""
    return {
        LOSSES: _("Losses"),
        TOPOLOGY: _("Topology on validation"),
        GRADIENTS: _("Topological gradients"),
    }[chart]


def axis_title(chart: str) -> str:
    """What is upwards."""
    return {
        LOSSES: _("loss"),
        TOPOLOGY: _("share"),
        GRADIENTS: _("share of the adversarial gradient"),
    }[chart]


def _losses(history: History) -> list[Line]:
    trained = [
        curve.steps[-1] for name, curve in history.curves.items() if name.startswith("masks/") and len(curve.steps)
    ]
    before = max(trained, default=0.0)
    textures = {
        name: replace(curve, steps=curve.steps + before)
        for name, curve in history.curves.items()
        if name.startswith("textures/")
    }
    later = History(textures)
    return [
        Line("masks/discriminator", _("masks: discriminator"), _BLUE, _curve(history, "masks/loss_discriminator")),
        Line("masks/generator", _("masks: generator"), _VERMILION, _curve(history, "masks/loss_generator")),
        Line(
            "textures/discriminator", _("textures: discriminator"), _GREEN, _curve(later, "textures/loss_discriminator")
        ),
        Line("textures/generator", _("textures: generator"), _ORANGE, _curve(later, "textures/loss_generator")),
        Line("textures/difference", _("textures: difference"), _PURPLE, _curve(later, "textures/difference")),
    ]


def _topology(history: History) -> list[Line]:
    valid = _curve(history, "masks/quick_valid")
    error = _curve(history, "masks/quick_betti_error")
    return [
        Line("valid", _("valid samples"), _GREEN, replace(valid, values=valid.values / 100)),
        Line("error", _("Betti error"), _VERMILION, error),
    ]


def _gradients(history: History) -> list[Line]:
    return [
        Line("topology", _("topology"), _BLUE, _share(history, "force_topology", "lambda")),
        Line("sizes", _("sizes"), _ORANGE, _share(history, "force_sizes", "lambda_sizes")),
    ]


def _share(history: History, force: str, weight: str) -> Curve:
    """λ·‖topological gradient‖ / ‖adversarial gradient‖ at the steps of which all three are known."""
    curves = [_curve(history, f"masks/{name}") for name in (force, weight, "force_adversarial")]
    steps = curves[0].steps
    for curve in curves[1:]:
        steps = np.intersect1d(steps, curve.steps)
    norm, factor, adversarial = (dict(zip(curve.steps, curve.values, strict=True)) for curve in curves)
    values = [norm[step] * factor[step] / (adversarial[step] or np.nan) for step in steps]
    return Curve(steps, np.array(values, np.float64))


def _curve(history: History, name: str) -> Curve:
    return history.curves.get(name, Curve(np.empty(0), np.empty(0)))
