"""What is said of a run in the list of runs."""

from __future__ import annotations

import html
import time

import numpy as np
from slicer.i18n import tr as _

from topogan_contract.run import FAILED, FINISHED, QUEUED, RUNNING, STOPPED, STOPPING
from TopoGANLib.engine.run_monitor import SILENT
from TopoGANLib.words import translated
from TopoGANTrainLib.runs.run_list import DAMAGED, UNUSED, Best, RunEntry


def state_word(entry: RunEntry) -> str:
    """One word."""
    return {
        QUEUED: _("starting"),
        RUNNING: _("running"),
        STOPPING: _("stopping"),
        FINISHED: _("finished"),
        STOPPED: _("stopped"),
        FAILED: _("failed"),
        SILENT: _("silent"),
        DAMAGED: _("damaged"),
        UNUSED: _("unused"),
    }.get(entry.state, entry.state)


def steps(entry: RunEntry) -> str:
    """Such as ``"300/3000"``; empty where the run has none yet."""
    return f"{entry.step}/{entry.total}" if entry.total else ""


def steps_done(entry: RunEntry) -> str:
    """Such as ``"300"``, which leaves the names room; empty where the run has none yet."""
    return str(entry.step) if entry.total else ""


def figure(best: Best) -> str:
    """One figure, such as ``"83 %"``; empty where no preview has been made."""
    if np.isfinite(best.valid):
        return _("{share} %").format(share=f"{best.valid:.0f}")
    return _("±{error}").format(error=f"{best.texture_error:.3g}") if np.isfinite(best.texture_error) else ""


def sentence(entry: RunEntry) -> str:
    """What is wrong with it, or how good it is; empty where there is nothing to say."""
    if entry.error:
        return str(translated(entry.error))
    if entry.state == UNUSED:
        words = _(
            "A training set of {count} samples that no run here was trained on: choose it under Inputs, or delete it."
        )
        return words.format(count=entry.samples)
    return " ".join(_figures(entry.best))


def tool_tip(entry: RunEntry) -> str:
    """Everything, as rich text: plain one is taken for rich by Qt where a file's name looks like it."""
    lines = [entry.name, ", ".join(entry.structures), _trained(entry)]
    lines.append(_("Step {step} of {total}.").format(step=entry.step, total=entry.total) if entry.total else "")
    lines += _figures(entry.best)
    lines.append(sentence(entry) if entry.error or entry.state == UNUSED else "")
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.written))
    lines += [_("Last written on {when}.").format(when=when)]
    if not entry.here:
        lines.append(_("On another computer."))
    return "<p>{}</p>".format("<br>".join(html.escape(line) for line in [*lines, str(entry.run)] if line))


def _trained(entry: RunEntry) -> str:
    if not entry.part:
        return ""
    part = {"both": _("Masks and textures"), "masks": _("Masks"), "textures": _("Textures")}.get(entry.part, entry.part)
    words = _("{part}, {size} pixels, seed {seed}, on {device}.")
    return words.format(part=part, size=entry.size, seed=entry.seed, device=entry.device)


def _figures(best: Best) -> list[str]:
    found = []
    if np.isfinite(best.betti_error):
        valid = "?" if np.isnan(best.valid) else f"{best.valid:.0f}"
        words = _("Best masks at step {step}: Betti error {error}, {valid} % with the right topology.")
        found.append(words.format(step=best.step, error=f"{best.betti_error:.3f}", valid=valid))
    if np.isfinite(best.texture_error):
        words = _("Best textures at step {step}: {error} off on average.")
        found.append(words.format(step=best.texture_step, error=f"{best.texture_error:.3g}"))
    return found
