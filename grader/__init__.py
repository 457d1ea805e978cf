"""Corewise's grader: `%load_ext grader` in a notebook, `corewise` in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Make `%lab` and `%%module` known to the notebook: called by `%load_ext grader`."""
    from grader import magic  # imported late: workers that import `grader` need no IPython

    magic.load(shell)
