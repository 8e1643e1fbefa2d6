"""Whether the process that started the engine still lives."""

from __future__ import annotations

import os
from typing import Any

# Windows API (processthreadsapi.h, synchapi.h, winerror.h).
_SYNCHRONIZE = 0x00100000
_WAIT_TIMEOUT = 0x102
_ERROR_ACCESS_DENIED = 5


def process_alive(pid: int) -> bool:
    """Tell whether a process with this id exists."""
    return alive_on_windows(pid, _kernel32()) if os.name == "nt" else _alive_on_posix(pid)


def _alive_on_posix(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it exists and belongs to someone else
    return True


def alive_on_windows(pid: int, kernel32: Any) -> bool:
    """The same through the Windows API: ``os.kill(pid, 0)`` would interrupt the process there.

    Args:
        pid: process id.
        kernel32: offers OpenProcess, WaitForSingleObject, CloseHandle and GetLastError.
    """
    handle = kernel32.OpenProcess(_SYNCHRONIZE, False, pid)
    if not handle:
        return bool(kernel32.GetLastError() == _ERROR_ACCESS_DENIED)
    try:
        # A process that has ended stays openable while anyone holds a handle of it, but is signalled.
        return bool(kernel32.WaitForSingleObject(handle, 0) == _WAIT_TIMEOUT)
    finally:
        kernel32.CloseHandle(handle)


def _kernel32() -> Any:
    import ctypes
    from ctypes import wintypes

    library = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    library.OpenProcess.restype = wintypes.HANDLE
    library.OpenProcess.argtypes = (wintypes.DWORD, wintypes.BOOL, wintypes.DWORD)
    library.WaitForSingleObject.argtypes = (wintypes.HANDLE, wintypes.DWORD)
    library.CloseHandle.argtypes = (wintypes.HANDLE,)
    return library
