"""Settings of a downstream segmentation."""

from __future__ import annotations

from topogan.config.base import Device, Settings, setting


class DownstreamSettings(Settings):
    """How much synthetic data help a segmentation network (U-Net), measured on test patients."""

    steps: int = setting(600, "Steps", "Training steps of each network.", ge=1, le=1_000_000)
    batch: int = setting(16, "Batch size", "Slices per step.", ge=2, le=256)
    share: int = setting(
        50, "Synthetic share", "Share of synthetic slices in a batch, where real ones are with them.", "%", ge=1, le=99
    )
    width: int = setting(16, "Width", "Channels of the U-Net's first level.", ge=4, le=128)
    learning_rate: float = setting(3e-3, "Learning rate", "Adam's step size.", gt=0.0, le=0.1)
    seeds: int = setting(3, "Seeds", "Trainings of each kind; claims need at least 3.", ge=1, le=20)
    device: Device = setting(Device.AUTO, "Device", "auto takes CUDA, then MPS, then the CPU.")
    threads: int = setting(0, "CPU threads", "Threads of the networks on the CPU; 0 uses all cores.", ge=0, le=512)
