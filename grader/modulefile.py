"""What a worker module is: the `%%module` cell, the file it becomes, the names it may have, its syntax.

    cell "%%module scorer\\n..."  -> parse -> ModuleCell -> name_in, source_of -> scorer.py

Used in the notebook (`grader.magic`) and where a notebook is read as data (`grader.notebook`), so that both make
the same module of the same cell. Nothing here writes a file or runs what a learner wrote: `grader.moduleimport` does.
"""

from __future__ import annotations

import builtins
import importlib
import keyword
import re
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

from grader.errors import LearnerError

LINE = "%%module"

#: Characters. Python's compiler takes memory by the square of some odd sources (`import a.a.a...`).
MAX_SOURCE = 50_000

#: Names that the course, its notebooks and IPython use themselves.
TAKEN = frozenset(
    {"grader", "course", "checks", "check", "hint", "progress", "trace", "In", "Out", "get_ipython"}
)


@dataclass(frozen=True)
class ModuleCell:
    """A `%%module` cell: the words after `%%module`, the lines below it, how many blank lines stand above it."""

    words: str
    body: str
    above: int


def parse(cell: str) -> ModuleCell | None:
    """Take a cell apart as IPython does (blank lines above and a common indent are allowed), or None."""
    if not cell.lstrip().startswith(LINE):
        return None
    lines = textwrap.dedent(cell).splitlines(keepends=True)
    above = next(number for number, line in enumerate(lines) if line.strip())
    magic, _, words = lines[above].rstrip().partition(" ")
    if magic != LINE:
        return None
    return ModuleCell(words, "".join(lines[above + 1 :]), above)


def source_of(name: str, body: str, above: int = 0) -> str:
    """The module's source. A comment replaces the `%%module` line: line n is line n of the cell."""
    header = f"{_mark(name)} from the notebook. Edit the cell, not this file.\n"
    end = "" if body.endswith("\n") else "\n"
    return header + "\n" * above + body + end


def is_written_by_us(path: Path, name: str) -> bool:
    """Whether `path` is a file that `%%module name` wrote."""
    try:
        with path.open("rb") as file:
            return file.readline(200).startswith(_mark(name).encode())
    except OSError:
        return False


def name_in(words: str) -> str:
    """The module's name in what stands after `%%module`.

    Raises:
        LearnerError: no name, more than one word, or a name that can't be a worker module's on any machine.
    """
    if not words.split():
        raise LearnerError(f"{LINE} needs the name of the module to write.", f"For example: {LINE} scorer")
    if len(words.split()) > 1:
        raise LearnerError(
            f"{LINE} takes one name, but {' '.join(words.split())!r} follows it.",
            f"Write {LINE} and the name on the first line, the code on the lines below.",
        )
    name = words.strip()
    if problem := _problem_with(name):
        raise LearnerError(f"{name!r} {problem}", f"Choose another name, for example: {LINE} {_better(name)}")
    return name


def refuse_if_installed(name: str, folder: Path) -> str:
    """Raise a LearnerError where `name` is already importable from elsewhere than `folder`.

    Returns:
        The file of that name that `%%module` wrote in another folder, which doesn't count; "" where there is none.
    """
    found = _found_elsewhere(name, folder)
    if found and not is_written_by_us(Path(found), name):
        raise LearnerError(
            f"{name!r} is installed on this machine ({found}); a file {name}.py here would hide it.",
            f"Choose another name, for example: {LINE} {_better(name)}",
        )
    return found


def refuse_if_not_ours(name: str, folder: Path) -> None:
    """Raise a LearnerError where `folder` has a module `name` that `%%module` didn't write: it would be lost.

    A package folder of that name would be imported instead of the file, so it counts too.
    """
    spec = PathFinder.find_spec(name, [str(folder)])
    there = Path(spec.origin) if spec and spec.origin else folder / f"{name}.py"
    if there.exists() and not is_written_by_us(there, name):
        raise LearnerError(
            f"{there.relative_to(folder)} is in this folder already and was not written by {LINE}: it stays as it is.",
            f"Rename it, or choose another name, for example: {LINE} {_better(name)}",
        )


class NotPythonError(LearnerError):
    """A worker module that doesn't compile."""


def check_syntax(source: str, name: str, where: Callable[[int], str]) -> None:
    """Compile without running.

    Args:
        where: says in the learner's words where a line is.

    Raises:
        NotPythonError: with the line, what is wrong with it, and a caret.
        LearnerError: it is too long.
    """
    if len(source) > MAX_SOURCE:
        raise LearnerError(
            f"{name}.py has {len(source):,} characters; a worker module may have {MAX_SOURCE:,}.",
            "Keep data in files and read them in the function.",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Not the file's name: Python would quote the line from the file of before.
            compile(source.encode("utf-8"), f"<{name}>", "exec", dont_inherit=True)
    except SyntaxError as error:
        raise NotPythonError(*_syntax_words(error, source, where)) from None
    except (RecursionError, MemoryError, OverflowError):
        raise NotPythonError(f"{name}.py is too long or nested too deeply for Python to compile.") from None
    except ValueError as error:  # a null byte, half a surrogate pair
        raise NotPythonError(f"{name}.py holds a character that Python can't read: {error}.") from None


def _found_elsewhere(name: str, folder: Path) -> str:
    """The file that `import name` would find outside `folder`; "" where there is none.

    A folder without `__init__.py` counts only where a distribution installed it: any other such folder loses
    against a file.
    """
    importlib.invalidate_caches()
    here = folder.resolve()
    path = [entry for entry in sys.path if Path(entry or ".").resolve() != here]
    for finder in sys.meta_path:
        spec = finder.find_spec(name, path if finder is PathFinder else None)
        if spec is None:
            continue
        if spec.origin is None:
            if name in packages_distributions():
                return f"a part of {', '.join(sorted(set(packages_distributions()[name])))}"
        elif Path(spec.origin).resolve().parent != here:
            return spec.origin
    return ""


def _mark(name: str) -> str:
    return f"# {name}.py: written by {LINE}"


def _problem_with(name: str) -> str:
    file = f"a file {name}.py here would hide it."
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name):
        return "is not a module's name: letters, digits and _, a letter first, no .py, 60 at most."
    if keyword.iskeyword(name):
        return "is a word of the Python language."
    if name in sys.stdlib_module_names:
        return f"is a module of Python's standard library; {file}"
    if hasattr(builtins, name):
        return "is a name of Python's own; a module of that name would hide it."
    if name in TAKEN:
        return "is a name that the course uses itself."
    return ""


def _better(name: str) -> str:
    """A name like `name` that is a module's name."""
    plain = re.sub(r"\W+", "_", name.removesuffix(".py"), flags=re.ASCII).strip("_")
    return plain if plain != name and not _problem_with(plain) else f"my_{plain[:40] or 'module'}"


def _syntax_words(error: SyntaxError, source: str, where: Callable[[int], str]) -> tuple[str, str]:
    line = error.lineno or 1
    # Some of the compiler's errors come without their line.
    error.text = "".join(re.split(r"\r\n|\n|\r", source)[line - 1 : line])
    # The middle of what Python prints: the line and a caret, without its own heading and name of the error.
    printed = list(traceback.TracebackException.from_exception(error).format_exception_only())
    shown = "".join(printed[1:-1]).rstrip()
    what = f"{where(line)}: {error.msg}"
    if error.text.lstrip().startswith(("%", "!")):
        try_next = "Notebook commands (% and !) don't work in a module: put them into another cell."
    else:
        try_next = "Correct the line and run it again."
    return (f"{what}\n{shown}" if 0 < len(shown) <= 400 else what), try_next
