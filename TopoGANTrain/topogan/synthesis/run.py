"""From a model package to a synthesis folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from topogan.config import SynthesisSettings
from topogan.device import choose_device
from topogan.errors import Cancelled, InputError, WorkError
from topogan.files import check_new_folder, check_outside, staged_folder
from topogan.metrics.copy_check import CopyCheck
from topogan.metrics.shape import best_stored_matches
from topogan.model import Model, Samples, load_model
from topogan.model.asking import SamplingRequest, asked_betti
from topogan.model.drawing import joined
from topogan.model.sampling import IsCopy, Tick, sample_chunks
from topogan.possible_copies import CopyBar
from topogan.synthesis.gallery import write_gallery
from topogan.synthesis.judging import Nearest, judge
from topogan.synthesis.volume_gallery import write_volume_gallery
from topogan.synthesis.writing import write_report, write_samples
from topogan.training_set import TrainingSet
from topogan_contract import schemas
from topogan_contract.synthesis import MOST_PIXELS

OnEvent = Callable[[dict[str, Any]], None]

# All samples are in memory until they are written; 12 bytes a pixel were measured, 3 GB at this many.
MAX_PIXELS = MOST_PIXELS


def synthesize(
    model: Path | str | Model,
    out: Path,
    settings: SynthesisSettings | None = None,
    training_set: Path | str | TrainingSet | None = None,
    overwrite: bool = False,
    reject_copies: Path | str | TrainingSet | None = None,
    on_event: OnEvent | None = None,
    cancelled: Callable[[], bool] | None = None,
    picture: bool = True,
) -> Path:
    """Draw samples and write a synthesis folder in one step.

    It holds ``masks.nrrd`` (uint8 label ids), ``textures.nrrd`` (int16, HU for CT; only where the model paints), both
    as stacks with axes [sample, row, column] of independent samples and not as volumes, ``diagrams.npz`` (distance
    filtration without border, pixels), ``samples.csv``, ``report.json`` and ``gallery.png``. Of a model of volumes it
    has a mask and a texture for each in place of the stacks: ``volumes/00000_mask.seg.nrrd``, …

    Args:
        model: package (folder or .zip), or a loaded model.
        out: folder to write.
        settings: what to draw.
        training_set: also tell for each sample its most similar training mask (Dice).
        overwrite: replace ``out`` if it is there; the old one stays until the new one is complete.
        reject_copies: the training set of the model: samples whose masks come closer to a training mask than every
            held-out one does, shifted, scaled, turned (slices) or mirrored as well, are left out and drawn again. The
            bar is that of its validation samples, of its test samples where there are none.
        on_event: takes progress events of the stage ``samples``.
        cancelled: asked often; work ends soon after it returns true.
        picture: draw ``gallery.png``, which takes longer than to draw a few samples.

    Raises:
        InputError: an argument cannot be used.
        WorkError: too few tries had the asked topology and were no copies; nothing is written then.
        Cancelled: on request; nothing is written then.
    """
    out = Path(out)
    settings = settings or SynthesisSettings()
    check_new_folder(out, overwrite, schemas.SYNTHESIS)
    device = choose_device(settings.device)
    loaded = model if isinstance(model, Model) else load_model(model, discriminators=False)
    if not isinstance(model, Model):
        check_outside(out, Path(model), "model package")
    _check_amount(settings.count, loaded.size, loaded.metadata.axes)
    real = _open_training_set(training_set, loaded)
    is_copy, bar = _copy_check(reject_copies, loaded, cancelled)
    request = _request(settings, loaded)
    with staged_folder(out, overwrite, schemas.SYNTHESIS) as folder:
        samples = _draw(loaded.to(device), request, is_copy, on_event, cancelled)
        judged = judge(samples, loaded.metadata, request, _nearest(samples, real), bar)
        write_samples(folder, judged)
        if picture:
            show = write_gallery if loaded.metadata.axes == 2 else write_volume_gallery
            show(folder / "gallery.png", samples, loaded.metadata, judged.verdicts)
        write_report(folder, judged, settings, request, loaded.reference)
    return out


def _request(settings: SynthesisSettings, model: Model) -> SamplingRequest:
    betti = asked_betti(settings.betti, model.metadata)
    return SamplingRequest(settings.count, settings.seed, betti, settings.clean, settings.attempts)


def _draw(
    model: Model,
    request: SamplingRequest,
    is_copy: IsCopy | None,
    on_event: OnEvent | None,
    cancelled: Callable[[], bool] | None,
) -> Samples:
    tick = _ticker(request, is_copy is not None, on_event, cancelled)
    try:
        chunks = list(sample_chunks(model, request, tick, is_copy))
    except torch.OutOfMemoryError as error:
        raise WorkError(
            "The graphics card has not enough memory left: close other programs, or use the cpu."
        ) from error
    return joined(chunks)


def _ticker(
    request: SamplingRequest, rejects: bool, on_event: OnEvent | None, cancelled: Callable[[], bool] | None
) -> Tick:
    def tick(accepted: int, tries: int) -> None:
        _stop_if(cancelled)
        if on_event:
            values = {"tries": tries} if request.betti or rejects else {}
            on_event({"kind": "step", "stage": "samples", "step": accepted, "total": request.count, "values": values})

    return tick


def _stop_if(cancelled: Callable[[], bool] | None) -> None:
    if cancelled and cancelled():
        raise Cancelled("The synthesis was cancelled.")


def _check_amount(count: int, size: int, axes: int) -> None:
    most = MAX_PIXELS // size**axes
    if count > most:
        shape = " × ".join([str(size)] * axes)
        raise InputError(
            f"{count} samples of {shape} {'pixels' if axes == 2 else 'voxels'} do not fit into memory at once: "
            f"ask for at most {most}, and for more with another seed."
        )


def _open_training_set(training_set: Path | str | TrainingSet | None, model: Model) -> TrainingSet | None:
    if training_set is None:
        return None
    real = training_set if isinstance(training_set, TrainingSet) else TrainingSet.open(Path(training_set))
    if real.axes != model.metadata.axes:
        raise InputError(
            f"The training set has {real.noun}s and the model makes {model.metadata.noun}s: "
            "name the training set that the model was trained on."
        )
    if real.size != model.size:
        what = "patches of {} pixels" if real.axes == 2 else "volumes of {} voxels along each edge"
        raise InputError(
            f"The training set has {what.format(real.size)} and the model makes {model.size}: "
            "name the training set that the model was trained on."
        )
    names = model.metadata.table.names
    if len(names) > 1 and real.table.names != names:
        raise InputError(
            f"The training set shows {real.table.title} and the model makes {model.metadata.table.title}: "
            "name the training set that the model was trained on."
        )
    return real


def _copy_check(
    named: Path | str | TrainingSet | None, model: Model, cancelled: Callable[[], bool] | None
) -> tuple[IsCopy, CopyBar] | tuple[None, None]:
    if named is None:
        return None, None
    real = named if isinstance(named, TrainingSet) else TrainingSet.open(Path(named))
    if real.content_hash != model.metadata.training_set.content_hash:
        raise InputError(
            f"{real.folder} is not the training set of this model, so copies of what it was trained on cannot be told: "
            "name that set."
        )
    part, held_out = ("validation", real.validation) if len(real.validation) else ("test", real.test)
    table, alone = real.table, real.without_context
    check = CopyCheck(alone.masks.__getitem__, real.train, held_out, table.counted, lambda: _stop_if(cancelled))
    return lambda labels: check(table.without_context_in(labels)), CopyBar(part, len(held_out))


def _nearest(samples: Samples, real: TrainingSet | None) -> Nearest | None:
    if real is None:
        return None
    # Context is no label of this comparison.
    found = best_stored_matches(samples.labels, real.masks.__getitem__, real.train, real.table.counted)
    return Nearest(found.index, found.dice, real.content_hash)
