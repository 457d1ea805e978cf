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
from typing import Any, NoReturn

from grader import terminal
from grader.errors import EXIT_FINE, EXIT_NOT_YET, EXIT_OURS, CorewiseError, LearnerError


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
    parser.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="the workspace (~/corewise)")


def _add_check(commands: Any) -> None:
    parser = _command(commands, "check", _check, "Check a lab on this machine: the answer, then the speedup.")
    parser.add_argument("lab", metavar="LAB")
    _add_source(parser)
    parser.add_argument(
        "--only", metavar="CHECK", help="run this check alone (such as answer, speedup, memory)"
    )
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
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="given to the script (after --)")
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


def _add_doctor(commands: Any) -> None:
    parser = _command(commands, "doctor", _doctor, "What this machine has, and what will get in the way.")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_author(commands: Any) -> None:
    parser = commands.add_parser("author", help="For authors of labs: build, calibrate, verify.")
    tasks = parser.add_subparsers(required=True, metavar="TASK", parser_class=_Parser)
    build = _command(
        tasks, "build", _build, "Write the derived files: labs/, environment.yml, canonical notebooks."
    )
    build.add_argument(
        "--check", action="store_true", help="write nothing; fail when something would be written"
    )
    calibrate = _command(
        tasks, "calibrate", _calibrate, "Propose a lab's bars from its reference's own runs on this machine."
    )
    calibrate.add_argument("lab", metavar="LAB")
    calibrate.add_argument("--json", action="store_true", help="print JSON")
    verify = _command(tasks, "verify", _verify, "Prove labs: stub, reference, wrong answers.")
    verify.add_argument("lab", nargs="?", metavar="LAB", help="one lab (all of them)")
    verify.add_argument("--json", action="store_true", help="print JSON")


def _learn(arguments: argparse.Namespace) -> int:
    from grader import workspace
    from grader.lab import CHECKOUT

    folder = arguments.folder or workspace.default_folder(CHECKOUT)
    return workspace.learn(folder, CHECKOUT, browser=not arguments.no_browser, port=arguments.port)


def _reset(arguments: argparse.Namespace) -> int:
    from grader import workspace
    from grader.lab import CHECKOUT

    print(workspace.reset(arguments.folder or workspace.default_folder(CHECKOUT), CHECKOUT, arguments.lab))
    return EXIT_FINE


def _check(arguments: argparse.Namespace) -> int:
    from grader import lab as labs
    from grader import machine
    from grader.assess import start_methods
    from grader.launch.local import LocalLauncher
    from grader.report.asjson import check_json
    from grader.report.text import render
    from grader.selfcheck import run_check

    lab = labs.find(arguments.lab)
    if arguments.only and arguments.only not in lab.checks:
        raise LearnerError(
            f"{lab.id} has no check {arguments.only!r}.", f"Its checks: {', '.join(lab.checks)}."
        )
    worker = _worker(arguments, lab)
    start_methods(
        machine.look()
    )  # a wrong COREWISE_START_METHOD is the caller's mistake, not the submission's
    verdicts = []
    for name in [arguments.only] if arguments.only else lab.checks:
        with terminal.Progress() as progress:
            verdict = run_check(lab, name, lambda: worker, LocalLauncher(), progress)
        if _has(verdict, "stopped"):
            raise KeyboardInterrupt
        verdicts.append(verdict)
        if not arguments.json:
            print(render(verdict), end="\n\n", flush=True)
    if arguments.json:
        terminal.print_json(check_json(lab.id, verdicts, lab.max_points))
    if any(_has(verdict, "fault of the grader") for verdict in verdicts):
        return EXIT_OURS
    return EXIT_NOT_YET if any(verdict.outcome == "not yet" for verdict in verdicts) else EXIT_FINE


def _why(arguments: argparse.Namespace) -> int:
    from grader import lab as labs
    from grader import why
    from grader.launch.local import LocalLauncher

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
        page = trace_page.page(told.name, told.timeline, told.bill, told.losses, curve)
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


def _worker(arguments: argparse.Namespace, lab: Any) -> Any:
    from grader import workspace
    from grader.lab import CHECKOUT
    from grader.notebook import read_worker, read_worker_file

    if arguments.worker:
        worker = read_worker_file(arguments.worker, lab.module)
        terminal.say(f"Checking {arguments.worker} as {lab.module}.py")
        return worker
    if arguments.notebook:
        return read_worker(arguments.notebook, lab.module)
    if arguments.solution:
        if not (CHECKOUT / "solutions" / lab.id).is_dir():
            raise LearnerError("There are no solutions here.", "Name your own file: --notebook FILE.")
        return read_worker(lab.notebook, lab.module)
    name = f"{lab.id}.ipynb"
    homes = (Path(), Path("labs") / lab.id, workspace.default_folder(CHECKOUT) / "labs" / lab.id)
    for home in homes:
        if (home / name).is_file():
            terminal.say(f"Checking {(home / name).resolve()}")
            return read_worker(home / name, lab.module)
    raise LearnerError(
        f"There is no {name} here, nor in your workspace.",
        f"Name it: corewise check {lab.id} --notebook FILE   (or --worker FILE.py)",
    )


def _doctor(arguments: argparse.Namespace) -> int:
    from grader import doctor, machine

    facts, room, packages = machine.look(), doctor.look_round(), doctor.versions()
    found = doctor.findings(facts, room, doctor.busy_neighbours(), packages)
    if arguments.json:
        terminal.print_json(doctor.as_json(facts, room, packages, found))
    else:
        print(doctor.report(facts, room, packages, found))
    return EXIT_NOT_YET if any(ailment.severity == "stops" for ailment in found) else EXIT_FINE


def _build(arguments: argparse.Namespace) -> int:
    from grader.author import build
    from grader.lab import CHECKOUT

    changes = build.check() if arguments.check else build.build()
    for change in changes:
        verb = "remove" if change.content is None else "write"
        done = f"would {verb}" if arguments.check else {"remove": "removed", "write": "wrote"}[verb]
        print(f"{done} {change.path.relative_to(CHECKOUT)} (from {change.source})")
    if not changes:
        print("Every derived file is what its source says.")
    elif arguments.check:
        print("Derived files differ from their sources. Make them: corewise author build")
        return EXIT_NOT_YET
    return EXIT_FINE


def _calibrate(arguments: argparse.Namespace) -> int:
    from grader.author import calibrate
    from grader.launch.local import LocalLauncher

    with terminal.Progress() as progress:
        proposal = calibrate.calibrate(arguments.lab, LocalLauncher(), progress)
    if arguments.json:
        terminal.print_json(calibrate.as_json(proposal))
    else:
        print(calibrate.report(proposal))
    return EXIT_FINE if proposal.bars else EXIT_NOT_YET


def _verify(arguments: argparse.Namespace) -> int:
    from grader.author import verify
    from grader.launch.local import LocalLauncher

    proofs = []
    for lab_id in [arguments.lab] if arguments.lab else verify.lab_ids():
        with terminal.Progress() as progress:
            proof = verify.verify(lab_id, LocalLauncher(), progress)
        proofs.append(proof)
        if not arguments.json:
            print(verify.report(proof), flush=True)
    if arguments.json:
        terminal.print_json(verify.as_json(proofs))
    return EXIT_FINE if all(proof.ok for proof in proofs) else EXIT_NOT_YET


def _workers(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)
