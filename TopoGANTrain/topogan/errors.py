"""The two ways in which a command can end badly.

Every message is one sentence that names what is wrong and what to do; it is shown to the user as it is.
"""


class InputError(ValueError):
    """What the user gave cannot be used. The command line exits with code 2."""


class WorkError(RuntimeError):
    """The input was right but the work failed (disk full, killed, diverged). Exit code 1."""
