"""What is asked of a model: how many samples, and which topology they must have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from topogan.errors import InputError
from topogan.model.metadata import Metadata
from topogan.verdict import topology_in_words

_WORDS = ("any", "modal", "real")
Betti = tuple[int, ...]
Wanted = Betti | Literal["real"] | None
"""Of a region: (b0, b1), of volumes (b0, b1, b2); what real samples of its level show; or anything."""
Asked = tuple[Wanted, ...] | Literal["real"] | None
"""Of each region; or what real samples show together; or anything."""


@dataclass(frozen=True)
class SamplingRequest:
    """What is asked of a model."""

    count: int
    seed: int = 0
    betti: Asked = None
    """What every label map must have."""
    clean: int = 0
    """Components of fewer pixels are removed and holes (of volumes cavities) filled, before topology is looked at."""
    attempts: int = 20
    """Give up after this many times ``count`` tries."""
    levels: tuple[float, float] | None = None
    """Draw slice levels between these alone."""

    def __post_init__(self) -> None:
        for name, least in (("count", 1), ("seed", 0), ("clean", 0), ("attempts", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} cannot be {getattr(self, name)}: it must be at least {least}.")
        if isinstance(self.betti, tuple) and not all(one in (None, "real") or _are_counts(one) for one in self.betti):
            raise InputError(f"betti cannot be {self.betti}: name pieces and holes of each structure, such as (1, 1).")
        if self.levels is not None and not 0.0 <= self.levels[0] <= self.levels[1] <= 1.0:
            raise InputError(f"levels cannot be {self.levels}: name two from 0 to 1, the lower one first.")


def asked_betti(text: str, metadata: Metadata) -> Asked:
    """What the setting ``betti`` asks of a model.

    Args:
        text: "any", "modal", "real", "1,1" (of the first structure), or one of these for each of some structures,
            "myocardium=1,1;lv_cavity=real"; of volumes "1,0,0".
        metadata: of the model.

    Raises:
        InputError: the model has no such structure or union, one is named twice, with another number of numbers than
            the model's samples have axes, or with a topology that nothing has.
    """
    if text == "any":
        return None
    if text == "real":
        return "real"
    if text == "modal":
        return metadata.betti.modal
    names = [region.name for region in metadata.regions]
    asked: dict[str, Wanted] = {}
    for part in text.split(";"):
        name, _, numbers = part.strip().rpartition("=")
        name = name or names[0]
        if name not in names:
            # A union, as the command line makes it: "a+b".
            name = " + ".join(one.strip() for one in name.split("+"))
        if name not in names:
            raise InputError(
                f"The setting betti asks of {name!r}, which this model does not know: name {' or '.join(names)}."
            )
        if name in asked:
            raise InputError(f"The setting betti asks twice of {name!r}: name it once.")
        asked[name] = _wanted(numbers, metadata.betti.modal[names.index(name)])
        if numbers not in _WORDS and numbers.count(",") + 1 != metadata.axes:
            raise _other_axes(numbers, metadata)
        wanted = asked[name]
        if isinstance(wanted, tuple) and wanted[0] == 0 < max(wanted):
            raise InputError(
                f"The setting betti cannot ask for {numbers} of {name!r}: what has no piece has nothing else; ask "
                "for a piece."
            )
    found = tuple(asked.get(name) for name in names)
    if found == ("real",):
        return "real"
    # Where anything will do, fewer masks are drawn at once.
    return found if any(found) else None


def _wanted(text: str, modal: Betti) -> Wanted:
    if text == "real":
        return "real"
    words = {"any": None, "modal": modal}
    return words[text] if text in words else tuple(int(number) for number in text.split(","))


def numbers_asked(asked: Asked, regions: int) -> tuple[Betti | None, ...]:
    """The Betti numbers that were asked for of each region; None where real ones decide."""
    wanted = asked if isinstance(asked, tuple) else (None,) * regions
    return tuple(one if isinstance(one, tuple) else None for one in wanted)


def _are_counts(betti: Any) -> bool:
    return isinstance(betti, tuple) and len(betti) in (2, 3) and min(betti) >= 0


def _other_axes(numbers: object, metadata: Metadata) -> InputError:
    words = "pieces and holes, such as 1,1" if metadata.axes == 2 else "pieces, tunnels and cavities, such as 1,0,0"
    return InputError(f"The setting betti cannot ask for {numbers}: this model makes {metadata.noun}s: name {words}.")


def check_fits(request: SamplingRequest, metadata: Metadata) -> None:
    """See whether a model can be asked this.

    Raises:
        InputError: it has other structures, other axes, or is told no slice level.
    """
    regions = [region.name for region in metadata.regions]
    if isinstance(request.betti, tuple) and len(request.betti) != len(regions):
        raise InputError(
            f"betti asks of {len(request.betti)} structures and unions: this model has {', '.join(regions)}."
        )
    for one in request.betti if isinstance(request.betti, tuple) else ():
        if isinstance(one, tuple) and len(one) != metadata.axes:
            raise _other_axes(one, metadata)
    if request.levels is not None and not metadata.told_level:
        raise InputError("This model is not told slice levels: ask for all of them.")


def in_words(asked: Asked, metadata: Metadata) -> str:
    """The topology that is asked for."""
    if not isinstance(asked, tuple):
        return "the topology of a real slice of their level" if metadata.axes == 2 else "the topology of a real volume"
    regions = metadata.regions
    if len(regions) == 1 and isinstance(asked[0], tuple):
        return topology_in_words(asked[0])
    pairs = [(one, region.name) for one, region in zip(asked, regions, strict=True) if one is not None]
    real = "what real ones show"
    return "; ".join(f"{real if one == 'real' else topology_in_words(one)} of {name}" for one, name in pairs)
