"""`python -m benchmarks verdict`: simulate, replay, measure for real, report.

cells, curves, adversaries -> ledger -> Report -> text, JSON, picture
traces (kept blocks)       -> replays, drawn measurements
--real                     -> real runs on this machine, each appended to a ledger of its own
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.verdict import adversaries, picture, real, traces
from benchmarks.verdict.adversaries import ADVERSARIES, Fooled
from benchmarks.verdict.cells import CELLS, CURVES, QUICK, Cell, Group, Tally, groups, tally
from benchmarks.verdict.conditions import CONDITIONS
from benchmarks.verdict.demands import left_open
from benchmarks.verdict.ledger import Job, Ledger, print_of, read, worked_off
from benchmarks.verdict.machines import QUIET, TWO
from benchmarks.verdict.one import PROGRAMS
from benchmarks.verdict.peers import Passes
from benchmarks.verdict.report import Report, as_json, as_text, finite, kept_rows, real_rows, together
from benchmarks.verdict.traces import Trace

SUMMARY = "how often the speedup verdict is right: simulated, replayed, measured; beside two rival rules"
_SEED = 20_250_101
#: A cell of half-parallel code of which so many runs show nothing is simulated again, with so many times as many.
_ENOUGH, _MORE = 1000, 5
_FEWER = 3  # times fewer runs against each adversary: the exact bound says the rest
_LEDGERS = Path(__file__).parents[1] / "out" / "verdict"


def add_options(parser: argparse.ArgumentParser) -> None:
    number = _positive_or_none
    parser.add_argument(
        "--runs", type=number, default=3000, help="simulated runs a cell (default 3000; 0: none)"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a part of the cells, and no curves: what CI looks at"
    )
    parser.add_argument("--processes", type=number, default=os.cpu_count() or 1, help="default: the CPUs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the operating curves there (PNG)")
    parser.add_argument("--resume", action="store_true", help="go on where the last run was stopped")
    parser.add_argument(
        "--ledger", type=Path, metavar="FOLDER", default=_LEDGERS, help="where finished pieces are kept"
    )
    parser.add_argument(
        "--real", action="store_true", help="measure real runs on this machine first (takes hours)"
    )
    parser.add_argument(
        "--real-runs", type=number, default=60, help="of the reference, a condition (default 60)"
    )
    parser.add_argument("--only", choices=PROGRAMS, nargs="+", default=[*PROGRAMS], metavar="PROGRAM",
                        help=f"real runs of these alone: {', '.join(PROGRAMS)}")  # fmt: skip
    parser.add_argument("--conditions", choices=CONDITIONS, nargs="+", default=[*CONDITIONS], metavar="NAME",
                        help=f"real runs in these alone: {', '.join(CONDITIONS)}")  # fmt: skip
    parser.add_argument(
        "--wait", type=float, default=60.0, help="seconds to wait for a quiet machine (default 60)"
    )


def run(options: argparse.Namespace) -> int:
    """Do what is asked; 0, or 2 where what was seen refutes a demand, or a replay says something new."""
    for path in filter(None, (options.json, options.picture)):
        if not path.absolute().parent.is_dir():
            raise SystemExit(f"{path}: there is no folder {path.absolute().parent}")
    began = time.monotonic()
    real_ledger = options.ledger / "real.jsonl"
    if options.real:
        real.run(
            real_ledger, options.real_runs, options.only, options.conditions, options.wait, options.resume
        )
    ledger = Ledger(options.ledger / "cells.jsonl", options.resume)
    cells = groups(QUICK if options.quick else CELLS)
    curves = [] if options.quick else groups(CURVES)
    if options.runs:
        _simulate(ledger, _jobs([*cells, *curves], options.runs) + _noise(options.runs), options.processes)
    again = _left_open(ledger, cells, options.runs) if options.runs >= _ENOUGH else []
    _simulate(ledger, _jobs(again, options.runs * _MORE), options.processes)
    took = (
        math.nan if options.resume else time.monotonic() - began
    )  # of a part nobody should think that it is all
    report = _report(ledger, cells, curves, again, options.runs, real_ledger, took)
    if options.json and options.json.exists():  # nothing measured is discarded that wasn't measured anew
        kept = kept_rows(json.loads(options.json.read_text(encoding="utf-8")))
        report = replace(report, real=together(kept, report.real))
    print(as_text(report))
    if options.json:
        options.json.write_text(json.dumps(finite(as_json(report)), indent=1) + "\n", encoding="utf-8")
    if options.picture and report.curves:
        picture.draw(report.curves, options.picture)
    new = [replay for replay in report.replays if not replay["agrees"]]
    refuted = [demand for demand in as_json(report)["demands"] if demand["state"] == "REFUTED"]
    return 2 if new or refuted else 0


def _report(
    ledger: Ledger,
    cells: Sequence[Group],
    curves: Sequence[Group],
    again: Sequence[Group],
    runs: int,
    real_ledger: Path,
    seconds: float,
) -> Report:
    """All that there is by now: simulated, kept and measured."""
    kept = traces.recorded()
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "runs": runs,
        "seed": _SEED,
        "minutes": round(seconds / 60, 1),
        "Python": platform.python_version(),
        "system": platform.system(),
    }
    return Report(
        facts=facts,
        cells=_sharper(_done(ledger, cells, runs), _done(ledger, again, runs * _MORE)),
        curves=_done(ledger, curves, runs),
        adversaries=[
            Fooled(**ledger[key]) for name in ADVERSARIES if (key := _noise_key(name, runs)) in ledger
        ],
        replays=[_replay(trace) for trace in kept],
        drawn=_drawn(kept, max(1, runs // 10)),
        real=real_rows([traces.trace_of(line) for line in read(real_ledger)]),
    )


def _left_open(ledger: Ledger, cells: Sequence[Group], runs: int) -> list[Group]:
    """The cells of which so many runs show nothing, each by itself: fresh runs of them, and more, are to decide."""
    names = {tally.cell for tally in left_open(_done(ledger, cells, runs))}
    return [Group((cell,)) for group in cells for cell in group.cells if cell.name in names]


def _sharper(tallies: Sequence[Tally], again: Sequence[Tally]) -> list[Tally]:
    """The tallies, with those of the cells that were simulated again in the place of what showed nothing."""
    more = {tally.cell: tally for tally in again}
    return [more.get(tally.cell, tally) for tally in tallies]


def _jobs(todo: Sequence[Group], runs: int) -> list[Job]:
    return [(_key(group.name, runs), _group, (group, runs)) for group in todo]


def _noise(runs: int) -> list[Job]:
    return [(_noise_key(name, runs), _fooled, (name, max(1, runs // _FEWER))) for name in ADVERSARIES]


def _simulate(ledger: Ledger, jobs: Sequence[Job], processes: int) -> None:
    for key, count, total in worked_off(jobs, ledger, processes):
        print(f"simulated {count}/{total}: {key}", file=sys.stderr, flush=True)


def _done(ledger: Ledger, todo: Sequence[Group], runs: int) -> list[Tally]:
    """The tallies of these groups, as far as they are there; the programs of a kind together."""
    there = [value for group in todo if (key := _key(group.name, runs)) in ledger for value in ledger[key]]
    tallies = [Tally(**{**v, "peers": Passes(**v["peers"]) if v["peers"] else None}) for v in there]
    return sorted(tallies, key=lambda tally: (tally.clock, tally.program))


def _replay(trace: Trace) -> dict[str, Any]:
    decision = traces.replay(trace)
    return {
        "program": trace.program,
        "condition": trace.condition,
        "was": trace.outcome,
        "now": decision.outcome,
        "agrees": traces.agrees(trace, decision),
    }


def _drawn(kept: Sequence[Trace], runs: int) -> list[Tally]:
    """Measurements put together from the kept brackets of each program in each condition."""
    tallies = []
    for program, condition in dict.fromkeys((trace.program, trace.condition) for trace in kept):
        its = [t for t in kept if (t.program, t.condition) == (program, condition) and t.blocks]
        if its:
            kind = {"reference": "good", "half parallel": "half", "8 workers": "other"}.get(program, "serial")
            beside = (condition, *QUIET[1:])
            cell = Cell(kind, program, TWO, beside, its[0].blocks[0].clock)  # type: ignore[arg-type]
            tallies.append(tally(cell, traces.drawn(its, runs, _SEED), None))
    return tallies


def _group(group: Group, runs: int) -> list[dict[str, Any]]:
    return [asdict(tally) for tally in group.run(runs, _SEED)]


def _fooled(name: str, runs: int) -> dict[str, Any]:
    return asdict(adversaries.fooled(name, runs, _SEED))


def _key(name: str, runs: int) -> str:
    return f"{name} | {runs} runs"


def _noise_key(name: str, runs: int) -> str:
    """It depends on the adversaries alone, and nothing else on them."""
    return _key(f"{name} | {print_of([Path(adversaries.__file__)])}", runs)


def _positive_or_none(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not digits.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(digits)
