"""What the chapter on copying shows: how close samples come, and the closest beside what they are closest to."""

from __future__ import annotations

from topogan.evaluation import plots
from topogan.evaluation.blocks import FOUR, Block, captioned
from topogan.evaluation.case_pictures import copy_picture, texture_pair_picture
from topogan.evaluation.cases import Case, nearest_to_training
from topogan.evaluation.sections import Comparison
from topogan.evaluation.terms import TERMS
from topogan.metrics.closeness import Closeness

_TEXTURES_SHOWN = 4
_PAIR = {
    2: "Left the sample, in the middle the training mask, on the right their overlap",
    3: f"Above the sample, in the middle the training mask, below their overlap; from left to right {FOUR}. Overlap",
}
_TEXTURE_PAIR = {
    2: "Left the sample's texture, on the right the training image",
    3: "Above the sample's texture, below the training image; from left to right the planes across slices, rows and "
    "columns through the middle, the last slice on top. It is the training image",
}


def copying_figures(found: Comparison) -> list[Block]:
    """A drawing of all Dices, the samples nearest to a training mask, and the textures nearest to a training image."""
    dice = {"synthetic": found.audit.dice, "test": found.audit.reference_dice}
    terms, texture = found.sets.terms, found.audit.texture

    def caption(case: Case) -> str:
        row = int(found.audit.nearest[case.sample])
        return f"Sample {case.sample}, Dice {case.dice_to_training:.3f} with {found.real.patients[row]}, row {row}"

    masks = Block(
        "The samples nearest to a training mask",
        f"{_PAIR[found.real.axes]}: dark where both are, blue (dark grey on paper) the sample alone, orange (light "
        f"grey) the training mask alone{', green where both show something else' if found.several else ''}.",
        pictures=captioned(nearest_to_training(found.cases), lambda case: copy_picture(found, case), caption),
        picture_width="17rem" if terms is TERMS[2] else "26rem",
    )
    drawing = Block(
        f"Dice of each {terms.sample} with its most similar training mask. Copies would lie to the right of all "
        f"test {terms.samples}.",
        svg=plots.distribution(dice, "Dice with the nearest training mask", "copies", terms.samples),
    )
    return [drawing, masks, *([_texture_pairs(found, texture)] if texture else [])]


def _texture_pairs(found: Comparison, texture: Closeness) -> Block:
    """The textures whose grain is most like that of a training image, beside that image."""
    terms = found.sets.terms

    def caption(sample: int) -> str:
        row = int(texture.nearest[sample])
        value = f"correlation {texture.value[sample]:.3f} with {found.real.patients[row]}, row {row}"
        return f"Sample {sample}, {value}"

    return Block(
        "The textures nearest to a training image",
        f"{_TEXTURE_PAIR[found.real.axes]} whose grain is most like it, perhaps mirrored or shifted. Correlations of "
        f"test {terms.samples} reach {texture.threshold:.3f}: those of copies are larger.",
        pictures=captioned(
            texture.closest(_TEXTURES_SHOWN).tolist(),
            lambda sample: texture_pair_picture(found, sample, int(texture.nearest[sample])),
            caption,
        ),
        picture_width="13rem" if terms is TERMS[2] else "20rem",
    )
