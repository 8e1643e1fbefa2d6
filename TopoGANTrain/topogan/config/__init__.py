"""Every setting of the engine: the one place of each default, range, unit and help text.

The command line, the run folder's ``config.json`` and, through ``settings.schema.json``, the Slicer panels are all
made from these classes. A frozen configuration that is written to disk holds no path of the user's machine.
"""

from topogan.config.base import PRINTABLE, REGISTERED, Device, Settings, leaf_fields, plain, setting
from topogan.config.downstream import DownstreamSettings
from topogan.config.prepare import (
    Center,
    Context,
    Intensity,
    PatchSize,
    PhantomSettings,
    PrepareSettings,
    check_size,
)
from topogan.config.synthesis import SynthesisSettings
from topogan.config.train import (
    AugmentationSettings,
    HomologyDimensions,
    MaskSettings,
    Part,
    PointRule,
    TextureSettings,
    TopologySettings,
    TrainSettings,
)
from topogan.config.validation import AnySettings, in_words, shown_value, validated

__all__ = [
    "AnySettings",
    "AugmentationSettings",
    "Center",
    "Context",
    "Device",
    "DownstreamSettings",
    "HomologyDimensions",
    "Intensity",
    "MaskSettings",
    "PRINTABLE",
    "Part",
    "PatchSize",
    "PhantomSettings",
    "PointRule",
    "PrepareSettings",
    "REGISTERED",
    "Settings",
    "SynthesisSettings",
    "TextureSettings",
    "TopologySettings",
    "TrainSettings",
    "check_size",
    "in_words",
    "leaf_fields",
    "plain",
    "setting",
    "shown_value",
    "validated",
]
