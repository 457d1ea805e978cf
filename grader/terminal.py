"""The command's terminal: its streams and signals, what it says on stderr, its progress line, its JSON."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from grader.errors import EXIT_NOT_YET, EXIT_OURS, LearnerError

_RUBBER = "\r\x1b[K"  # back to the line's start, and wipe it
#: What the system refuses for a reason that its user can mend.
_REFUSALS = {
    errno.ENOSPC: "Free some space on that disk",
    errno.EDQUOT: "Free some of the space that you may use",
    errno.EACCES: "See who may write there",
    errno.EPERM: "See who may write there",
    errno.EROFS: "It can only be read: use another folder",
}


def settle_in() -> None:
    """What every command needs of its process and its streams."""
    # Trials start many interpreters: without bytecode, imports would cost three times as much.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a letter still gets the message
    for name in ("SIGTERM", "SIGHUP"):  # end as Ctrl-C does: with nothing left behind
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


def say(message: str, end: str = "\n") -> None:
    """To stderr. That nobody listens there is no reason to fail."""
    if sys.stderr is not None:  # print() would take stdout instead
        with suppress(OSError, ValueError):
            print(message, end=end, file=sys.stderr, flush=True)


def print_json(data: object) -> None:
    print(json.dumps(data, indent=2, allow_nan=False))


def refuse_no_folder(path: Path | None) -> None:
    """Say at once, not after the work, that a file can't be written.

    Raises:
        LearnerError: the file is to be in a folder that isn't there.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise LearnerError(f"There is no folder {path.parent}.", "Name a file in a folder that is there.")


def write(path: Path, text: str) -> None:
    """Write a file that the caller named."""
    path.write_text(text, encoding="utf-8")
    say(f"Written: {path}")


def flush_output() -> None:
    """Write out what was printed now, while a failure can still be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def drop_output() -> None:
    """Let what can't be written any more go nowhere: Python flushes stdout once more as it ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_unexpected(error: Exception) -> int:
    """Say what happened; its exit code. What the system refuses is the caller's, anything else ours."""
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        say(f"{error.strerror}: {error.filename or 'where the output goes'}")
        say(f"{_REFUSALS[error.errno]}, then run it again.")
        drop_output()
        return EXIT_NOT_YET
    if isinstance(error, ModuleNotFoundError) and not (error.name or "grader").startswith("grader"):
        say(f"{error.name} is not installed in this environment, {sys.executable}.")
        say("Run `python3 start.py` once more: it completes the environment.")
        return EXIT_NOT_YET
    say(f"A fault of ours: {type(error).__name__}: {error}")
    say("Run it again with --debug and send us what it says.")
    return EXIT_OURS


class Progress:
    """One line on stderr that says what is being done: replaced on a terminal, else a line each."""

    def __enter__(self) -> Progress:
        self._live = sys.stderr is not None and sys.stderr.isatty()
        return self

    def __call__(self, line: str) -> None:
        if self._live:
            say(_RUBBER + line[: shutil.get_terminal_size().columns - 1], end="")
        else:
            say(line)

    def __exit__(self, *_: object) -> None:
        if self._live:
            say(_RUBBER, end="")
