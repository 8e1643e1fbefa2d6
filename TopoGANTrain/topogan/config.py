"""Every setting of the engine: the one place of each default, range, unit and help text.

The command line, the run folder's ``config.json`` and, through ``settings.schema.json``, the Slicer panels are all
made from these classes. A frozen configuration that is written to disk holds no path of the user's machine.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from topogan.errors import InputError
from topogan_contract.sizes import SIZES, VOLUME_SIZES

# Names are shown in terminals, figures, reports and Slicer: no line ends, no codes that would drive a terminal.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"
# What a registry can hold; whether it does is asked when it is used (topogan.errors.lookup).
REGISTERED = r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$"
# Those of topogan_contract.sizes.
PatchSize = Literal[32, 48, 64, 96, 128, 256, 512]


class Settings(BaseModel):
    """Frozen, strict about names: a misspelt setting is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


def setting(default: Any, title: str, text: str, unit: str = "", **limits: Any) -> Any:
    """A field with what a panel shows: a short ``title``, a help ``text`` and a ``unit``."""
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    return Field(default=default, title=title, description=text, json_schema_extra=extra, **limits)


class Intensity(str, Enum):
    """What the numbers of the images mean."""

    HU = "HU"
    ARBITRARY = "arbitrary"


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


class Device(str, Enum):
    """Where the networks run; persistence always runs on the CPU."""

    AUTO = "auto"
    CUDA = "cuda"
    MPS = "mps"
    CPU = "cpu"


class PrepareSettings(Settings):
    """How volumes and segmentations become a training set of patches."""

    structure: str = setting(
        "structure",
        "Structure",
        "Name of the segmented structure, used in reports; in a DICOM structure set, the region of that name is taken.",
        min_length=1,
        max_length=60,
        pattern=PRINTABLE,
    )
    labels: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = setting(
        (1,),
        "Labels",
        "Label values of the segmentation that together make the structure; in a DICOM structure set without a region "
        "of the structure's name, region numbers.",
        min_length=1,
    )
    volumes: bool = setting(
        False, "Volumes", "Learn whole volumes, one of each patient and phase (and pose), instead of slices."
    )
    poses: int = setting(
        1,
        "Poses",
        "Volumes cut from each phase: the first as it lies, the others at random turned (up to 8°), scaled (5 %) and "
        "moved (2 mm).",
        ge=1,
        le=100,
    )
    size: PatchSize = setting(
        64,
        "Patch size",
        "Width and height of a patch: 64, 128, 256 or 512; of volumes also the depth: 32, 48, 64, 96 or 128.",
        "pixels",
    )
    pixel_size: float = setting(
        0.0,
        "Pixel size",
        "Size of a patch pixel; 0 makes the widest slice of the structures fill 0.75 of a patch (volumes: 0.9), or a "
        "little more or less where pixels would be coarser than two of the images', or finer than one.",
        "mm",
        ge=0.0,
        le=20.0,
    )
    slice_spacing: float = setting(
        0.0, "Slice spacing", "Distance between slices; 0 uses the volume's own.", "mm", ge=0.0, le=100.0
    )
    minimum_area: float = setting(
        30.0, "Smallest slice", "Slices in which the structure is smaller are left out.", "mm²", ge=0.0, le=1e5
    )
    window_low: float = setting(
        -200.0, "Window from", "CT value that the textures show as black.", "HU", ge=-4096, le=32767
    )
    window_high: float = setting(
        600.0, "Window to", "CT value that the textures show as white.", "HU", ge=-4096, le=32767
    )
    intensity: Intensity = setting(
        Intensity.HU, "Intensity", "HU for CT; arbitrary for other images, each of whose own range becomes 0 to 1000."
    )
    validation: float = setting(
        0.15,
        "Validation",
        "Share of the patients that curves and previews are measured on; with one patient, share of its slices.",
        ge=0.05,
        le=0.4,
    )
    test: float = setting(
        0.25,
        "Test",
        "Share of the patients that only reports look at; with one patient, share of its slices.",
        ge=0.05,
        le=0.5,
        validation_alias=AliasChoices("test", "held_out"),  # its name when there was no validation
    )
    resample: bool = setting(
        False,
        "Resample segmentation",
        "Bring a segmentation with another grid to the image's grid (nearest neighbour).",
    )
    tiling: bool = setting(
        False,
        "Tiles",
        "Cut whole slices into patches side by side, for structures without a center (membranes, vessel trees); "
        "pixel size 0 then takes the first volume's own.",
    )
    png_pixel_size: float = setting(
        0.0, "PNG pixel size", "Size of a pixel of PNG slices, which cannot say it themselves.", "mm", ge=0.0, le=20.0
    )
    png_slice_spacing: float = setting(
        0.0, "PNG slice spacing", "Distance between PNG slices; 0 uses the PNG pixel size.", "mm", ge=0.0, le=100.0
    )
    png_structure: str = setting(
        "",
        "PNG structure",
        "What the structure is in PNG masks: colors (#ff0000,#00ff00), dark (<128) or bright (>=128) values; "
        "empty uses the labels.",
        pattern=r"^$|^#[0-9a-fA-F]{6}(,#[0-9a-fA-F]{6})*$|^(<|>=)\d{1,5}$",
    )
    seed: int = setting(0, "Seed", "Seed of the random split, and of poses.", ge=0, le=2**31 - 1)

    @field_validator("size")
    @classmethod
    def _size_fits(cls, size: int, info: ValidationInfo) -> int:
        check_size(size, 3 if info.data.get("volumes") else 2)
        return size

    @property
    def axes(self) -> int:
        """2 for slices, 3 for volumes."""
        return 3 if self.volumes else 2


