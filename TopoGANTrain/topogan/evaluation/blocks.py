"""What the page shows under a heading: a drawing, or a row of pictures with their captions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from topogan.evaluation import pictures
from topogan.evaluation.case_pictures import Picture

FOUR = "the planes across slices, rows and columns through the middle, the last slice on top, and the surface"
"""The pictures of a volume."""

_Shown = TypeVar("_Shown")


@dataclass(frozen=True)
class Block:
    """Something to look at under a heading: a drawing, or a row of pictures."""

    caption: str
    """Below a drawing, above pictures."""
    text: str = ""
    """Under the caption of pictures."""
    svg: str = ""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    """Captions and ``data:`` addresses."""
    picture_width: str = "8rem"


def captioned(
    shown: Iterable[_Shown], picture: Callable[[_Shown], Picture], caption: Callable[[_Shown], str]
) -> list[tuple[str, str]]:
    """The caption and the picture of each, as :attr:`Block.pictures` has them."""
    return [(caption(one), pictures.data_url(picture(one))) for one in shown]
