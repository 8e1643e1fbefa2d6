"""A model's card in words."""

from __future__ import annotations

from slicer.i18n import tr as _

from topogan_contract.figures import Figures
from topogan_contract.privacy import sentence_of_figures
from TopoGANSynthLib.model.model_card import ModelCard


def facts(card: ModelCard, simulated: bool) -> str:
    """What it makes and what it was trained on, in lines.

    Args:
        card: of the model.
        simulated: it is the one that comes with the panel.
    """
    volumes = card.axes == 3
    train, validation, test = card.parts
    sizes = _("{structure}: {size} {unit} of {pixel} mm, {width} mm wide, {texture}.")
    split = _("{patients}: {train} for training, {validation} for validation, {test} for the test.")
    patients = _counted(card.patients, _("1 patient"), _("{count} patients"))
    slices = (_("1 volume"), _("{count} volumes")) if volumes else (_("1 slice"), _("{count} slices"))
    lines = [
        sizes.format(
            structure=card.structure,
            size=" × ".join([str(card.size)] * card.axes),
            unit=_("voxels") if volumes else _("pixels"),
            pixel=f"{card.pixel_size_mm:.2f}",
            width=f"{card.size * card.pixel_size_mm:.0f}",
            texture=_("with CT texture") if card.has_textures else _("masks alone"),
        ),
        split.format(patients=patients, train=_counted(train, *slices), validation=validation, test=test),
    ]
    if simulated:
        lines.append(_("The demo model: it has learned simulated hearts, no patients."))
    return "\n".join(lines)


def limits(card: ModelCard) -> str:
    """How its figures were measured, how near it is to its training set, and what it cannot do, in lines."""
    volumes, figures = card.axes == 3, card.figures
    lines = [_("How good its samples are was not measured.")] if figures is None else _measured(card, figures, volumes)
    if not card.independent:
        lines.append(_("Trained and evaluated on the same patient: its figures are not independent."))
    lines.append(
        _("Volumes are unrelated to each other. For research only.")
        if volumes
        else _("Slices are unrelated to each other, no volume. For research only.")
    )
    return "\n".join(lines)


def usual(card: ModelCard, region: int) -> str:
    """What a structure or union most frequently has."""
    numbers = dict(zip(("pieces", "holes", "cavities"), card.modal_betti[region], strict=False))
    sentence = (
        _("{name}. Most frequent: pieces {pieces}, tunnels {holes}, cavities {cavities}.")
        if card.axes == 3
        else _("{name}. Most frequent: pieces {pieces}, holes {holes}.")
    )
    return sentence.format(name=card.shown_regions[region], **numbers)


def cells(figures: Figures, region: int) -> list[str]:
    """The figures of a structure or union, as the table shows them."""
    row = figures.regions[region]
    shares = [f"{row.valid_percent:.0f} %", f"{row.real_valid_percent:.0f} %"]
    return [*shares, f"{row.betti_error:.2f}", f"{row.real_betti_error:.2f}"]


def _measured(card: ModelCard, figures: Figures, volumes: bool) -> list[str]:
    part = {"validation": _("validation"), "test": _("test")}[figures.part]
    how = _("{samples} beside {real} ({part}).")
    samples = _counted(figures.samples, _("1 raw sample"), _("{count} raw samples"))
    one, many = (
        (_("1 real volume"), _("{count} real volumes")) if volumes else (_("1 real slice"), _("{count} real slices"))
    )
    near = _("Dice with the nearest training sample: {dice}, of real ones {real}; {equal} % equal one.")
    return [
        how.format(samples=samples, real=_counted(figures.held_out, one, many), part=part),
        near.format(
            dice=f"{figures.dice_to_training:.2f}",
            real=f"{figures.real_dice_to_training:.2f}",
            equal=f"{figures.identical_percent:.0f}",
        ),
        sentence_of_figures(figures, "volume" if volumes else "slice", card.has_textures, card.independent),
    ]


def _counted(count: int, one: str, many: str) -> str:
    return one if count == 1 else many.format(count=count)
