"""Settings of a training: masks, their topology and augmentation, textures."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from topogan.config.base import PRINTABLE, REGISTERED, Device, Settings, setting


class PointRule(str, Enum):
    """How ``likelihood`` turns matched diagrams into targets of single points."""

    RANK = "rank"
    W2 = "w2"


class HomologyDimensions(str, Enum):
    """Which homology the topological loss acts on: components (H0), holes or tunnels (H1), cavities (H2), or all."""

    H0 = "h0"
    H1 = "h1"
    H2 = "h2"
    COMPONENTS_AND_TUNNELS = "h0+h1"
    ALL = "all"

    @classmethod
    def _missing_(cls, value: object) -> HomologyDimensions | None:
        return cls.ALL if value == "both" else None  # its name when there were only slices

    def numbers(self, axes: int) -> tuple[int, ...]:
        """The dimensions as numbers, in rising order, of images (``axes`` = 2) or volumes (3)."""
        if self is HomologyDimensions.ALL:
            return tuple(range(axes))
        return tuple(int(name[1:]) for name in self.value.split("+"))


class Part(str, Enum):
    """Which networks a training trains."""

    BOTH = "both"
    MASKS = "masks"
    TEXTURES = "textures"


class MaskSettings(Settings):
    """The mask generator, its discriminator and their training."""

    objective: str = setting(
        "nonsaturating",
        "Objective",
        "nonsaturating is robust; log is the paper's own; wgan-gp is that of the reference implementation.",
        pattern=REGISTERED,
    )
    backbone: str = setting(
        "dcgan", "Backbone", "dcgan is fast; resnet is larger and better with much data.", pattern=REGISTERED
    )
    width: int = setting(
        16, "Width", "Channels of the widest resolution; more is slower and better with much data.", ge=4, le=128
    )
    latent: int = setting(64, "Latent size", "Numbers from which one mask is generated.", ge=4, le=512)
    steps: int = setting(3000, "Steps", "Training steps (one update of the generator each).", ge=1, le=10_000_000)
    batch: int = setting(32, "Batch size", "Masks per step.", ge=2, le=512)
    discriminator_steps: int = setting(
        1,
        "Discriminator steps",
        "Updates of the discriminator per step; wgan-gp wants 5.",
        ge=1,
        le=20,
        # Files of the first version call a discriminator critic.
        validation_alias=AliasChoices("discriminator_steps", "critic_steps"),
    )
    learning_rate: float = setting(8e-4, "Learning rate", "Adam's step size.", gt=0.0, le=0.1)
    gradient_penalty: float = setting(
        2.0, "Gradient penalty", "Weight of R1 (log, nonsaturating) or of WGAN's penalty; 0 is off.", ge=0.0, le=1000.0
    )
    average: float = setting(
        0.998,
        "Averaging",
        "Decay of the moving average of the generator that makes the samples; less where a training is short.",
        ge=0.0,
        lt=1.0,
    )


class TopologySettings(Settings):
    """The topological loss λ·L_topo."""

    mode: str = setting(
        "likelihood",
        "Topology loss",
        "likelihood acts on the grey output and can open and close; paper is equations 3 to 5; binarise is a control; "
        "off is none.",
        pattern=REGISTERED,
    )
    point_rule: PointRule = setting(
        PointRule.W2, "Point rule", "How likelihood sets targets: by W2 matching, or by rank, which pulls harder."
    )
    dimensions: HomologyDimensions = setting(
        HomologyDimensions.ALL,
        "Homology",
        "Pieces (h0), holes (h1; of volumes tunnels), cavities of volumes (h2), or all.",
    )
    ratio: float = setting(
        2.0,
        "Strength ρ",
        "Topological over adversarial gradient norm at the generator's output; λ is set from it.",
        ge=0.0,
        le=100.0,
    )
    size_ratio: float = setting(
        2.0,
        "Size strength",
        "As ρ, for the sizes of holes, gaps and walls of slices, which likelihood looks at beside numbers; 0 is off.",
        ge=0.0,
        le=100.0,
    )
    fixed_weight: float = setting(
        0.0, "Fixed λ", "A fixed λ, as in the paper (0.0005); 0 sets λ from the strength ρ.", ge=0.0, le=1e6
    )
    every: int = setting(
        4,
        "Every … steps",
        "Steps from one topological pull to the next; each is as many times stronger, and the others cost nothing.",
        ge=1,
        le=1000,
    )
    warm_up: float = setting(
        0.6,
        "Warm-up",
        "Share of the steps before the topological loss begins; a model that is fine-tuned needs none.",
        ge=0.0,
        lt=1.0,
    )
    ramp_steps: int = setting(
        300,
        "Ramp",
        "Steps over which λ rises to its value; a model that is fine-tuned needs none.",
        ge=1,
        le=1_000_000,
    )
    max_points: int = setting(16, "Points", "Most persistent points of each dimension that are used.", ge=1, le=1024)
    regions: tuple[Annotated[str, Field(min_length=1, max_length=2000, pattern=PRINTABLE)], ...] = setting(
        (), "Regions", "Structures and unions ('a + b') that take turns in the topological loss; none means all."
    )

    @property
    def on(self) -> bool:
        """Whether there is a topological loss."""
        return self.mode != "off"


class AugmentationSettings(Settings):
    """Changes of what few masks show, so that they are not learned by heart."""

    masks: float = setting(
        1.0,
        "Vary masks",
        "How much real masks are changed before they are learned: 1 turns them up to 20°, scales them by 10 %, moves "
        "them by 2 % of the width and bends them; 0 is off.",
        ge=0.0,
        le=2.0,
    )
    bending: float = setting(
        0.06,
        "Bending",
        "How far varied masks are bent at most, as a share of the width; more than 0.1 could fold them.",
        ge=0.0,
        le=0.1,
    )
    discriminator: Literal["off", "fixed", "adaptive"] = setting(
        "off",
        "Vary what is judged",
        "The same changes of all that the discriminator sees, real and generated, which are not learned: always "
        "(fixed), or as often as keeps it from knowing the real masks by heart (adaptive).",
    )


class TextureSettings(Settings):
    """pix2pix: a network paints CT on a mask, another judges it."""

    network: str = setting(
        "grain",
        "Network",
        "grain and spade tell every resolution the labels, noisy is a U-Net; spade and noisy have noise at every "
        "resolution, grain has fine noise that is not woven; unet is that of pix2pix.",
        pattern=REGISTERED,
    )
    width: int = setting(16, "Width", "Channels of the first layer.", ge=4, le=128)
    steps: int = setting(1500, "Steps", "Training steps.", ge=1, le=10_000_000)
    batch: int = setting(4, "Batch size", "Image pairs per step.", ge=1, le=256)
    learning_rate: float = setting(1e-3, "Learning rate", "Adam's step size.", gt=0.0, le=0.1)
    decay: float = setting(
        0.5, "Decay", "Share of the steps, the last ones, in which the learning rate falls to 0.", ge=0.0, le=1.0
    )
    gradient_penalty: float = setting(0.1, "Gradient penalty", "Weight of R1; 0 is off.", ge=0.0, le=1000.0)
    l1_weight: float = setting(100.0, "L1 weight", "Weight of the difference to the real image.", ge=0.0, le=10_000.0)
    draws: Literal[1, 2] = setting(
        2,
        "Draws",
        "Textures painted on each mask in a step: with 2 their distribution is held to the real image, noise and all; "
        "with 1 each texture is, as in pix2pix, which blurs.",
    )


class TrainSettings(Settings):
    """One training run: masks, textures or both."""

    part: Part = setting(Part.BOTH, "Train", "Masks, textures or both; textures need a training set with images.")
    masks: MaskSettings = MaskSettings()
    topology: TopologySettings = TopologySettings()
    augmentation: AugmentationSettings = AugmentationSettings()
    textures: TextureSettings = TextureSettings()
    condition: Literal["auto", "none", "level"] = setting(
        "auto",
        "Condition",
        "level tells the networks where along its structures a slice lies; none does not; auto does with several.",
    )
    seed: int = setting(0, "Seed", "Same seed, same run on a CPU.", ge=0, le=2**31 - 1)
    device: Device = setting(Device.AUTO, "Device", "auto takes CUDA, then MPS, then the CPU.")
    threads: int = setting(0, "CPU threads", "Threads of the networks on the CPU; 0 uses all cores.", ge=0, le=512)
    checkpoint_every: int = setting(250, "Checkpoint every", "Steps between checkpoints.", ge=1, le=1_000_000)
    preview_every: int = setting(250, "Preview every", "Steps between preview pictures.", ge=1, le=1_000_000)

    def tells_level(self, structures: int, axes: int = 2) -> bool:
        """Whether networks of so many structures are told the slice level; of volumes (``axes`` = 3) there is none."""
        return axes == 2 and (self.condition == "level" or (self.condition == "auto" and structures > 1))
