"""Changes to files that hypothesis draws, and can make smaller again when one of them is found to break something."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

Mutation = Callable[[bytes], bytes]

_NUMBERS = [
    0,
    1,
    -1,
    2,
    7,
    63,
    64,
    127,
    128,
    255,
    256,
    32767,
    32768,
    65535,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**63 - 1,
    -(2**31),
]
_FLOATS = [0.0, -0.0, 1e-300, 1e300, float("nan"), float("inf"), float("-inf")]
_WORDS = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b",",
    b'"',
    b"\xff",
    b"nan",
    b"-1",
    b"1e999",
    b"9" * 400,
    b"../",
    b"{}",
    b"[" * 2000,
]
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([*_NUMBERS, 10**400])
    | st.sampled_from([*_FLOATS, 0.5])
    | st.sampled_from(["", "x", "train", "axial", "1,1", "nan", "../../x", "\ud800", "\0", "x" * 3000])
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=6,
)


def _packed(number: float) -> list[bytes]:
    found = []
    for form in ("<b", "<h", "<i", "<q", ">i", "<B", "<H", "<I", "<Q", "<f", "<d"):
        try:
            found.append(struct.pack(form, number))
        except (struct.error, OverflowError):
            continue
    return found


_PAYLOADS = [*_WORDS, *(packed for number in (*_NUMBERS, *_FLOATS) for packed in _packed(number))]


def _place(content: bytes, share: float) -> int:
    return int(share * len(content))


def _overwrite(share: float, payload: bytes) -> Mutation:
    def change(content: bytes) -> bytes:
        at = _place(content, share)
        return content[:at] + payload + content[at + len(payload) :]

    return change


def _insert(share: float, payload: bytes) -> Mutation:
    return lambda content: content[: _place(content, share)] + payload + content[_place(content, share) :]


def _flip(share: float, bit: int) -> Mutation:
    def change(content: bytes) -> bytes:
        at = min(_place(content, share), len(content) - 1)
        return content[:at] + bytes([content[at] ^ (1 << bit)]) + content[at + 1 :] if content else content

    return change


def _cut(start: float, end: float) -> Mutation:
    def change(content: bytes) -> bytes:
        low, high = sorted((_place(content, start), _place(content, end)))
        return content[:low] + content[high:]

    return change


def _repeat(start: float, end: float) -> Mutation:
    def change(content: bytes) -> bytes:
        low, high = sorted((_place(content, start), _place(content, end)))
        return content[:high] + content[low:high] + content[high:]

    return change


_SHARE = st.floats(0, 1)
# Headers stand at the beginning: half of the changes go there.
_EARLY = st.one_of(_SHARE, st.floats(0, 0.02))
_BYTES = st.one_of(
    st.builds(_overwrite, _EARLY, st.sampled_from(_PAYLOADS)),
    st.builds(_overwrite, _EARLY, st.binary(min_size=1, max_size=8)),
    st.builds(_insert, _EARLY, st.sampled_from(_PAYLOADS)),
    st.builds(_flip, _EARLY, st.integers(0, 7)),
    st.builds(_cut, _EARLY, _SHARE),
    st.builds(_repeat, _EARLY, _EARLY),
)


def _json_paths(content: Any, path: tuple = ()) -> list[tuple]:
    """The ways to every value within a JSON document."""
    found = [path]
    items = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, value in items:
        found += _json_paths(value, (*path, key))
    return found


def _replace_json(choice: int, value: Any, remove: bool) -> Mutation:
    """Replace or remove one value of a document; bytes that are no JSON stay as they are."""

    def change(content: bytes) -> bytes:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            return content
        paths = _json_paths(document)
        path = paths[choice % len(paths)]
        if not path:
            return json.dumps(value).encode()
        target = document
        for key in path[:-1]:
            target = target[key]
        if remove:
            del target[path[-1]]
        else:
            target[path[-1]] = value
        return json.dumps(document).encode()

    return change


_JSON_CHANGES = st.builds(_replace_json, st.integers(0, 10_000), _JSON, st.booleans())


def mutations(name: str) -> st.SearchStrategy[list[Mutation]]:
    """A few changes to a file, by its name: those of JSON mostly within the document."""
    if name.endswith(".json"):
        return st.lists(st.one_of(_JSON_CHANGES, _JSON_CHANGES, _BYTES), min_size=1, max_size=4)
    return st.lists(_BYTES, min_size=1, max_size=5)
