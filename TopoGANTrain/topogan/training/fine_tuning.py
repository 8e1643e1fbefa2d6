"""Starting a run from a model package."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from topogan.config import Part, TrainSettings
from topogan.errors import InputError
from topogan.model import Model
from topogan.training.stages import Networks
from topogan.training_set import TrainingSet

_DECIDES_SHAPE = {"masks": ("backbone", "width", "latent"), "textures": ("network", "width")}


@dataclass
class Start:
    """What a run begins with.

    Attributes:
        settings: of the run, with those of the parts that are taken over.
        networks: by stage.
        messages: what the user should know.
    """

    settings: TrainSettings
    networks: dict[str, Networks] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)


def start_from(model: Model, settings: TrainSettings, training_set: TrainingSet) -> Start:
    """Take the networks of a model to go on from.

    A part that the run does not train is taken over unchanged, with its settings, into the run's own package, if it
    means the same there (mm per pixel, window); a part that the model does not have is trained from scratch.

    Raises:
        InputError: a network has another shape than the settings or the training set ask for.
    """
    start = Start(settings)
    pairs = {
        "masks": (model.masks, model.mask_discriminator),
        "textures": (model.textures, model.texture_discriminator),
    }
    for stage, (generator, discriminator) in pairs.items():
        trained = settings.part in (Part.BOTH, Part(stage))
        if generator is None or discriminator is None:
            if trained:
                start.messages.append(f"The model has no {stage}: these are trained from scratch.")
            continue
        if trained:
            _check_shape(stage, model, settings, training_set)
        elif _means_the_same(stage, model, training_set):
            start.settings = start.settings.model_copy(update={stage: getattr(model.settings, stage)})
        else:
            start.messages.append(f"The model's {stage} do not fit this training set and are left out.")
            continue
        start.networks[stage] = {"generator": generator, "discriminator": discriminator}
    return start


def _check_shape(stage: str, model: Model, settings: TrainSettings, training_set: TrainingSet) -> None:
    for name in _DECIDES_SHAPE[stage]:
        had, wanted = (getattr(getattr(one, stage), name) for one in (model.settings, settings))
        if had != wanted:
            raise InputError(
                f"The model's {stage} have {name} {had} and the settings say {wanted}: "
                f"set {stage}.{name} to {had}, or train without --from."
            )
    if stage == "masks" and model.metadata.size != training_set.size:
        raise InputError(
            f"The model makes masks of {model.metadata.size} pixels and the training set has {training_set.size}: "
            "prepare a training set of the model's size, or train without --from."
        )


def _means_the_same(stage: str, model: Model, training_set: TrainingSet) -> bool:
    metadata = model.metadata
    same_grid = metadata.size == training_set.size
    same_grid &= math.isclose(metadata.pixel_size_mm, training_set.pixel_size, rel_tol=1e-3)
    same_window = (metadata.window, metadata.intensity) == (training_set.window, training_set.intensity)
    return same_grid and (stage == "masks" or same_window)
