"""Write a worker module's file and import it into this process, so that worker processes can do the same."""

from __future__ import annotations

import contextlib
import importlib
import linecache
import os
import py_compile
import sys
import traceback
import warnings
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from grader.errors import LearnerError


def in_this_cell(path: Path, line: int) -> str:
    """Where a line is, for the learner who has just run the cell."""
    return f"{path.name}, line {line} (line {line} of this cell)"


def write(path: Path, source: str) -> None:
    """Write the whole file or nothing, and bytecode that is checked against the source, not against its time.

    Python trusts bytecode of a source of the same second and the same size: after a quick edit a worker process would
    run the code of before. Bytecode with the source's hash is never stale (PEP 552).

    Raises:
        LearnerError: the folder can't be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(source.encode("utf-8"))
        os.replace(temporary, path)
    except OSError as error:
        raise LearnerError(f"{path} can't be written: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    with contextlib.suppress(OSError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        py_compile.compile(str(path), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    linecache.updatecache(str(path))


def import_anew(path: Path, files: Iterable[Path]) -> ModuleType:
    """Import the module of `path`, from that file and no other; after an error it isn't in `sys.modules` any more.

    Puts its folder first on `sys.path`, which multiprocessing hands on to spawned workers.

    Args:
        files: the other worker modules, whose lines are the learner's own as well.

    Raises:
        LearnerError: the module's own code raised; with the learner's line, and no frames of ours.
    """
    folder = str(path.parent)
    sys.path[:] = [folder, *(entry for entry in sys.path if entry != folder)]
    importlib.invalidate_caches()
    try:
        return _fresh(path.stem)
    except BaseException as error:
        sys.modules.pop(path.stem, None)
        if isinstance(error, (Exception, SystemExit)):
            raise _import_error(error, path, {str(file) for file in files}) from None
        raise  # KeyboardInterrupt


def _fresh(name: str) -> ModuleType:
    old = sys.modules.get(name)
    if not isinstance(old, ModuleType):
        return importlib.import_module(name)
    # The same object, for the modules that imported it. Emptied, because a function that the cell has no more would
    # still work in this process and be missing in the workers, and the pool would wait for ever.
    for key in vars(old).keys() - {"__name__", "__doc__", "__spec__"}:
        delattr(old, key)
    return importlib.reload(old)


def _import_error(error: BaseException, path: Path, others: set[str]) -> LearnerError:
    words = "".join(traceback.TracebackException.from_exception(error).format_exception_only()).strip()
    own = [
        frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in {str(path), *others}
    ]
    if not own:
        return LearnerError(f"{path.name} can't be imported: {words}")
    frame, number = own[-1], own[-1].lineno or 1
    other = f"{Path(frame.filename).name}, line {number}"
    where = in_this_cell(path, number) if frame.filename == str(path) else other
    return LearnerError(f"{where}: {words}\n    {frame.line}", _advice(error))


def _advice(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"If {error.name} comes from another %%module cell, run that cell first; else it is not installed here."
    if isinstance(error, NameError):
        return "A module sees nothing of the notebook: import or define in this cell what it uses."
    return "Correct the cell and run it again."
