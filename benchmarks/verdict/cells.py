"""The cells of the table: which program on which machine beside which neighbours, by which clock, and what is wrong.

CELLS, CURVES -> run_cell(cell, runs, seed) -> Tally
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.verdict import machines, peers, simulate
from benchmarks.verdict.machines import Machine
from benchmarks.verdict.odds import nearest_rank
from benchmarks.verdict.peers import Passes
from benchmarks.verdict.simulate import Run
from grader.model import Clock

Kind = Literal["serial", "good", "half", "other", "curve"]
Neighbours = tuple[str, int, float, float]

#: Programs that must not get points: (1) of the demands.
SERIAL = (
    "serial",
    "Pool(1)",
    "GIL-bound threads",
    "cached answers",
    "pool slower than serial",
    "sleeper",
    "takes turns",
)
_CLOCKS: tuple[Clock, ...] = ("free", "wall")
#: Peers are so far from their limits that fewer runs tell; and half-parallel code is asked for 1 %, not for 0.1.
_PEERS, _FEWER, _CURVE = 1000, 1.5, 10
_SOON, _BUDGET = 30.0, 60.0  # seconds


@dataclass(frozen=True)
class Cell:
    """One row to be: `kind` says what would be wrong."""

    kind: Kind
    program: str
    machine: Machine
    neighbours: Neighbours
    clock: Clock

    @property
    def name(self) -> str:
        return " | ".join((self.program, self.machine.name, self.neighbours[0], self.clock))

    def runs(self, asked: int) -> int:
        fewer = {"half": _FEWER, "curve": _CURVE}.get(self.kind, 1)
        return max(1, int(asked / fewer))


@dataclass(frozen=True)
class Tally:
    """What came of a cell. Counts are of runs; `wrong` as the kind says; `met_*` exclude the provisional ones.

    `median` and `p95` are seconds to the verdict; `met_30`, `met_60`: within so many, and `passed_60` with the
    provisional ones. `excused`: `cannot tell` for a cause that was there before the program ran, which costs no points.
    """

    cell: str
    kind: str
    program: str
    where: str
    beside: str
    clock: str
    runs: int
    met: int
    provisional: int
    half: int
    not_yet: int
    cannot_tell: int
    wrong: int
    met_30: int
    met_60: int
    passed_60: int
    excused: int
    median: float
    p95: float
    causes: dict[str, int] = field(default_factory=dict)
    peers: Passes | None = None


@dataclass(frozen=True)
class Group:
    """Cells of one machine beside the same neighbours by one clock: they are simulated side by side."""

    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        first = self.cells[0]
        programs = ", ".join(cell.program for cell in self.cells)
        return " | ".join((first.machine.name, first.neighbours[0], first.clock, programs))

    def run(self, asked: int, seed: int) -> list[Tally]:
        """Simulate them: ours, and the two peers."""
        first = self.cells[0]
        machine = machines.beside(first.machine, first.neighbours)
        programs = [simulate.program(cell.program, machine) for cell in self.cells]
        counts = [cell.runs(asked) for cell in self.cells]
        dice = [seed, simulate.seed_of(self.name)]
        measured = simulate.measure(machine, programs, counts, first.clock, dice)
        others = peers.simulated(machine, programs, min(asked, _PEERS), [*dice, 1])
        return [tally(*one) for one in zip(self.cells, measured, others, strict=True)]


def groups(cells: Sequence[Cell]) -> list[Group]:
    """The cells in groups that can be simulated side by side; eight workers would make all arrays wider."""
    found: dict[tuple[object, ...], list[Cell]] = {}
    for cell in cells:
        key = (
            cell.machine.name,
            cell.neighbours,
            cell.clock,
            cell.kind in ("other", "curve"),
            cell.kind == "other",
        )
        found.setdefault(key, []).append(cell)
    return [Group(tuple(its)) for its in found.values()]


def tally(cell: Cell, runs: Sequence[Run], others: Passes | None) -> Tally:
    """Count what these measurements of a cell came to."""
    seconds = sorted(run.seconds for run in runs)
    said = Counter(_said(run) for run in runs)
    causes = Counter(f"{run.decision.outcome}: {run.decision.cause}" for run in runs)
    met = [run.seconds for run in runs if _said(run) == "met"]
    return Tally(
        cell=cell.name,
        kind=cell.kind,
        program=cell.program,
        where=cell.machine.name,
        beside=cell.neighbours[0],
        clock=cell.clock,
        runs=len(runs),
        met=said["met"],
        provisional=said["provisional"],
        half=sum(run.decision.share == 0.5 for run in runs),
        not_yet=said["not yet"],
        cannot_tell=said["cannot tell"],
        wrong=sum(is_wrong(cell.kind, run) for run in runs),
        met_30=sum(s <= _SOON for s in met),
        met_60=sum(s <= _BUDGET for s in met),
        passed_60=sum(run.decision.outcome == "met" and run.seconds <= _BUDGET for run in runs),
        excused=sum(run.decision.outcome == "cannot tell" and run.decision.beforehand for run in runs),
        median=statistics.median(seconds),
        p95=nearest_rank(seconds, 0.95),
        causes=dict(causes.most_common()),
        peers=others,
    )


def is_wrong(kind: Kind, run: Run) -> bool:
    """Points for serial code, by what was measured; `not yet` for good code; `met` for half-parallel code, and for far
    more workers than cores; else nothing.
    """
    decision = run.decision
    if kind == "serial":
        return decision.outcome == "met" or decision.share > 0
    if kind == "good":
        return decision.outcome == "not yet"
    return kind in ("half", "other") and decision.outcome == "met"


def _said(run: Run) -> str:
    return "provisional" if run.decision.provisional else run.decision.outcome


def _all() -> Iterator[Cell]:
    m = machines
    some = (m.QUIET, m.ONE_BURSTING, m.ONE_BUSY, m.TWO_BUSY)
    other = (m.SHARED, m.FOUR, m.TURBO, m.SMT, m.HYBRID, m.QUOTA, m.QUOTA_4)
    for clock in _CLOCKS:
        for program in SERIAL:
            for beside in m.NEIGHBOURS:
                yield Cell("serial", program, m.TWO, beside, clock)
            for machine in (m.TURBO, m.SMT, m.QUOTA):
                yield Cell("serial", program, machine, m.ONE_BURSTING, clock)
        for beside in m.NEIGHBOURS:
            yield Cell("good", "reference", m.TWO, beside, clock)
            yield Cell("half", "half parallel", m.TWO, beside, clock)
        for machine in other:
            for beside in some:
                yield Cell("good", "reference", machine, beside, clock)
            yield Cell("half", "half parallel", machine, m.QUIET, clock)
            yield Cell("half", "half parallel", machine, m.ONE_BUSY, clock)
        for machine in (m.DRIFT, m.STALLS, m.SPAWN, m.IMPORTS, m.VIRUS, m.ONE_CORE):
            for beside in (m.QUIET, m.ONE_BURSTING):
                yield Cell("good", "reference", machine, beside, clock)
        for beside in (m.QUIET, m.ONE_BUSY, m.TWO_BUSY):
            yield Cell("other", "8 workers", m.TWO, beside, clock)


CELLS: tuple[Cell, ...] = tuple(_all())
#: What CI looks at: every program, on two quiet cores and beside a neighbour; some machines beside a neighbour.
QUICK: tuple[Cell, ...] = tuple(
    cell
    for cell in CELLS
    if (cell.machine == machines.TWO and cell.neighbours in (machines.QUIET, machines.ONE_BUSY))
    or (
        cell.machine in (machines.SHARED, machines.SMT, machines.HYBRID, machines.QUOTA)
        and cell.neighbours == machines.ONE_BUSY
    )
)
#: The operating curves: code that reaches this share of what can be gained.
GAINS = tuple(tenth / 10 for tenth in range(11))
BESIDE = (machines.QUIET, machines.ONE_BUSY, machines.TWO_BUSY)
CURVES: tuple[Cell, ...] = tuple(
    Cell("curve", f"gain {gain}", machines.TWO, beside, clock)
    for clock in _CLOCKS
    for beside in BESIDE
    for gain in GAINS
)
