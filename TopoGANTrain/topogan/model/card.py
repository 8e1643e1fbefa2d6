"""What a model package says of itself to people: the model card and the default license text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from topogan.model.layout import MASKS_GENERATOR, TEXTURES_GENERATOR
from topogan.model.metadata import Metadata
from topogan.verdict import plural, topology_in_words
from topogan_contract.words import shown

LICENSE_TEXT = """\
License of this model

No license has been chosen for this model yet.

The weights were computed from the training data, so the terms of that data (license, data use agreement, ethics
approval, consent) apply to the weights as well. Until the owner of the training data has agreed to something else in
writing, do not pass this model on and do not use it for any other purpose than the training data may be used for.

If you made this model and may share it, replace this text by the license of your choice (for data under CC BY or
CC BY-SA: that license and the data's citation). The license of the TopoGAN software does not extend to models.
"""

_SHAPE = {2: "Patches of {0} × {0} pixels", 3: "Volumes of {0} × {0} × {0} voxels"}
_NATURE = {
    2: "Samples are single slices: neighbors do not make a volume, and no sample belongs to a patient.",
    3: "Samples are whole volumes, unrelated to each other, and no sample belongs to a patient.\n"
    "- A model of volumes of few patients can memorize them, however many poses of each it was shown.",
}
_CARD = """\
# Synthetic {structure}: a TopoGAN model

{what} {shape} of {pixel_size:.3g} mm.

**For research only. This is not a medical device: do not use it, or what it makes, for diagnosis or treatment.**

## Data
- {train} {noun}s for training, {validation} for validation and {test} for testing, of {patients} patient(s).
- {independence}
{topology}
- Intensity: {intensity}.
- Fingerprint of the training set: `{data_hash}`.

## Figures
{figures}

`topogan evaluate` compares samples with test patients more closely.

## Training
{settings}

Its last numbers:

{metrics}

## Intended use
Making masks and images for method development, teaching, and as additional training data for segmentation networks
whose quality is then measured on real data.

## Limits
- {nature}
- A sample can resemble a training mask closely; give `--training-set` when you synthesize to see how closely,
  and `--reject-copies` to leave possible copies of masks out.
- The model knows only the anatomy, scanners and pathologies of its training data.
- Topology is learned, not guaranteed; ask for it (`--betti`) where every sample has to have it.

## License
See `LICENSE`.
"""


def model_card(metadata: Metadata) -> str:
    """The text of ``docs/README.md`` (Markdown)."""
    trained = metadata.training_set
    return _CARD.format(
        structure=_plain(metadata.structure),
        what=_what(metadata),
        shape=_SHAPE[metadata.axes].format(metadata.size),
        noun=metadata.noun,
        nature=_NATURE[metadata.axes],
        pixel_size=metadata.pixel_size_mm,
        train=trained.train,
        validation=trained.validation,
        test=trained.test,
        patients=trained.patients,
        independence=(
            f"Training, validation and test {metadata.noun}s are of different patients."
            if trained.independent
            else f"Validation and test {metadata.noun}s are **not independent**: they are of the same patient(s) as "
            f"training {metadata.noun}s, so that every figure that rests on them is too good."
        ),
        topology="\n".join(_topology(metadata)),
        intensity=_intensity(metadata),
        data_hash=trained.content_hash,
        figures="\n".join(_figures(metadata)),
        settings=_list(metadata.settings.model_dump(mode="json")),
        metrics=_list(metadata.training),
    )


def _topology(metadata: Metadata) -> Iterator[str]:
    if context := [_plain(one.name) for one in metadata.table.structures if one.context]:
        yield f"- Learned and painted as context, whose topology is not counted: {', '.join(context)}."
    numbers = ",".join(plural(dimension, metadata.axes) for dimension in range(metadata.axes))
    for region, modal in zip(metadata.regions, metadata.betti.modal, strict=True):
        of = f" of {_plain(region.name)}" if len(metadata.regions) > 1 else ""
        counts = "; ".join(f"{betti}: {count}" for betti, count in metadata.betti.train.get(region.name, {}).items())
        yield f"- Most frequent topology of the real masks{of}: {topology_in_words(modal)}."
        yield f"- Topology of the training masks{of} ({numbers}: {metadata.noun}s): {counts}."


def _figures(metadata: Metadata) -> Iterator[str]:
    figures, noun = metadata.figures, metadata.noun
    if figures is None:
        yield "Not measured."
        return
    yield f"{figures.samples} raw samples beside {figures.held_out} real {noun}s of the {figures.part} part:"
    yield ""
    yield "| structure | valid | real | Betti error | real |"
    yield "|---|--:|--:|--:|--:|"
    for region, row in zip(metadata.regions, figures.regions, strict=True):
        name = _plain(region.name).replace("|", "&#124;")
        shares = f"{row.valid_percent:.0f} % | {row.real_valid_percent:.0f} %"
        yield f"| {name} | {shares} | {row.betti_error:.2f} | {row.real_betti_error:.2f} |"
    yield ""
    level = f"{noun}s of its level" if metadata.told_level else f"{noun}s"
    yield f"- Valid: a topology that training {level} show."
    yield "- Betti error: how differently often each topology occurs, 0 (as often) to 1; real: of training samples."
    yield (
        f"- Dice with the nearest training {noun}: {figures.dice_to_training:.2f} (real {noun}s "
        f"{figures.real_dice_to_training:.2f})."
    )
    yield (
        f"- Equal to a training {noun}: {figures.identical_percent:.0f} % (real {noun}s "
        f"{figures.real_identical_percent:.0f} %)."
    )
    yield ""
    yield f"**Privacy.** {metadata.privacy}"


def _what(metadata: Metadata) -> str:
    makes = {MASKS_GENERATOR: "Makes masks.", TEXTURES_GENERATOR: "Paints images on masks."}
    return " ".join(text for name, text in makes.items() if name in metadata.files)


def _intensity(metadata: Metadata) -> str:
    if metadata.window is None:
        return "none, the training set has masks alone"
    low, high = metadata.window
    unit = "HU" if metadata.intensity == "HU" else "arbitrary units"
    return f"{low:g} to {high:g} {unit}; darker and brighter is clipped"


def _list(values: dict[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in _flat(values)) or "- none recorded"


def _plain(words: object) -> str:
    """One line for Markdown that is neither HTML nor a link or picture."""
    return escape(shown(words), quote=False).replace("](", "]&#40;").replace("`", "&#96;")


def _flat(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", f"{value:.4g}" if isinstance(value, float) else _plain(value)
