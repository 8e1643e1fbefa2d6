"""What is compared: the forms of the loss, their strength, and the settings that all of them share."""

from __future__ import annotations

from dataclasses import dataclass

from topogan.config import (
    AugmentationSettings,
    Device,
    MaskSettings,
    Part,
    PointRule,
    TopologySettings,
    TrainSettings,
)
from topogan.errors import InputError

RATIOS = (0.5, 2.0, 6.0)


@dataclass(frozen=True)
class Variant:
    """One form of the loss."""

    mode: str
    point_rule: PointRule = PointRule.RANK
    sizes: float = 0.0
    """Strength of the loss of sizes."""
    every: int = 1
    """Steps from one pull to the next."""
    longer: float = 0.0
    """Steps that are added at the end, as a share of those after the warm-up: the control of equal time."""
    varied: float = 0.0
    """How much real masks are varied before they are learned (``augmentation.masks``)."""

    @property
    def warm_up(self) -> str:
        """The variant without the loss, whose first steps are the same."""
        return VARIED if self.varied else NONE

    @property
    def has_ratio(self) -> bool:
        """Tell whether the strength ρ means anything."""
        return self.mode != "off"


NONE, VARIED = "none", "none-varied"
# As results are called; what topogan.config has.
DEFAULT = "w2+sizes-4th, ρ 2"
VARIANTS = {
    NONE: Variant("off"),
    VARIED: Variant("off", varied=1.0),
    "none-longer": Variant("off", longer=0.5),
    "binarise": Variant("binarise"),
    "rank": Variant("likelihood", PointRule.RANK),
    "w2": Variant("likelihood", PointRule.W2),
    "rank+sizes": Variant("likelihood", PointRule.RANK, sizes=2.0),
    "rank+sizes-4th": Variant("likelihood", PointRule.RANK, sizes=2.0, every=4),
    "w2+sizes-4th": Variant("likelihood", PointRule.W2, sizes=2.0, every=4),
    "paper": Variant("paper"),
    # Of volumes, which have no loss of sizes.
    "w2-4th": Variant("likelihood", PointRule.W2, every=4),
    "w2-4th-varied": Variant("likelihood", PointRule.W2, every=4, varied=1.0),
    "rank-4th": Variant("likelihood", PointRule.RANK, every=4),
    "binarise-4th": Variant("binarise", every=4),
}


@dataclass(frozen=True)
class Protocol:
    """What all runs that are compared have in common."""

    steps: int = 2000
    width: int = 8
    warm_up: float = 0.6
    samples: int = 1000
    batch: int = 32

    @property
    def name(self) -> str:
        """Part of a job's name."""
        warm_up = "" if self.warm_up == Protocol.warm_up else f"-warm{self.warm_up:g}"
        return f"steps{self.steps}-width{self.width}{warm_up}"


@dataclass(frozen=True)
class Job:
    """One training: a variant on a set with a seed."""

    set_name: str
    variant_name: str
    ratio: float
    seed: int
    protocol: Protocol

    @property
    def variant(self) -> Variant:
        """The form of the loss."""
        return VARIANTS[self.variant_name]

    @property
    def name(self) -> str:
        """What the run is called in the file of its set, and its checkpoints."""
        ratio = f"-rho{self.ratio:g}" if self.variant.has_ratio else ""
        return f"{self.variant_name}{ratio}-seed{self.seed}-{self.protocol.name}"

    @property
    def settings(self) -> TrainSettings:
        """The training settings; ``steps`` is what ρ's warm-up refers to and leaves out ``longer``."""
        protocol, variant = self.protocol, self.variant
        topology = TopologySettings(
            mode=variant.mode,
            point_rule=variant.point_rule,
            ratio=self.ratio,
            size_ratio=variant.sizes,
            every=variant.every,
            warm_up=protocol.warm_up,
        )
        masks = MaskSettings(steps=protocol.steps, width=protocol.width, batch=protocol.batch)
        return TrainSettings(
            part=Part.MASKS,
            masks=masks,
            topology=topology,
            # Bent as all that has been measured.
            augmentation=AugmentationSettings(masks=variant.varied, bending=0.04),
            seed=self.seed,
            device=Device.CPU,
            threads=1,
        )

    @property
    def last_step(self) -> int:
        """Steps of the whole training."""
        steps = self.protocol.steps
        return steps + round(self.variant.longer * (1.0 - self.protocol.warm_up) * steps)


def make_jobs(
    sets: list[str], variants: list[str], ratios: list[float], seeds: list[int], protocol: Protocol
) -> list[Job]:
    """Every combination once, seed by seed, so that an interrupted series holds whole pairs.

    Raises:
        InputError: there is no such variant.
    """
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown:
        raise InputError(f"There is no variant {unknown[0]!r}: choose from {', '.join(VARIANTS)}.")
    return [
        Job(set_name, variant, ratio, seed, protocol)
        for set_name in sets
        for seed in seeds
        for variant in variants
        for ratio in (ratios if VARIANTS[variant].has_ratio else [0.0])
    ]
