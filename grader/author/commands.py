"""`corewise author`: build, lint, calibrate, verify. `grader.cli` has the parser and the exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from grader import terminal
from grader.errors import EXIT_FINE, EXIT_NOT_YET

Run = Callable[[argparse.Namespace], int]


def add(tasks: Any, command: Callable[[Any, str, Run, str], argparse.ArgumentParser]) -> None:
    """Add the commands to `tasks`; `command(tasks, name, run, says)` makes the parser of one."""
    build = command(
        tasks,
        "build",
        _build,
        "Write the derived files: labs/, environment.yml, glossary, map, timetable, canonical notebooks.",
    )
    build.add_argument(
        "--check", action="store_true", help="write nothing; fail when something would be written"
    )
    lint = command(tasks, "lint", _lint, "Read the lessons as data; say what doesn't follow course/STYLE.md.")
    lint.add_argument("what", nargs="?", metavar="MODULE|FILE", help="a module or a notebook (all of them)")
    lint.add_argument("--json", action="store_true", help="print JSON")
    calibrate = command(
        tasks, "calibrate", _calibrate, "Propose a lab's bars from its reference's own runs on this machine."
    )
    calibrate.add_argument("lab", metavar="LAB")
    calibrate.add_argument("--json", action="store_true", help="print JSON")
    verify = command(tasks, "verify", _verify, "Prove labs: stub, reference, wrong answers.")
    verify.add_argument("lab", nargs="?", metavar="LAB", help="one lab (all of them)")
    verify.add_argument("--json", action="store_true", help="print JSON")


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


def _lint(arguments: argparse.Namespace) -> int:
    from grader.author import lint

    found = lint.lint(arguments.what)
    if arguments.json:
        terminal.print_json(lint.as_json(found))
    else:
        print(lint.report(found))
    return EXIT_NOT_YET if found.faults else EXIT_FINE


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
