"""The demands on the verdict, and whether what was seen shows them.

tallies, adversaries -> shown(...) -> Demand, the worst cell of each
real runs -> shown_by_real_runs(...) -> Demand
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.verdict import machines
from benchmarks.verdict.adversaries import Fooled
from benchmarks.verdict.cells import Tally
from benchmarks.verdict.odds import at_least, at_most
from benchmarks.verdict.peers import Passes

State = Literal["shown", "not sure", "REFUTED", "not looked at"]

#: How often half-parallel code may be `met`.
_HALF = 0.01
#: Seconds that a measurement of the fraud lab may take: its budget, and a time-out; its baseline takes 0.3 s.
_AT_MOST = 60.0 + 10.0 + 20 * 0.3
#: Neighbours that come and go.
INTERMITTENT = (machines.ONE_BURSTING[0], machines.SLOW_BURSTS[0])
#: Machines on which starting workers is so dear that a measurement takes longer, apart from the rest.
DEAR = (machines.SPAWN.name, machines.IMPORTS.name, machines.VIRUS.name)
#: Control groups are Linux's, where the time free of neighbours decides.
_QUOTAS = (machines.QUOTA.name, machines.QUOTA_4.name)


@dataclass(frozen=True)
class Demand:
    """What is asked, what was seen in the worst cell, and what that shows at 95 %.

    `number` is that of the design's table. With a "+" it is harder than asked there: other machines, or a
    stricter reading.
    """

    number: str
    asks: str
    seen: str
    worst: str
    state: State


@dataclass(frozen=True)
class RealRow:
    """Real runs of one program in one condition. Counts are of runs; `wrong` is a false verdict.

    `median`, `p95` and `longest` are seconds to the verdict, `met_30` says how often it was `met` within 30 of them.
    `left`: how often a process or shared memory was left behind (None: nobody looked). `peers` judge the same blocks.
    """

    program: str
    condition: str
    runs: int
    not_quiet: int
    met: int
    provisional: int
    not_yet: int
    cannot_tell: int
    wrong: int
    met_30: int
    median: float
    p95: float
    longest: float
    left: int | None
    blocks: float
    peers: Passes


def shown(tallies: Sequence[Tally], adversaries: Sequence[Fooled]) -> list[Demand]:
    """Every demand, held against the cells that speak of it."""
    good = [t for t in tallies if t.kind == "good" and t.where != machines.ONE_CORE.name]
    quick = [t for t in good if t.where not in DEAR]
    quiet = [t for t in good if t.beside == "quiet"]
    dear = [t for t in quiet if t.where in DEAR]
    stalls = [t for t in quiet if t.where == machines.STALLS.name]
    quotas = [t for t in quiet if t.where in _QUOTAS and t.clock == "wall"]
    harder = [*dear, *stalls, *quotas]
    two = [t for t in quick if t.where == machines.TWO.name]
    linux = [t for t in two if t.clock == "free" and t.beside != "quiet"]
    wall = [t for t in two if t.clock == "wall"]
    coming = [t for t in wall if t.beside in INTERMITTENT]
    busy = [t for t in wall if t.beside == "one busy"]
    return [
        _rare("1", "points for serial code <= 0.1 %", [t for t in tallies if t.kind == "serial"], 0.001),
        _exact("1", "`met` for serial code <= 0.1 %, whatever the noise", adversaries),
        _rare("2", "`not yet` for the reference <= 0.1 %, 0 seen", good, 0.001),
        _soon("3", "reference `met` within 30 s >= 99 %, quiet", [t for t in quiet if t not in harder]),
        _soon("3+", "the same where one trial in seven stalls by itself", stalls),
        _soon("3+", "the same under a quota by the wall clock", quotas),
        _soon("3+", "the same where starts are dear", dear),
        _power("3", "within 30 s >= 95 %, neighbours, Linux, 2 cores", linux, 0.95, lambda t: t.met_30),
        _power(
            "3", "by the wall clock within 60 s >= 80 %, intermittent", coming, 0.8, lambda t: t.passed_60
        ),
        _power("3+", "the same, not counting provisional ones", coming, 0.8, lambda t: t.met_60),
        _power("3", "by the wall clock provisional or cannot tell >= 95 %, one busy", busy, 0.95, _shrugged),
        _rare("4", "half-parallel `met` <= 1 %", [t for t in tallies if t.kind == "half"], _HALF),
        _rare("", "eight workers on two cores `met` <= 1 %", [t for t in tallies if t.kind == "other"], 0.01),
    ]


def left_open(tallies: Sequence[Tally]) -> list[Tally]:
    """The cells of half-parallel code whose runs neither show nor refute what is asked of it."""
    half = [t for t in tallies if t.kind == "half"]
    return [t for t in half if at_least(t.wrong, t.runs) <= _HALF < at_most(t.wrong, t.runs)]


def shown_by_real_runs(rows: Sequence[RealRow]) -> list[Demand]:
    """The demands on real runs: what was counted is what is asked for."""
    reference = {row.condition: row for row in rows if row.program == "reference"}
    quiet, core = reference.get("quiet"), reference.get("one core")
    found = [
        _in_all("", "no false verdict in any real run", rows, lambda row: row.runs - row.wrong),
        _within(
            "3", "real reference, quiet: median <= 15 s, 95 % <= 30 s", quiet, ("median", 15), ("p95", 30)
        ),
    ]
    for beside in ("one busy", "two busy"):
        row = reference.get(beside)
        asks = f"real reference `met` within 30 s >= 95 %, {beside}"
        seen = f"{row.met_30} of {row.runs}" if row else ""
        found.append(_counted("3", asks, seen, row is not None and row.met_30 >= 0.95 * row.runs))
    many = [row for row in rows if row.program == "8 workers"]
    found.append(
        _in_all("", "real eight workers on two cores are never `met`", many, lambda row: row.runs - row.met)
    )
    one = _in_all(
        "6", "real reference on one core: `cannot tell`", [core] if core else [], lambda row: row.cannot_tell
    )
    looked = [row for row in rows if row.left is not None]
    longest = max((row.longest for row in rows), default=0.0)
    seen = f"longest {longest:.1f} s" if rows else ""
    return [
        *found,
        _counted(
            "5", f"real: the budget and one time-out, {_AT_MOST:.0f} s, are enough", seen, longest <= _AT_MOST
        ),
        _in_all(
            "5",
            "real: no process and no shared memory is left",
            looked,
            lambda row: row.runs - (row.left or 0),
        ),
        one,
        _within("6", "within 15 s", core, ("longest", 15)),
    ]


def _in_all(number: str, asks: str, rows: Sequence[RealRow], right: Callable[[RealRow], int]) -> Demand:
    so, runs = sum(map(right, rows)), sum(row.runs for row in rows)
    return _counted(number, asks, f"{so:,} of {runs:,}" if runs else "", so == runs)


def _within(number: str, asks: str, row: RealRow | None, *limits: tuple[str, float]) -> Demand:
    """Are these seconds of the row within their limits?"""
    if row is None:
        return _counted(number, asks, "", holds=False)
    seconds = [(name, getattr(row, name), most) for name, most in limits]
    seen = ", ".join(f"{name} {value:.1f} s" for name, value, _ in seconds)
    return _counted(number, asks, f"{seen} of {row.runs}", all(value <= most for _, value, most in seconds))


def _counted(number: str, asks: str, seen: str, holds: bool) -> Demand:
    return Demand(number, asks, seen, "", "not looked at" if not seen else "shown" if holds else "REFUTED")


def _soon(number: str, asks: str, cells: Sequence[Tally]) -> Demand:
    return _power(number, asks, cells, 0.99, lambda t: t.met_30)


def _shrugged(tally: Tally) -> int:
    return tally.provisional + tally.cannot_tell


def _rare(number: str, asks: str, cells: Sequence[Tally], most: float) -> Demand:
    """Something wrong must be rare in every cell: its share, with the upper bound of the worst.

    It is refuted by one cell, or by all of them together.
    """
    if not cells:
        return Demand(number, asks, "", "", "not looked at")
    worst = max(cells, key=lambda t: (t.wrong / t.runs, at_most(t.wrong, t.runs)))
    runs, wrong = sum(t.runs for t in cells), sum(t.wrong for t in cells)
    bound = at_most(worst.wrong, worst.runs)
    seen = f"{wrong} of {runs:,} in {len(cells)} cells; the worst {worst.wrong} of {worst.runs:,}, <= {bound:.2%}"
    fails = at_least(worst.wrong, worst.runs) > most or at_least(wrong, runs) > most
    return Demand(number, asks, seen, worst.cell, _state(bound <= most, fails))


def _exact(number: str, asks: str, adversaries: Sequence[Fooled]) -> Demand:
    if not adversaries:
        return Demand(number, asks, "", "", "not looked at")
    worst = max(adversaries, key=lambda one: one.met / one.runs)
    runs = sum(one.runs for one in adversaries)
    met, half = sum(one.met for one in adversaries), sum(one.half for one in adversaries)
    seen = f"{met} of {runs:,} (half points: {half}); exactly {worst.exact:.3%} for the worst adversary"
    return Demand(number, asks, seen, worst.adversary, _state(worst.exact <= 0.001, worst.exact > 0.001))


def _power(
    number: str, asks: str, cells: Sequence[Tally], least: float, count: Callable[[Tally], int]
) -> Demand:
    """Something right must be likely in every cell: its share, with the lower bound of the worst."""
    if not cells:
        return Demand(number, asks, "", "", "not looked at")
    worst = min(cells, key=lambda t: count(t) / t.runs)
    low, high = at_least(count(worst), worst.runs), at_most(count(worst), worst.runs)
    seen = f"{count(worst) / worst.runs:.1%} of {worst.runs:,}, >= {low:.1%}"
    return Demand(number, asks, seen, worst.cell, _state(low >= least, high < least))


def _state(holds: bool, fails: bool) -> State:
    return "shown" if holds else "REFUTED" if fails else "not sure"
