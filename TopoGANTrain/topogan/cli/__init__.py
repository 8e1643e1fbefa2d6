"""The command line: ``topogan`` and ``python -m topogan``; its commands stand in the files of this package.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong. Every failure is one sentence on standard error.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from topogan.cli import data, other, samples, training
from topogan.console import own_terminal
from topogan.errors import InputError, WorkError
from topogan.runs.failures import fault_words
from topogan_contract.words import escaped

app = typer.Typer(
    help="Synthetic, topologically faithful cardiac CT: learn masks with their topology, paint CT texture on them.\n\n"
    "The usual order: prepare, train, synthesize, evaluate. 'topogan demo OUT' does all of it on a phantom.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Torch's threads wait for each other by spinning. Where other programs want the cores as well, a small network then
# trains 3 to 4 times slower (measured: 84 s against 25 s for 60 steps); sleeping costs little on an idle computer.
# OpenMP reads this when torch loads, which is after this line.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

for _command in (*data.COMMANDS, *training.COMMANDS, *samples.COMMANDS, *other.COMMANDS):
    app.command()(_command)

# Typer's own complaints (unknown option, wrong type) share this base, which it does not export by name.
_UsageError = typer.BadParameter.__mro__[1]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name that the terminal's encoding does not know must not end a finished job with an error.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code instead of leaving the process."""
    own_terminal()
    try:
        return int(app(arguments, prog_name="topogan", standalone_mode=False) or 0)
    except (Exception, KeyboardInterrupt) as error:
        code, sentence = next((code, say(error)) for kinds, code, say in _ENDINGS if isinstance(error, kinds))
        if sentence is None:
            raise
        return _complain(sentence, code)


def _misuse(said: str) -> str:
    # Typer checks types with pydantic, which names its own kinds of errors.
    return f"{said.replace('Value error, ', '', 1).rstrip('.')}: see 'topogan --help'."


def _trouble_with_files(error: OSError) -> str:
    what = error.filename if isinstance(error.filename, str) else "A file"
    return f"{what} cannot be read or written ({error.strerror or error}): check the disk and the permissions."


def _unexpected(error: Exception) -> str | None:
    """What a user reads of a fault of ours: enough to report it, without the paths of a traceback."""
    if os.environ.get("TOPOGAN_TRACEBACK"):
        return None
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"TopoGAN failed unexpectedly ({fault_words(error)}, in {Path(frame.filename).name}:{frame.lineno}): please "
        "report this fault; with TOPOGAN_TRACEBACK=1 in the environment the command shows more."
    )


# How a command can end: kinds of errors, the exit code, and what is said; the first that fits counts.
_ENDINGS: list[tuple[Any, int, Callable[[Any], str | None]]] = [
    ((InputError,), 2, str),
    ((WorkError,), 1, str),
    ((_UsageError,), 2, lambda error: _misuse(error.format_message())),
    ((KeyboardInterrupt, typer.Abort), 1, lambda error: "Interrupted."),
    ((MemoryError,), 1, lambda error: "There is not enough memory: close other programs, or use smaller batches."),
    ((OSError,), 1, _trouble_with_files),
    ((Exception,), 1, _unexpected),
]


def _complain(sentence: str, code: int) -> int:
    """Print one line: names of files may hold line ends and codes that would drive the terminal."""
    print(escaped(sentence), file=sys.stderr)
    return code
