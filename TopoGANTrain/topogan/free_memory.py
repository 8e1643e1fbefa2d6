"""How much memory is free: of the GPU, or of the computer."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import torch

_MEMINFO = Path("/proc/meminfo")


def free_memory(device: torch.device) -> int:
    """Bytes that programs can still have on a device; 0 where that cannot be asked."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        if sys.platform == "win32":
            return _of_windows()
        return _of_macos() if sys.platform == "darwin" else _of_linux()
    except (OSError, ValueError, AttributeError):
        return 0


def _of_linux() -> int:
    """What the kernel would give without swapping: free pages alone leave out what it only caches."""
    for line in _MEMINFO.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_macos() -> int:
    """The share that the kernel calls available, as ``memory_pressure`` prints it."""
    return _sysctl("hw.memsize") * _sysctl("kern.memorystatus_level") // 100


def _sysctl(name: str) -> int:
    """An integer of sysctlbyname(3), of whichever width; little-endian, as all Macs are."""
    value, size = ctypes.c_uint64(0), ctypes.c_size_t(8)
    library = ctypes.CDLL(None, use_errno=True)
    if library.sysctlbyname(name.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)):
        raise OSError(ctypes.get_errno(), name)
    return value.value


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of sysinfoapi.h."""

    _fields_ = (
        ("length", ctypes.c_uint32),
        ("load", ctypes.c_uint32),
        *((name, ctypes.c_uint64) for name in ("total", "available", "total_page", "available_page")),
        *((name, ctypes.c_uint64) for name in ("total_virtual", "available_virtual", "available_extended")),
    )


def _of_windows() -> int:
    status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
    library = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    if not library.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0
    return int(status.available)
