"""`corewise`: parse, call one flow, render, exit.

Exit codes: 0 nothing is `not yet`; 1 `not yet`, or the caller's mistake (usage too); 2 our own fault.
Progress goes to stderr; with `--json` stdout carries the JSON alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from grader import terminal
from grader.author import commands as author
from grader.errors import EXIT_FINE, EXIT_NOT_YET, EXIT_OURS, CorewiseError, LearnerError

if TYPE_CHECKING:
    from grader.model import Verdict


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The command's entry point; never returns."""
    terminal.settle_in()
    given = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in given
    try:
        arguments = _parser().parse_args([word for word in given if word != "--debug"])
        code: int = arguments.run(arguments)
        terminal.flush_output()
    except CorewiseError as error:
        terminal.say(str(error))
        code = error.exit_code
        if debug:
            traceback.print_exc()
    except KeyboardInterrupt:
        terminal.say("Stopped. Nothing is left running.")
        code = EXIT_NOT_YET
    except BrokenPipeError:  # nobody reads on
        terminal.drop_output()
        code = EXIT_NOT_YET
    except Exception as error:
        code = terminal.say_unexpected(error)
        if debug:
            traceback.print_exc()
    sys.exit(code)


class _Parser(argparse.ArgumentParser):
    """Usage errors end with 1: they are the caller's."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_NOT_YET, f"{self.prog}: {message}\nTry: {self.prog} --help\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        terminal.flush_output()
        super().exit(status, message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="corewise",
        description="The course on using all your cores.",
        epilog="Exit codes: 0 nothing is 'not yet'; 1 'not yet', or a mistake in the command; 2 a fault of ours. "
        "With --debug, any command shows the traceback of an error.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    _add_learn(commands)
    _add_reset(commands)
    _add_check(commands)
    _add_why(commands)
    _add_progress(commands)
    _add_doctor(commands)
    _add_author(commands)
    return parser


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], says: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=says, description=says)
    parser.set_defaults(run=run)
    return parser


def _add_learn(commands: Any) -> None:
    parser = _command(commands, "learn", _learn, "Open the course in JupyterLab, in a workspace of your own.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the workspace (~/corewise)")
    parser.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    parser.add_argument("--port", type=_port, help="the port of JupyterLab")


def _add_reset(commands: Any) -> None:
    parser = _command(commands, "reset", _reset, "Put a lab back as it came; keeps a backup of yours.")
    parser.add_argument("lab", metavar="LAB")
    says = "the workspace (the one that you are in, else ~/corewise)"
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help=says)


def _add_check(commands: Any) -> None:
    parser = _command(commands, "check", _check, "Check a lab on this machine: the answer, then the speedup.")
    parser.add_argument("lab", metavar="LAB")
    _add_source(parser)
    says = "run this check alone (such as answer, speedup, memory); may be given more than once"
    parser.add_argument("--only", action="append", metavar="CHECK", help=says)
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_source(parser: argparse.ArgumentParser) -> None:
    """Where a lab's worker module is taken from."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--notebook", type=Path, metavar="FILE", help="take the worker module from this notebook"
    )
    source.add_argument("--worker", type=Path, metavar="FILE.py", help="take it from this Python file")
    source.add_argument("--solution", action="store_true", help="take the lab's own reference solution")