def check_size(size: int, axes: int) -> None:
    """Refuse sizes that images (``axes`` = 2) or volumes (3) do not have.

    Raises:
        ValueError: with the sizes that there are.
    """
    sizes = SIZES if axes == 2 else VOLUME_SIZES
    if size not in sizes:
        what = "slices" if axes == 2 else "volumes"
        raise ValueError(f"{what} have {', '.join(map(str, sizes[:-1]))} or {sizes[-1]}")


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


class TextureSettings(Settings):
    """pix2pix: a network paints CT on a mask, another judges it."""

    network: str = setting(
        "spade",
        "Network",
        "spade tells every resolution the labels, noisy is a U-Net, and both have noise at every resolution; unet is "
        "that of pix2pix.",
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


class DownstreamSettings(Settings):
    """How much synthetic data help a segmentation network (U-Net), measured on test patients."""

    steps: int = setting(600, "Steps", "Training steps of each network.", ge=1, le=1_000_000)
    batch: int = setting(16, "Batch size", "Slices per step.", ge=1, le=256)
    width: int = setting(16, "Width", "Channels of the U-Net's first level.", ge=4, le=128)
    learning_rate: float = setting(1e-3, "Learning rate", "Adam's step size.", gt=0.0, le=0.1)
    seeds: int = setting(3, "Seeds", "Trainings of each kind; claims need at least 3.", ge=1, le=20)
    device: Device = setting(Device.AUTO, "Device", "auto takes CUDA, then MPS, then the CPU.")
    threads: int = setting(0, "CPU threads", "Threads of the networks on the CPU; 0 uses all cores.", ge=0, le=512)


class PhantomSettings(Settings):
    """The beating-heart CT phantom."""

    patients: int = setting(8, "Patients", "Number of simulated patients.", ge=1, le=1000)
    phases: int = setting(10, "Phases", "Cardiac phases of each patient.", ge=1, le=50)
    seed: int = setting(0, "Seed", "Same seed, same phantom.", ge=0, le=2**31 - 1)


def leaf_fields(kind: type[Settings], prefix: str = "") -> list[tuple[str, FieldInfo]]:
    """List every single setting of ``kind`` with its dotted name, those of nested groups included."""
    leaves = []
    for name, field in kind.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Settings):
            leaves += leaf_fields(annotation, f"{prefix}{name}.")
        else:
            leaves.append((prefix + name, field))
    return leaves


def plain(value: Any) -> Any:
    """Return a default as JSON holds it."""
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


_MOST_SHOWN = 80
AnySettings = TypeVar("AnySettings", bound=Settings)


def validated(kind: type[AnySettings], values: Any) -> AnySettings:
    """Make settings from plain values.

    Raises:
        InputError: one sentence that names the first setting that is wrong, its value, and what is allowed.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or kind.__name__
        if first["type"] == "extra_forbidden":
            raise InputError(f"The setting {name[:_MOST_SHOWN]} does not exist: check its spelling.") from error
        raise InputError(
            f"The setting {name} cannot be {shown_value(first.get('input'))}: {_reason(kind, first)}."
        ) from error


def shown_value(value: Any) -> str:
    """A value as messages show it, at bounded length."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."


def _reason(kind: type[Settings], error: Any) -> str:
    """What is wrong; for a text of the wrong form the setting's own help instead of a regular expression."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] != PRINTABLE:
        field = dict(leaf_fields(kind))[".".join(error["loc"])]
        return str(field.description).rstrip(".")
    return in_words(error)


def in_words(error: Any) -> str:
    """What is wrong with a value, of an entry of pydantic's ``ValidationError.errors()``: no capital, no full stop."""
    if error["type"] == "string_pattern_mismatch" and error["ctx"]["pattern"] == PRINTABLE:
        return "it holds characters that cannot be printed"
    if error["type"] == "model_type":
        return "it should be a group of values"
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[0].lower() + message[1:]
