"""Starting a run from a model package."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from torch import nn

from topogan.config import Center, Part, TrainSettings
from topogan.errors import InputError
from topogan.model import Model
from topogan.networks import channels_behind
from topogan.randomness import seeded
from topogan.training.adaptation import Seen, adapt
from topogan.training.stages import Networks, blank_networks
from topogan.training_set import TrainingSet

_DECIDES_SHAPE = {"masks": ("backbone", "width", "latent"), "textures": ("network", "width")}
# By which groups of settings the networks of a stage were trained.
_TRAINED_BY = {"masks": ("masks", "topology", "augmentation"), "textures": ("textures",)}


@dataclass
class Start:
    """What a run begins with.

    Attributes:
        settings: of the run, with those of the parts that are taken over.
        networks: by stage.
        continued: the stages of which all networks come from the model as they are.
        messages: what the user should know.
    """

    settings: TrainSettings
    networks: dict[str, Networks] = field(default_factory=dict)
    continued: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)


def start_from(
    model: Model, settings: TrainSettings, training_set: TrainingSet, adapt_structures: bool = False
) -> Start:
    """Take the networks of a model to go on from.

    A part that the run does not train is taken over unchanged, with its settings, into the run's own package, if it
    means the same there (structures, mm per pixel, window); a part that the model does not have is trained from
    scratch.

    Args:
        model: the start.
        settings: of the run.
        training_set: of the run.
        adapt_structures: where the structures differ, keep what they share (see :mod:`topogan.training.adaptation`).

    Raises:
        InputError: a network has another shape than the settings or the training set ask for, or knows other
            structures.
    """
    if model.metadata.axes != training_set.axes:
        made, given = ("slices" if axes == 2 else "volumes" for axes in (model.metadata.axes, training_set.axes))
        raise InputError(
            f"The model makes {made} and the training set holds {given}: prepare a training set of {made}, or train "
            "without --from."
        )
    start = Start(settings)
    if model.metadata.center is not training_set.center and training_set.axes == 2:
        start.messages.append(_other_center(model.metadata.center, training_set.center))
    had = Seen(model.metadata.table.names, model.metadata.told_level)
    wants = Seen(training_set.table.names, settings.tells_level(len(training_set.table), training_set.axes))
    # One structure under another name is what it was before.
    same = had == wants or (len(had.structures) == len(wants.structures) == 1 and had.level == wants.level)
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
        elif same and _means_the_same(stage, model, training_set):
            kept = {name: getattr(model.settings, name) for name in _TRAINED_BY[stage]}
            start.settings = start.settings.model_copy(update=kept)
        else:
            start.messages.append(f"The model's {stage} do not fit this training set and are left out.")
            continue
        networks = {"generator": generator, "discriminator": discriminator}
        if same:
            start.continued.append(stage)
        else:
            if not adapt_structures:
                raise InputError(_refusal(had, wants))
            networks = _adapted(stage, networks, settings, training_set, had, wants)
            start.messages.append(_said(stage, had, wants))
        start.networks[stage] = networks
    return start


def _other_center(had: Center, wants: Center) -> str:
    return (
        f"The model learned patches around {had.around} and those of the training set lie around {wants.around}: "
        f"prepare it with --center {had.value} to go on as it learned."
    )


def _refusal(had: Seen, wants: Seen) -> str:
    return (
        f"The model knows {_in_words(had)} and this training is of {_in_words(wants)}: add --adapt-structures to keep "
        "what they share, or train without --from."
    )


def _in_words(seen: Seen) -> str:
    return f"{', '.join(seen.structures)} {'with' if seen.level else 'without'} the slice level"


def _said(stage: str, had: Seen, wants: Seen) -> str:
    shared = [name for name in wants.structures if name in had.structures]
    kept = f"know {', '.join(shared)} already" if shared else "know none of these structures"
    return f"The model's {stage} {kept}; what they have for other structures begins untrained."


def _adapted(
    stage: str, old: Networks, settings: TrainSettings, training_set: TrainingSet, had: Seen, wants: Seen
) -> dict[str, nn.Module]:
    size, axes = training_set.size, training_set.axes
    blank = seeded(
        lambda: blank_networks(stage, settings, size, len(wants.structures), axes), settings.seed, f"{stage}: weights"
    )
    for name, network in blank.items():

        def make(structures: int, level: bool, name: str = name) -> nn.Module:
            told = settings.model_copy(update={"condition": "level" if level else "none"})
            return blank_networks(stage, told, size, structures, axes)[name]

        adapt(network, old[name], make, had, wants, channels_behind if stage == "textures" else lambda weights: 0)
        network.train(old[name].training)
    return blank


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
