"""`%lab`, `%%module`, `trace` and `progress()`: what `%load_ext grader` brings into a notebook.

%%module scorer   cell -> modulefile (name, source, syntax) -> scorer.py beside the notebook -> imported
%lab 11_fraud     selfcheck.open_lab -> check, hint in the notebook; they collect() the modules written here
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import TYPE_CHECKING

from IPython.core.getipython import get_ipython
from IPython.core.magic import no_var_expand

from grader import lab as labs
from grader import machine
from grader.errors import LearnerError
from grader.model import Lab, WorkerModule
from grader.modulefile import (
    LINE,
    check_syntax,
    name_in,
    parse,
    refuse_if_installed,
    refuse_if_not_ours,
    source_of,
)
from grader.moduleimport import import_anew, in_this_cell, write

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from grader.report.progress import ProgressPanel
    from grader.why import trace as Trace  # noqa: N812  (a class that is used like a function)

START_METHOD = "COREWISE_START_METHOD"

#: The modules whose `%%module` cell last ran without an error in this session: name -> file, name -> source.
_files: dict[str, Path] = {}
_sources: dict[str, str] = {}


def load(shell: InteractiveShell) -> None:
    """Register the magics, bring `trace` and `progress`; apply COREWISE_START_METHOD before any module is imported.

    Raises:
        LearnerError: COREWISE_START_METHOD names a start method that this system doesn't have.
    """
    _apply_start_method(os.environ.get(START_METHOD, ""))
    shell.user_ns["trace"] = trace
    magics = shell.magics_manager
    magics.register_function(lab, "line", "lab")
    magics.register_function(module, "cell", "module")
    # What IPython looks for when `%%module` is not the first line of its cell.
    magics.register_function(_module_too_low, "line", "%module")
    for name, function in (("progress", progress), ("check", no_lab_yet), ("hint", no_lab_yet)):
        shell.user_ns.setdefault(name, function)  # a name of the learner's own stays


def lab(line: str) -> None:
    """Open a lab in this notebook.

        %lab 11_fraud

    brings two functions into the notebook:

        check("answer")    runs one check of the lab and shows its points, the evidence and what to try next
        hint()             shows the next hint for the check that ran last; hint("speedup") for another

    They work on the worker modules that the `%%module` cells of this notebook have written, so run those
    cells first. Running `%lab` again does no harm.
    """
    from grader import selfcheck  # imported late: `%%module` alone needs nothing of it

    opened = labs.find(line.strip())
    _shell().user_ns.update(selfcheck.open_lab(opened.id, _worker_for))
    print(f"Lab {opened.id}: {opened.title}, about {opened.minutes} minutes.")


def no_lab_yet(*_: object) -> None:
    """`check` and `hint` until a lab is open.

    Raises:
        LearnerError: always.
    """
    raise LearnerError(
        "No lab is open in this notebook yet.",
        "Run the cells from the top: %lab opens it, and the %%module cells write what is checked.",
    )


@no_var_expand
def module(line: str, cell: str) -> None:
    """Write this cell to a file and import it, so that worker processes can import it too.

        %%module scorer
        def find_alerts(folder, workers):
            ...

    writes `scorer.py` beside the notebook and imports it: call `scorer.find_alerts(...)` from other cells.
    `%%module` must be the first line. After an edit run the cell again: the module is written and imported anew.

    Why not just define the function in a cell? Worker processes started by "spawn" or "forkserver" (the default on
    Windows, macOS and, from Python 3.14, Linux) import the function by its module's name. A function
    that lives in a notebook only can't be imported, and the pool then waits for ever.

    The module sees nothing of the notebook: import in the cell itself what its code needs. Notebook commands
    (`%` and `!`) don't work in it. Line 7 of the file is line 7 of the cell. A name that would hide a module of
    Python or an installed package is refused, and a file that `%%module` didn't write is never overwritten.
    """
    folder = _folder()
    name = name_in(line)
    other = refuse_if_installed(name, folder)
    refuse_if_not_ours(name, folder)
    path = folder / f"{name}.py"
    source = source_of(name, cell, _blank_lines_above(cell))
    # Until this run has ended well, the module is not there for check(): never check what the cell no longer says.
    _files.pop(name, None)
    _sources.pop(name, None)
    check_syntax(source, name, lambda number: in_this_cell(path, number))
    write(path, source)
    names = _shell().user_ns
    names.pop(name, None)  # so that it's missing, not old, when the import fails
    names[name] = import_anew(path, _files.values())
    _files[name], _sources[name] = path, source
    print(f"{path.name} is written and imported." + (f" It takes the place of {other}." if other else ""))


def trace(serial: float | None = None) -> Trace:
    """Where the time of a block goes that starts processes; its code stays as it is.

        with trace() as run:
            scorer.find_alerts(folder, 4)
        run

    With `trace(serial=seconds)` it also says the speedup against a serial program that needs so many seconds.
    """
    from grader import why  # imported late: a notebook that doesn't trace needs nothing of it

    return why.trace(serial)


def progress(done: str = "") -> ProgressPanel:
    """Show the map of the course, what you have checked so far, and what comes next.

        progress()                      from your own checks in this workspace
        progress("01_measure_first")    the same, having noted that you are through that module

    Only a module without a lab needs to be called done: a lab is done when all its checks have been met.

    Raises:
        LearnerError: there is no such module.
    """
    from grader import coursemap, record  # imported late, as above
    from grader import progress as way
    from grader.report.progress import ProgressPanel

    course, folder = coursemap.read(labs.CHECKOUT), record.here()
    modules = [stage.id for stage in course.stages if stage.lessons]
    if done and done not in modules:
        raise LearnerError(
            f"There is no module {done!r}.", f"The modules: {', '.join(modules) or 'none yet'}."
        )
    if done and folder:
        record.mark(folder, done)
    return ProgressPanel(
        way.look(course, record.read(folder) if folder else record.Record(), folder), _folder()
    )


def written() -> dict[str, Path]:
    """The files of the worker modules written in this session by cells that last ran without an error."""
    return dict(_files)


def collect(lab_module: str, folder: Path) -> WorkerModule:
    """The worker modules written in this session; `lab_module` is the one that the lab calls.

    Raises:
        LearnerError: the cell of `lab_module` hasn't run, or its last run ended in an error.
    """
    if lab_module not in _sources:
        raise LearnerError(
            f"The {LINE} {lab_module} cell has not run without an error in this session.",
            f"Run the {LINE} {lab_module} cell first.",
        )
    return WorkerModule(lab_module, dict(_sources), f"the notebook in {folder}")


def _worker_for(lab: Lab) -> WorkerModule:
    return collect(lab.module, _folder())


def _module_too_low(line: str) -> None:
    """Said when `%%module` is not the first line of its cell."""
    raise LearnerError(
        f"{LINE} {line} is not on the first line of this cell.",
        "Move it to the very top: above it only blank lines may stand, no comment. Nothing was written.",
    )


def _apply_start_method(method: str) -> None:
    available = machine.start_methods()
    if method and method not in available:
        raise LearnerError(
            f"{START_METHOD} is {method!r}; this system has {', '.join(available)}.",
            "Set it to one of these or remove it from the environment, then restart the kernel.",
        )
    if method:
        multiprocessing.set_start_method(method, force=True)


def _shell() -> InteractiveShell:
    shell = get_ipython()
    if shell is None:
        raise LearnerError("%lab and %%module work in a notebook only.")
    return shell


def _folder() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise LearnerError(
            "The notebook's folder is gone.", "Open the notebook again from its new place."
        ) from None


def _blank_lines_above(cell: str) -> int:
    """How many blank lines stand above `%%module` in the cell that runs now (IPython has dropped them)."""
    history = _shell().history_manager
    running = parse(history.input_hist_raw[-1]) if history and history.input_hist_raw else None
    return running.above if running and running.body.strip() == cell.strip() else 0
