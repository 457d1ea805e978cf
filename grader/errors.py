"""Whose fault is it? Two families of errors, and the exit code of each.

A `LearnerError` is a mistake of the learner or of the caller: its message says what happened and what
to type next, and it ends a command with exit code 1. A `GraderError` is ours: it ends a command with
exit code 2 and never costs a learner marks.
"""

from __future__ import annotations

EXIT_FINE = 0
EXIT_NOT_YET = 1
EXIT_OURS = 2


class CorewiseError(Exception):
    """An error with one message for its reader and, where there is one, the next thing to do.

    Args:
        what: what happened, in one sentence, with the evidence.
        try_next: what to type or change next; may be empty.
    """

    exit_code = EXIT_OURS

    def __init__(self, what: str, try_next: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.try_next = try_next

    def __str__(self) -> str:
        return f"{self.what}\n{self.try_next}" if self.try_next else self.what

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: the message alone."""
        return str(self).splitlines()


class LearnerError(CorewiseError):
    """A mistake in a notebook, a worker module, a file or a command: the learner's or the caller's."""

    exit_code = EXIT_NOT_YET


class GraderError(CorewiseError):
    """A fault of the grader. It never costs marks."""

    exit_code = EXIT_OURS
