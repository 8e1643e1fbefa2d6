"""Sentences for the user that may be made on a thread, or in a process without the application.

The application's translations belong to its own thread. There a sentence is translated at once; elsewhere it keeps what
is needed to translate it later, and :func:`translated` does so when it is shown. It goes through ``str(error)`` whole,
but not through an f-string, nor through ``+``.

Usage::

    from TopoGANLib.words import tr as _

    raise ValueError(_("{name} is being trained: stop it first.").format(name=name))  # on any thread
    label.text = translated(str(error))  # on the application's
"""

from __future__ import annotations

import inspect
import re
import threading
from typing import Any

_NAMES = re.compile(r"\{(\w+)\}")


class Words(str):
    """An English sentence that can still be translated."""

    _file: str
    _template: str
    _values: dict[str, Any]

    def __new__(cls, file: str, template: str, values: dict[str, Any] | None = None) -> Words:
        """Put the values in, None while they are not known.

        Args:
            file: source file in which the template stands: translations are kept by that.
            template: of ``str.format``.
            values: by name.
        """
        made = super().__new__(cls, template if values is None else template.format(**values))
        made._file, made._template, made._values = file, template, values or {}
        return made

    def __str__(self) -> str:
        return self  # not a plain copy, which str() of an exception would otherwise be

    def format(self, *args: Any, **values: Any) -> Words:
        """As ``str.format`` by names."""
        return Words(self._file, self._template, values)

    def said(self) -> str:
        """In the user's language; on the application's thread."""
        sentence = _in_users_language(self._file, self._template)
        return sentence.format(**{name: translated(value) for name, value in self._values.items()})


def tr(text: str) -> str:
    """Translate a text within the caller's file, now or later; its name at the caller is to be ``_``."""
    frame = inspect.currentframe()
    assert frame is not None and frame.f_back is not None
    file = frame.f_back.f_code.co_filename
    if threading.current_thread() is threading.main_thread():
        return _in_users_language(file, text)
    return Words(file, text)


def translated(value: Any) -> Any:
    """What a thread has said, in the user's language; anything else as it is."""
    return value.said() if isinstance(value, Words) else value


def _in_users_language(file: str, text: str) -> str:
    try:
        from slicer import i18n
    except ImportError:  # a process of its own, which speaks English
        return text
    found: str = i18n.translate(i18n.getContext(file), text)
    # As Slicer's own tr does: a translation that lost a name would end in an error.
    return found if _names(found) == _names(text) else text


def _names(template: str) -> set[str]:
    return set(_NAMES.findall(template))
