"""Time spans as people say them."""

from __future__ import annotations

from TopoGANLib.words import tr as _


def duration(seconds: float) -> str:
    """A time span as people say it: ``"45 s"``, ``"12 min"``, ``"3 h 05 min"``."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=f"{seconds:.0f}")
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("{minutes} min").format(minutes=minutes)
    return _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=f"{minutes % 60:02d}")