def _add_why(commands: Any) -> None:
    says = "Where the time of a parallel run goes: of a lab, or of a script of your own."
    parser = _command(commands, "why", _why, says)
    parser.add_argument("what", metavar="LAB|SCRIPT.py")
    parser.add_argument(
        "arguments", nargs="*", default=[], metavar="ARGUMENT", help="given to the script (after --)"
    )
    parser.add_argument("--serial", type=Path, metavar="FILE.py", help="the script that does the work alone")
    _add_source(parser)
    parser.add_argument(
        "--project",
        type=_workers,
        nargs="+",
        default=(),
        metavar="N",
        help="a lab: predict for N workers, too",
    )
    parser.add_argument(
        "--json", action="store_true", help="print JSON; what the script prints goes to stderr"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with pictures")
    parser.add_argument("--perfetto", type=Path, metavar="FILE", help="write a trace that Perfetto opens")


def _add_progress(commands: Any) -> None:
    parser = _command(commands, "progress", _progress, "What you have checked so far, and what comes next.")
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the workspace (~/corewise)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_doctor(commands: Any) -> None:
    parser = _command(commands, "doctor", _doctor, "What this machine has, and what will get in the way.")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_author(commands: Any) -> None:
    parser = commands.add_parser("author", help="For authors: build, lint, calibrate, verify.")
    author.add(parser.add_subparsers(required=True, metavar="TASK", parser_class=_Parser), _command)


def _learn(arguments: argparse.Namespace) -> int:
    from grader import workspace
    from grader.lab import CHECKOUT

    folder = arguments.folder or workspace.default_folder(CHECKOUT)
    return workspace.learn(folder, CHECKOUT, browser=not arguments.no_browser, port=arguments.port)


def _reset(arguments: argparse.Namespace) -> int:
    from grader import record, workspace
    from grader.lab import CHECKOUT

    folder = arguments.folder or record.here() or workspace.default_folder(CHECKOUT)
    print(workspace.reset(folder, CHECKOUT, arguments.lab))
    return EXIT_FINE


def _check(arguments: argparse.Namespace) -> int:
    from grader import lab as labs
    from grader import machine, record
    from grader.assess import start_methods
    from grader.launch.local import LocalLauncher
    from grader.report.asjson import check_json
    from grader.report.text import render
    from grader.selfcheck import run_check

    lab = labs.find(arguments.lab)
    for name in arguments.only or ():
        if name not in lab.checks:
            raise LearnerError(f"{lab.id} has no check {name!r}.", f"Its checks: {', '.join(lab.checks)}.")
    submitted = _submitted(arguments, lab)
    workspace = _workspace(arguments, lab)
    if arguments.worker and record.here():
        terminal.say("Your progress keeps what the lab's notebook is checked for; not this file.")
    start_methods(
        machine.look()
    )  # a wrong COREWISE_START_METHOD is the caller's mistake, not the submission's
    verdicts: list[Verdict] = []
    for name in dict.fromkeys(arguments.only or lab.checks):
        with terminal.Progress() as progress:
            verdict = run_check(lab, name, submitted, LocalLauncher(), progress)
        if _has(verdict, "stopped"):
            raise KeyboardInterrupt
        record.keep(workspace, verdict)
        if not arguments.json:
            print(render(verdict, [one.reason for one in verdicts]), end="\n\n", flush=True)
        verdicts.append(verdict)
    if arguments.json:
        terminal.print_json(check_json(lab.id, verdicts, lab.max_points))
    elif len(verdicts) > 1:
        points, most = (sum(getattr(one, name) for one in verdicts) for name in ("points", "max_points"))
        others = f" The whole lab has {lab.max_points:g}." if len(verdicts) < len(lab.checks) else ""
        print(f"{lab.id}: {points:g} of {most:g} points.{others}")
    if any(_has(verdict, "fault of the grader") for verdict in verdicts):
        return EXIT_OURS
    return EXIT_NOT_YET if any(verdict.outcome == "not yet" for verdict in verdicts) else EXIT_FINE


def _why(arguments: argparse.Namespace) -> int:
    from grader import lab as labs
    from grader import why
    from grader.launch.local import LocalLauncher

    for path in (arguments.html, arguments.perfetto):
        terminal.refuse_no_folder(path)
    with terminal.Progress() as progress:
        if arguments.what.endswith(".py"):
            _refuse_projection(arguments)
            output = sys.stderr.fileno() if arguments.json else None
            script, serial = Path(arguments.what), arguments.serial
            told, ahead = why.of_script(script, arguments.arguments, serial, progress, output=output), None
        else:
            _refuse_script_options(arguments)
            lab = labs.find(arguments.what)
            worker = _worker(arguments, lab)
            told, ahead = why.of_lab(lab, worker, LocalLauncher(), progress, arguments.project)
    _write_why(arguments, told, ahead)
    return EXIT_FINE


def _write_why(arguments: argparse.Namespace, told: Any, ahead: Any) -> None:
    """What `corewise why` found, in all forms that were asked for."""
    from grader.report import outlook, trace_page, trace_text
    from grader.tracing import chrome

    if arguments.html:
        curve = outlook.picture(ahead, "cwo") if ahead else ""
        lines = outlook.as_text(ahead) if ahead else ""
        otherwise = [(one.name, trace_text.what_if_in_words(one)) for one in told.what_if]
        page = trace_page.page(
            told.name, told.timeline, told.bill, told.losses, curve, lines, otherwise, told.alike
        )
        terminal.write(arguments.html, page)
    if arguments.perfetto:
        terminal.write(arguments.perfetto, json.dumps(chrome.chrome(told.timeline)))
    if arguments.json:
        data = trace_text.as_json(told)
        terminal.print_json(data | {"outlook": outlook.as_json(ahead) if ahead else None})
        return
    print(trace_text.as_text(told))
    if ahead:
        print(f"\n{outlook.as_text(ahead)}")


def _refuse_projection(arguments: argparse.Namespace) -> None:
    if arguments.project:
        raise LearnerError(
            "--project needs runs with several numbers of workers, and only a lab's function takes one.",
            "Leave --project out, or name a lab.",
        )


def _refuse_script_options(arguments: argparse.Namespace) -> None:
    if arguments.serial or arguments.arguments:
        raise LearnerError(
            "--serial and arguments belong to a script; a lab has a baseline of its own.",
            f"Type: corewise why {arguments.what}",
        )


def _has(verdict: Any, cause: str) -> bool:
    return any(finding.cause == cause for finding in verdict.findings)


def _submitted(arguments: argparse.Namespace, lab: Any) -> Callable[[], Any]:
    """What gives the worker module. Who reads JSON gets a verdict also on a module that is not Python."""
    from grader.modulefile import NotPythonError

    try:
        worker = _worker(arguments, lab)
    except NotPythonError as error:
        if not arguments.json:
            raise
        mistake = error

        def refused() -> Any:
            raise mistake

        return refused
    return lambda: worker


def _worker(arguments: argparse.Namespace, lab: Any) -> Any:
    from grader.lab import CHECKOUT
    from grader.notebook import NoNotebookError, read_worker, read_worker_file

    if arguments.worker:
        terminal.say(f"Checking {arguments.worker} as {lab.module}.py")
        return read_worker_file(arguments.worker, lab.module)
    if arguments.notebook:
        return read_worker(arguments.notebook, lab.module)
    if arguments.solution:
        if not (CHECKOUT / "solutions" / lab.id).is_dir():
            raise LearnerError("There are no solutions here.", "Name your own file: --notebook FILE.")
        return read_worker(lab.notebook, lab.module)
    page = _notebook_of(lab)
    if page:
        terminal.say(f"Checking {page.resolve()}")
        try:
            return read_worker(page, lab.module)
        except NoNotebookError as error:
            remedy = f"corewise reset {lab.id}   puts the lab back as it came, and keeps yours beside it."
            raise LearnerError(error.what, remedy) from None
    raise LearnerError(
        f"There is no {lab.notebook.name} here, nor in your workspace.",
        f"A workspace in another folder: type it there. The lab isn't in yours: corewise reset {lab.id}\n"
        f"Or name it: corewise check {lab.id} --notebook FILE   (or --worker FILE.py)",
    )


def _notebook_of(lab: Any) -> Path | None:
    """The lab's notebook here or in the learner's workspace."""
    from grader import workspace
    from grader.lab import CHECKOUT

    near, own = Path("labs") / lab.id, workspace.default_folder(CHECKOUT) / "labs" / lab.id
    # The checkout's own labs are what is handed out: a learner works in the workspace.
    homes = (Path(), own, near) if Path().resolve() == CHECKOUT.resolve() else (Path(), near, own)
    return next((home / lab.notebook.name for home in homes if (home / lab.notebook.name).is_file()), None)


def _workspace(arguments: argparse.Namespace, lab: Any) -> Path | None:
    """The workspace whose notebook is checked: its record has this check, too."""
    from grader import record

    own = not arguments.worker and not arguments.solution
    page = (arguments.notebook or _notebook_of(lab)) if own else None
    return record.workspace_of(page.resolve().parent) if page else None


def _progress(arguments: argparse.Namespace) -> int:
    from grader import coursemap, progress, record, workspace
    from grader.lab import CHECKOUT
    from grader.report.progress import as_json, render

    folder = arguments.folder or record.here() or workspace.default_folder(CHECKOUT)
    if record.workspace_of(folder.resolve()) != folder.resolve():
        raise workspace.not_one(folder, "corewise progress FOLDER")
    found = progress.look(coursemap.read(CHECKOUT), record.read(folder), folder.resolve())
    if arguments.json:
        terminal.print_json(as_json(found))
    else:
        print(render(found))
    return EXIT_FINE


def _doctor(arguments: argparse.Namespace) -> int:
    from grader import doctor, machine

    facts, room, packages = machine.look(), doctor.look_round(), doctor.versions()
    found = doctor.findings(facts, room, doctor.busy_neighbours(), packages)
    if arguments.json:
        terminal.print_json(doctor.as_json(facts, room, packages, found))
    else:
        print(doctor.report(facts, room, packages, found))
    return EXIT_NOT_YET if any(ailment.severity == "stops" for ailment in found) else EXIT_FINE


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)
