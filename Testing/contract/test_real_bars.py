"""How bars of real masks are, from one side to the other."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import pytest
from real_masks import REAL

from topogan_contract.real_bars import from_json, to_json


def test_what_is_written_is_read() -> None:
    assert from_json(json.loads(json.dumps(to_json(REAL), allow_nan=False)), 2) == REAL
    assert REAL.longest == 31.0


def _changed(path: tuple[Any, ...], value: object) -> dict[str, Any]:
    content = copy.deepcopy(to_json(REAL))
    place: Any = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


_HOLES = ("dimensions", 1, "bars", 0)


@pytest.mark.parametrize(
    "content",
    [
        [],
        "real",
        {"masks": 3},
        _changed(("masks",), True),
        _changed(("masks",), 0),
        _changed(("dimensions",), to_json(REAL)["dimensions"] * 2),
        _changed(("dimensions", 0), None),
        _changed(("dimensions", 1, "bars"), to_json(REAL)["dimensions"][1]["bars"] * 17),
        _changed((*_HOLES, "percent"), "97"),
        _changed((*_HOLES, "births"), [0, 0, 0, None, None]),
        _changed((*_HOLES, "deaths"), [3, 2, 1, 4, 5]),
        _changed((*_HOLES, "deaths"), [1, 2, 3, 4]),
        _changed((*_HOLES, "lengths"), [math.nan] * 5),
        _changed((*_HOLES, "lengths"), [-1, 2, 3, 4, 5]),
        _changed((*_HOLES, "lengths"), [1, 2, 3, 4, 10**400]),
        _changed(("dimensions", 1, "half"), [[[0, 1]]]),
        _changed(("dimensions", 1, "half"), [[[0, 1, 2]] * 5]),
        _changed(("dimensions", 1, "most"), [[[0, None]] * 5]),
        _changed(("dimensions", 1, "most"), [[[0, 1]] * 100] * 41),
        _changed(("dimensions", 1, "most"), [[[0, 1]] * 3] * 65),
    ],
)
def test_anything_else_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match=r"no |quantiles|outlines"):
        from_json(content, 2)
