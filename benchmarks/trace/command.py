"""`python -m benchmarks trace`: overheads in interleaved pairs, and which planted faults each tool shows."""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.trace import peers
from benchmarks.trace.programs import PROGRAMS
from grader import lab as labs
from grader import machine
from grader.launch.local import LocalLauncher
from grader.measure.blocks import Bench
from grader.model import Order
from grader.notebook import read_worker

SUMMARY = "what tracing a parallel run costs and shows, beside viztracer and mpire's insights"
LABS = ("11_fraud", "02_pick_the_tool")


@dataclass(frozen=True)
class Row:
    """One program: each tool's time over that of the plain program (median of pairs), and what it shows.

    `foretold`: the time with two workers as predicted from a trace with one, over what it took; and with one from two.
    """

    program: str
    overhead: dict[str, float]
    shows: dict[str, str]
    foretold: tuple[float, float] | None = None


@dataclass(frozen=True)
class Cost:
    """A lab's reference, traced over plain: median of the pairs' ratios, and the middle half of them."""

    lab: str
    ratio: float
    low: float
    high: float
    pairs: int


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs for each overhead (default 5)")
    parser.add_argument("--lab-pairs", type=int, default=30, help="pairs for each lab (default 30)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there, too")


def run(options: argparse.Namespace) -> int:
    costs = [_cost(lab, options.lab_pairs) for lab in LABS]
    rows = [_row(name, options.pairs) for name in PROGRAMS]
    print(_as_text(costs, rows))
    if options.json:
        told = {"labs": [asdict(cost) for cost in costs], "programs": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


def tools() -> dict[str, Callable[[str], tuple[float, str]]]:
    """The tools that are installed here: what runs a program by each of them."""
    found: dict[str, Callable[[str], tuple[float, str]]] = {"trace": peers.traced}
    for name, tool in (("viztracer", peers.viztraced), ("mpire", peers.with_insights)):
        if importlib.util.find_spec(name):
            found[name] = tool
        else:
            print(f"{name} is not installed here: not run", file=sys.stderr)
    return found


def _row(name: str, pairs: int) -> Row:
    ratios: dict[str, list[float]] = {tool: [] for tool in tools()}
    shows: dict[str, str] = {}
    for number in range(pairs):
        for tool, run_by in random.sample([*tools().items()], len(tools())):
            beside = (
                (lambda: peers.with_insights(name, insights=False)[0])
                if tool == "mpire"
                else (lambda: peers.plain(name))
            )  # mpire's own pool without insights: not the pool is compared, but looking into it
            first = random.random() < 0.5
            alone = beside() if first else 0.0
            took, said = run_by(name)
            ratios[tool].append(took / (alone or beside()))
            shows.setdefault(tool, said)
        print(f"{name}: pair {number + 1} of {pairs}", file=sys.stderr, flush=True)
    guesses = [guess for guess in (peers.foretold(name) for _ in range(pairs)) if guess]
    up, down = zip(*guesses, strict=True) if guesses else ((), ())
    told = (statistics.median(up), statistics.median(down)) if guesses else None
    return Row(name, {tool: statistics.median(found) for tool, found in ratios.items()}, shows, told)


def _cost(lab_id: str, pairs: int) -> Cost:
    """The reference of a lab as a check runs it, traced and plain on the same input, in coin-flipped order."""
    lab = labs.find(lab_id)
    worker = read_worker(lab.notebook, lab.module)
    method = machine.look().start_methods[0]
    ratios: list[float] = []
    with (
        LocalLauncher().session(lab, worker, method) as mine,
        LocalLauncher().session(lab, None, method) as clean,
    ):
        plan = Bench(lab, clean, mine).plan(max(2, machine.workers(machine.look(), lab.max_workers)))
        for number in range(pairs):
            with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as where:
                lab.judge.make_input(Path(folder), plan.size, number)
                took: dict[bool, float] = {}
                for tracing in random.sample([True, False], 2):
                    trace = Path(where) if tracing else None
                    order = Order("parallel", plan.workers, 60.0, folders=(Path(folder),), trace=trace)
                    took[tracing] = mine.run(order).seconds[0]
            ratios.append(took[True] / took[False])
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Cost(lab_id, middle, low, high, pairs)


def _as_text(costs: list[Cost], rows: list[Row]) -> str:
    lines = ["Time of a traced run over that of a plain one, in pairs of random order"]
    for cost in costs:
        spread = f"{cost.low:.3f} to {cost.high:.3f}"
        lines.append(f"  lab {cost.lab}: {cost.ratio:.3f} (middle half of {cost.pairs} pairs: {spread})")
    names = list(rows[0].overhead)
    lines += ["", "  ".join(["program".ljust(20), *(f"{name}: time, shows".ljust(28) for name in names)])]
    for row in rows:
        told = (f"{row.overhead[name]:5.2f}  {row.shows[name]}".ljust(28) for name in names)
        lines.append("  ".join([row.program.ljust(20), *told]))
    lines += ["", "Time predicted from a trace with another number of workers, over what it then took"]
    for row in rows:
        said = (
            "not predicted"
            if row.foretold is None
            else "2 from 1: {:.2f}, 1 from 2: {:.2f}".format(*row.foretold)
        )
        lines.append(f"  {row.program:20} {said}")
    return "\n".join(line.rstrip() for line in lines)
