"""`corewise`: parse, call one flow, render, exit.

Exit codes: 0 nothing is `not yet`; 1 `not yet`, or the caller's mistake (usage too); 2 our own fault.
Progress goes to stderr; with `--json` stdout carries the JSON alone.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import EXIT_FINE, EXIT_NOT_YET, EXIT_OURS, CorewiseError, LearnerError

_RUBBER = "\r\x1b[K"  # back to the line's start, and wipe it


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """The command's entry point; never returns."""
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # trials start many interpreters: imports would cost three times as much
    sys.dont_write_bytecode = False
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console that lacks a letter still gets the message
    given = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in given
    try:
        arguments = _parser().parse_args([word for word in given if word != "--debug"])
        code: int = arguments.run(arguments)
    except CorewiseError as error:
        _say(str(error))
        code = error.exit_code
        if debug:
            traceback.print_exc()
    except KeyboardInterrupt:
        _say("Stopped. Nothing is left running.")
        code = EXIT_NOT_YET
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_NOT_YET
    except Exception as error:
        _say(
            f"A fault of ours: {type(error).__name__}: {error}\nRun it again with --debug and send us what it says."
        )
        code = EXIT_OURS
        if debug:
            traceback.print_exc()
    sys.exit(code)


class _Parser(argparse.ArgumentParser):
    """Usage errors end with 1: they are the caller's."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_NOT_YET, f"{self.prog}: {message}\nTry: {self.prog} --help\n")


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
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--notebook", type=Path, metavar="FILE", help="take the worker module from this notebook"
    )
    source.add_argument("--worker", type=Path, metavar="FILE.py", help="take it from this Python file")
    source.add_argument("--solution", action="store_true", help="take the lab's own reference solution")
    parser.add_argument("--only", metavar="CHECK", help="run this check alone (answer, speedup)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_doctor(commands: Any) -> None:
    parser = _command(commands, "doctor", _doctor, "What this machine has, and what will get in the way.")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_author(commands: Any) -> None:
    parser = commands.add_parser("author", help="For authors of labs: build, verify.")
    tasks = parser.add_subparsers(required=True, metavar="TASK", parser_class=_Parser)
    build = _command(
        tasks, "build", _build, "Write the derived files: labs/, environment.yml, canonical notebooks."
    )
    build.add_argument(
        "--check", action="store_true", help="write nothing; fail when something would be written"
    )
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
    verdicts = []
    for name in [arguments.only] if arguments.only else lab.checks:
        with _Progress() as progress:
            verdict = run_check(lab, name, lambda: worker, LocalLauncher(), progress)
        verdicts.append(verdict)
        if not arguments.json:
            print(render(verdict), end="\n\n", flush=True)
    if arguments.json:
        _print_json(check_json(lab.id, verdicts, lab.max_points))
    if any(finding.cause == "fault of the grader" for verdict in verdicts for finding in verdict.findings):
        return EXIT_OURS
    stopped = any(finding.cause == "stopped" for verdict in verdicts for finding in verdict.findings)
    return EXIT_NOT_YET if stopped or any(v.outcome == "not yet" for v in verdicts) else EXIT_FINE


def _worker(arguments: argparse.Namespace, lab: Any) -> Any:
    from grader import workspace
    from grader.lab import CHECKOUT
    from grader.notebook import read_worker, read_worker_file

    if arguments.worker:
        return read_worker_file(arguments.worker, lab.module)
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
            print(f"Checking {(home / name).resolve()}", file=sys.stderr)
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
        _print_json(doctor.as_json(facts, room, packages, found))
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


def _verify(arguments: argparse.Namespace) -> int:
    from grader.author import verify
    from grader.lab import CHECKOUT
    from grader.launch.local import LocalLauncher

    known = sorted(path.parent.name for path in (CHECKOUT / "solutions").glob("*/lab.toml"))
    proofs = []
    for lab_id in [arguments.lab] if arguments.lab else known:
        with _Progress() as progress:
            proof = verify.verify(lab_id, LocalLauncher(), progress)
        proofs.append(proof)
        if not arguments.json:
            _print_proof(proof)
    if arguments.json:
        _print_json(verify.as_json(proofs))
    return EXIT_FINE if all(proof.ok for proof in proofs) else EXIT_NOT_YET


def _print_proof(proof: Any) -> None:
    from grader.author import verify

    for one in proof.proofs:
        mark = "inconclusive" if one.inconclusive else "ok" if one.ok else "FAILED"
        print(f"{mark:>12}  {one.answer.name}: {one.got}")
        if one.inconclusive:
            print(f"{'':>12}  {one.verdict.reason}")
    failed = [one for one in proof.proofs if not one.ok]
    for one in failed:
        print("\n" + verify.explain(one))
    verdict = "proven" if not failed else f"{len(failed)} of {len(proof.proofs)} answers are not as expected"
    print(f"{proof.lab.id}: {verdict}, in {proof.seconds:.0f} s.", flush=True)


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 1 to 65535")
    return int(text)


class _Progress:
    """One line on stderr that says what is being done: replaced on a terminal, else a line each."""

    def __enter__(self) -> _Progress:
        self._live = sys.stderr.isatty()
        return self

    def __call__(self, line: str) -> None:
        end = "" if self._live else "\n"
        print(f"{_RUBBER if self._live else ''}{line[:100]}", end=end, file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._live:
            print(_RUBBER, end="", file=sys.stderr, flush=True)


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=2, allow_nan=False))


def _say(message: str) -> None:
    print(message, file=sys.stderr)
