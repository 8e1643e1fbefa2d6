"""Starting a run from a model package."""

from __future__ import annotations

from topogan.config import MaskSettings, Part, TextureSettings, TrainSettings
from topogan.errors import InputError
from topogan.model import Model
from topogan.training.stages import Networks

_DECIDES_SHAPE = {"masks": ("backbone", "width", "latent"), "textures": ("width",)}


def starting_networks(
    model: Model, settings: TrainSettings, size: int
) -> tuple[dict[str, Networks], TrainSettings]:
    """Take the networks of a model to go on from.

    A part that the run does not train is taken over unchanged, with its settings, into the run's own package; a part
    that the package does not have is trained from scratch.

    Returns:
        The networks by stage, and the settings of the run with those of the parts taken over.

    Raises:
        InputError: its networks have another shape than the settings say.
    """
    pairs = {
        "masks": (model.masks, model.mask_critic),
        "textures": (model.textures, model.texture_critic),
    }
    networks = {
        stage: {"generator": generator, "critic": critic}
        for stage, (generator, critic) in pairs.items()
        if generator is not None and critic is not None
    }
    for stage in networks:
        if settings.part in (Part.BOTH, Part(stage)):
            _check_shape(stage, getattr(model.settings, stage), getattr(settings, stage))
        else:
            settings = settings.model_copy(update={stage: getattr(model.settings, stage)})
    if "masks" in networks and model.metadata.size != size:
        raise InputError(
            f"The model makes masks of {model.metadata.size} pixels and the training set has {size}: "
            "prepare a training set of the model's size, or train without --from."
        )
    return networks, settings


def _check_shape(
    stage: str, theirs: MaskSettings | TextureSettings, ours: MaskSettings | TextureSettings
) -> None:
    for name in _DECIDES_SHAPE[stage]:
        had, wanted = (_plain(getattr(settings, name)) for settings in (theirs, ours))
        if had != wanted:
            raise InputError(
                f"The model's {stage} have {name} {had} and the settings say {wanted}: "
                f"set {stage}.{name} to {had}, or train without --from."
            )


def _plain(value: object) -> object:
    return getattr(value, "value", value)
