"""Settings of drawing samples from a model."""

from __future__ import annotations

from topogan.config.base import Device, Settings, setting

# What is asked of all structures, or of one.
_ASKED = r"(any|modal|real|\d{1,4}(,\d{1,4}){1,2})"


class SynthesisSettings(Settings):
    """How samples are drawn from a model."""

    count: int = setting(64, "Samples", "How many samples to make.", ge=1, le=100_000)
    seed: int = setting(0, "Seed", "Same seed, same samples on a CPU.", ge=0, le=2**31 - 1)
    betti: str = setting(
        "any",
        "Topology",
        "any accepts all; modal asks for the most frequent real topology of all structures together; real for one that "
        "real slices of the same level show; '1,1' for one piece and one hole (of the first structure), '1,0,0' for "
        "one piece of a volume without tunnel and cavity; 'myocardium=1,1;aorta=real' for each of several.",
        pattern=rf"^({_ASKED}|[^=;]+={_ASKED}(;[^=;]+={_ASKED})*)$",
        max_length=4000,
    )
    clean: int = setting(
        0,
        "Clean below",
        "Remove pieces and fill holes (of volumes cavities, not tunnels) of fewer pixels or voxels; 0 is off.",
        "pixels",
        ge=0,
        le=10_000,
    )
    attempts: int = setting(20, "Attempts", "Give up after this many times the asked number of tries.", ge=1, le=1000)
    device: Device = setting(Device.AUTO, "Device", "auto takes CUDA, then MPS, then the CPU.")
