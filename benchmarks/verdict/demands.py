"""The demands on the verdict, and whether what was seen shows them.

tallies, adversaries -> shown(...) -> Demand, the worst cell of each
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.verdict import machines
from benchmarks.verdict.adversaries import Fooled
from benchmarks.verdict.cells import Tally
from benchmarks.verdict.odds import at_least, at_most

State = Literal["shown", "not sure", "REFUTED", "not looked at"]

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
        _power("3", "by the wall clock within 60 s >= 80 %, intermittent", coming, 0.8, _passed),
        _power("3+", "the same, not counting provisional ones", coming, 0.8, lambda t: t.met_60),
        _power("3", "by the wall clock provisional or cannot tell >= 95 %, one busy", busy, 0.95, _shrugged),
        _rare("4", "half-parallel `met` <= 1 %", [t for t in tallies if t.kind == "half"], 0.01),
    ]


def _soon(number: str, asks: str, cells: Sequence[Tally]) -> Demand:
    return _power(number, asks, cells, 0.99, lambda t: t.met_30)


def _passed(tally: Tally) -> int:
    return tally.met + tally.provisional


def _shrugged(tally: Tally) -> int:
    return tally.provisional + tally.cannot_tell


def _rare(number: str, asks: str, cells: Sequence[Tally], most: float) -> Demand:
    """Something wrong must be rare in every cell: its share, with the upper bound of the worst."""
    if not cells:
        return Demand(number, asks, "", "", "not looked at")
    worst = max(cells, key=lambda t: (t.wrong / t.runs, at_most(t.wrong, t.runs)))
    runs, wrong = sum(t.runs for t in cells), sum(t.wrong for t in cells)
    bound = at_most(worst.wrong, worst.runs)
    seen = f"{wrong} of {runs:,} in {len(cells)} cells; the worst {worst.wrong} of {worst.runs:,}, <= {bound:.2%}"
    return Demand(
        number, asks, seen, worst.cell, _state(bound <= most, at_least(worst.wrong, worst.runs) > most)
    )


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
