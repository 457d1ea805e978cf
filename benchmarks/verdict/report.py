"""The table of operating characteristics, as plain text and as JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.verdict import peers
from benchmarks.verdict.adversaries import Fooled
from benchmarks.verdict.cells import Tally
from benchmarks.verdict.demands import Demand, RealRow, shown, shown_by_real_runs
from benchmarks.verdict.odds import at_most, nearest_rank
from benchmarks.verdict.traces import Trace

_DEMAND = {"serial": "1", "good": "2, 3", "half": "4", "other": ""}
_TITLES = {
    "serial": "Serial code must get no points (wrong: any points)",
    "good": "The reference must never be `not yet` (wrong), and should be `met`",
    "half": "Half-parallel code, a third of the gain: must not be `met` (wrong)",
    "other": "Eight workers on two cores must not be `met` (wrong)",
}
_SOON = 30.0  # seconds
#: What of a real program would be wrong. One that hangs now and then may be `met`, if it didn't just then.
_REAL_KINDS = {"reference": "good", "half parallel": "half", "8 workers": "other", "hung worker": "any"}
_HEAD = (
    f"{'program':24s}{'machine':23s}{'beside':19s}{'clock':6s}{'runs':>6s}{'met':>6s}{'prov.':>6s}{'not yet':>8s}"
    f"{'no tell':>8s}{'half':>6s}{'wrong':>6s}{'<= 95 %':>9s}{'median':>7s}{'p95':>6s}"
    f"{'best of 3':>11s}{'CS149':>8s}"
)


@dataclass(frozen=True)
class Report:
    """All that was seen."""

    facts: dict[str, Any]
    cells: list[Tally]
    curves: list[Tally] = field(default_factory=list)
    adversaries: list[Fooled] = field(default_factory=list)
    replays: list[dict[str, Any]] = field(default_factory=list)
    drawn: list[Tally] = field(default_factory=list)
    real: list[RealRow] = field(default_factory=list)


def as_json(report: Report) -> dict[str, Any]:
    """Plain JSON; the demands are there as sentences."""
    demands = asdict_all(demands_of(report))
    return {"schema": 1, "benchmark": "verdict", "demands": demands, **asdict(report)}


def demands_of(report: Report) -> list[Demand]:
    """All of them, on simulated machines and on real ones."""
    return [*shown(report.cells, report.adversaries), *shown_by_real_runs(report.real)]


def as_text(report: Report) -> str:
    lines = [
        "Operating characteristics of the speedup verdict. "
        + ", ".join(f"{k} {v}" for k, v in report.facts.items()),
        "clock: `free` of neighbours (Linux) or `wall` (macOS, Windows). prov.: `met`, provisional. half: half of the",
        "points. <= 95 %: upper bound of wrong. median, p95: seconds to the verdict. The last two columns: what of the",
        "same code `best of 3, S >= 1.5` and `CS149: min of 5, 1.2 x the reference` get wrong.",
    ]
    for kind, title in _TITLES.items():
        lines += _section(title, [t for t in report.cells if t.kind == kind])
    lines += _section("Drawn from recorded blocks", report.drawn)
    lines += _of_adversaries(report.adversaries)
    lines += _of_real(report.real)
    lines += _of_replays(report.replays)
    title = "Demands (3+: harder than asked: other machines, or a stricter reading)"
    lines += ["", title, "-" * 7, *map(_of_demand, asdict_all(demands_of(report)))]
    return "\n".join(lines)


def asdict_all(things: Iterable[Any]) -> list[dict[str, Any]]:
    return [asdict(thing) for thing in things]


def real_rows(traces: Sequence[Trace]) -> list[RealRow]:
    """Group real runs by program and condition."""
    groups: dict[tuple[str, str], list[Trace]] = {}
    for trace in traces:
        groups.setdefault((trace.program, trace.condition), []).append(trace)
    return [_real_row(program, condition, runs) for (program, condition), runs in groups.items()]


def kept_rows(document: dict[str, Any]) -> list[RealRow]:
    """The real runs that an earlier JSON of this benchmark has."""
    return [RealRow(**{**row, "peers": peers.Passes(**row["peers"])}) for row in document.get("real", [])]


def together(kept: Sequence[RealRow], new: Sequence[RealRow]) -> list[RealRow]:
    """The new rows, and of those that are kept the ones that nobody measured anew; in the order of the kept ones."""
    rows = {(row.program, row.condition): row for row in (*kept, *new)}
    return list(rows.values())


def _real_row(program: str, condition: str, runs: Sequence[Trace]) -> RealRow:
    seconds = sorted(run.seconds for run in runs)
    said = ["provisional" if run.provisional else run.outcome for run in runs]
    kind = _REAL_KINDS.get(program, "serial")
    wrong = {"good": said.count("not yet"), "half": said.count("met"), "other": said.count("met"), "any": 0}
    with_points = sum(run.points > 0 and run.outcome != "cannot tell" for run in runs)
    return RealRow(
        program=program,
        condition=condition,
        runs=len(runs),
        not_quiet=sum(not run.quiet for run in runs),
        met=said.count("met"),
        provisional=said.count("provisional"),
        not_yet=said.count("not yet"),
        cannot_tell=said.count("cannot tell"),
        wrong=wrong.get(kind, with_points),
        met_30=sum(run.outcome == "met" and not run.provisional and run.seconds <= _SOON for run in runs),
        median=statistics.median(seconds),
        p95=nearest_rank(seconds, 0.95),
        longest=seconds[-1],
        left=sum(bool(run.left) for run in runs),
        blocks=statistics.median(len(run.blocks) for run in runs),
        peers=peers.recorded([run.blocks for run in runs]),
    )


def _section(title: str, tallies: Sequence[Tally]) -> list[str]:
    if not tallies:
        return []
    return ["", title, "-" * len(_HEAD), _HEAD, "-" * len(_HEAD), *map(_row, tallies)]


def _row(t: Tally) -> str:
    best, cs149 = _peers_wrong(t.kind, t.peers)
    return (
        f"{t.program:24s}{t.where:23s}{t.beside:19s}{t.clock:6s}{t.runs:6,}{t.met:6,}{t.provisional:6,}{t.not_yet:8,}"
        f"{t.cannot_tell:8,}{t.half:6,}{t.wrong:6,}{at_most(t.wrong, t.runs):9.2%}{t.median:7.1f}{t.p95:6.1f}"
        f"{best:>11s}{cs149:>8s}"
    )


def _peers_wrong(kind: str, passes: peers.Passes | None) -> tuple[str, str]:
    """The share that each peer gets wrong: fails good code, passes any other."""
    if passes is None or not passes.runs or kind in ("other", "any"):
        return "", ""
    shares = passes.best_of_3 / passes.runs, passes.cs149 / passes.runs
    wrong = [1 - share if kind == "good" else share for share in shares]
    return f"{wrong[0]:.1%}", f"{wrong[1]:.1%}"


def _of_adversaries(adversaries: Sequence[Fooled]) -> list[str]:
    if not adversaries:
        return []
    head = f"{'noise':24s}{'runs':>8s}{'met':>6s}{'half':>6s}{'<= 95 %':>9s}{'exact worst':>13s}"
    rows = [
        f"{a.adversary:24s}{a.runs:8,}{a.met:6,}{a.half:6,}{at_most(a.met, a.runs):9.2%}{a.exact:13.4%}"
        for a in adversaries
    ]
    return [
        "",
        "Serial code with coin-flipped labels under adversarial noise (pure decision)",
        head,
        "-" * len(head),
        *rows,
    ]


def _of_real(rows: Sequence[RealRow]) -> list[str]:
    if not rows:
        return []
    head = (
        f"{'program':24s}{'condition':16s}{'runs':>5s}{'noisy':>6s}{'met':>5s}{'prov.':>6s}{'not yet':>8s}"
        f"{'no tell':>8s}{'wrong':>6s}{'<= 95 %':>9s}{'median':>7s}{'p95':>6s}{'blocks':>7s}"
        f"{'best of 3':>11s}{'CS149':>8s}"
    )
    lines = [
        "",
        "Real runs of lab 11_fraud (noisy: others used more than 10 % of the machine before)",
        head,
        "-" * len(head),
    ]
    for r in rows:
        best, cs149 = _peers_wrong(_REAL_KINDS.get(r.program, "serial"), r.peers)
        lines.append(
            f"{r.program:24s}{r.condition:16s}{r.runs:5}{r.not_quiet:6}{r.met:5}{r.provisional:6}{r.not_yet:8}"
            f"{r.cannot_tell:8}{r.wrong:6}{at_most(r.wrong, r.runs):9.2%}{r.median:7.1f}{r.p95:6.1f}{r.blocks:7.0f}"
            f"{best:>11s}{cs149:>8s}"
        )
    return lines


def _of_replays(replays: Sequence[dict[str, Any]]) -> list[str]:
    if not replays:
        return []
    same = sum(replay["agrees"] for replay in replays)
    odd = [r for r in replays if not r["agrees"]]
    lines = ["", f"Recorded blocks, decided again: {same} of {len(replays)} get the recorded verdict."]
    return lines + [f"  NOT: {r['program']}, {r['condition']}: {r['was']}, now {r['now']}" for r in odd]


def _of_demand(demand: dict[str, Any]) -> str:
    worst = f" [{demand['worst']}]" if demand["worst"] else ""
    return f"{demand['number']:3s}{demand['asks']:65s}{demand['state']:14s}{demand['seen']}{worst}"


def finite(value: Any) -> Any:
    """The same, with null for numbers that aren't finite."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
