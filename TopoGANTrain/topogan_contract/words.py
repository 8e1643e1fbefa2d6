"""Words that come out of files, which may be a stranger's, fit to be shown."""

from __future__ import annotations

_MOST_LETTERS = 300


def escaped(text: str) -> str:
    """Without line ends and what would drive a terminal, or turn the order of the letters round: written as escapes."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def shown(words: object, most: int = _MOST_LETTERS) -> str:
    """One line of at most ``most`` letters, or a little more where some had to be escaped."""
    text = str(words)
    return escaped(text if len(text) <= most else text[: most - 1] + "…")
