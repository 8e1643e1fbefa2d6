"""Settings of preparing a training set, and of the phantom."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, ValidationInfo, field_validator

from topogan.config.base import PRINTABLE, Settings, setting
from topogan_contract.sizes import SIZES, VOLUME_SIZES

# Those of topogan_contract.sizes.
PatchSize = Literal[32, 48, 64, 96, 128, 256, 512]


class Intensity(str, Enum):
    """What the numbers of the images mean."""

    HU = "HU"
    ARBITRARY = "arbitrary"


class Context(str, Enum):
    """What can be found in a CT without a segmentation."""

    LUNGS = "lungs"
    BONE = "bone"
    BODY = "body"


class Center(str, Enum):
    """What patches of slices lie around."""

    AUTO = "auto"
    SLICE = "slice"
    VOLUME = "volume"

    @property
    def around(self) -> str:
        """What they lie around, in words; of ``auto`` nobody knows yet."""
        return "what all slices of a phase show" if self is Center.VOLUME else "what each slice shows"


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
    center: Center = setting(
        Center.AUTO,
        "Center",
        "What patches lie around: what each slice shows (slice), or what all slices of its phase show, so that nothing "
        "jumps where another structure begins (volume); auto: volume with several structures, where patches need not "
        "be more than a tenth wider for that, and a stated pixel size allows it.",
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
    context: tuple[Context, ...] = setting(
        (),
        "Context",
        "What is found in the CT by its HU, learned and painted besides the structures, without its topology being "
        "counted: lungs, bone (above 250 HU, so also contrast medium in vessels that are no structure), body.",
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


class PhantomSettings(Settings):
    """The beating-heart CT phantom."""

    patients: int = setting(8, "Patients", "Number of simulated patients.", ge=1, le=1000)
    phases: int = setting(10, "Phases", "Cardiac phases of each patient.", ge=1, le=50)
    seed: int = setting(0, "Seed", "Same seed, same phantom.", ge=0, le=2**31 - 1)
