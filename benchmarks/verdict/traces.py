"""Recorded measurements: what was measured once is decided again, and can be drawn from.

`benchmarks/traces/*.jsonl` has one measurement a line, as `benchmarks.verdict.one` printed it. A replay gives the
blocks to the product's pure decision and must get the recorded verdict. Drawing puts together new measurements from the
recorded brackets of one program in one condition, and stops where the product would. It shows how much the blocks of
one condition vary, not more: a recorded bracket ended where that measurement was sure.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.verdict.simulate import Run
from grader.measure.decide import Decision, conclude, hopeless, settle
from grader.model import Bars, Block, Pair

FOLDER = Path(__file__).parents[1] / "traces"


@dataclass(frozen=True)
class Trace:
    """One recorded measurement."""

    program: str
    condition: str
    outcome: str
    provisional: bool
    points: float
    seconds: float
    workers: int
    usable: float
    bars: Bars
    blocks: tuple[Block, ...]
    quiet: bool
    left: tuple[str, ...] = ()


def trace_of(line: dict[str, Any]) -> Trace:
    """A line of a ledger, as an object."""
    return Trace(
        program=line["program"],
        condition=line["condition"],
        outcome=line["outcome"],
        provisional=line["provisional"],
        points=line["points"],
        seconds=line["seconds"],
        workers=line["workers"],
        usable=line["usable"] or 0.0,
        bars=Bars(**(line["bars"] or {})),
        blocks=tuple(map(_block, line["blocks"])),
        quiet=line["quiet"],
        left=tuple(line.get("left", ())),
    )


def recorded(folder: Path = FOLDER) -> list[Trace]:
    """All traces that are kept."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]
    return [trace_of(json.loads(line)) for line in lines]


def replay(trace: Trace) -> Decision:
    """What the product decides on these blocks now. The reach before them stands in for all calibrations before."""
    before = [block.reach_before for block in trace.blocks[:1]]
    return conclude(trace.blocks, trace.bars, trace.workers, trace.usable, before)


def agrees(trace: Trace, decision: Decision) -> bool:
    """Is this the recorded verdict?"""
    return (decision.outcome, decision.provisional) == (trace.outcome, trace.provisional)


def drawn(traces: Sequence[Trace], runs: int, seed: int) -> list[Run]:
    """New measurements from the brackets of these, drawn with replacement; a block takes as long as it did."""
    dice = random.Random(seed)
    brackets = [bracket for trace in traces for bracket in _brackets(trace.blocks)]
    seconds = sum(trace.seconds for trace in traces) / max(1, sum(len(trace.blocks) for trace in traces))
    return [_draw(traces[0], brackets, seconds, dice) for _ in range(runs)] if brackets else []


def _draw(like: Trace, brackets: Sequence[Sequence[Block]], seconds: float, dice: random.Random) -> Run:
    blocks: list[Block] = []
    while True:
        blocks += dice.choice(brackets)
        spent = seconds * len(blocks)
        done = settle(blocks, like.bars, like.usable) or hopeless(blocks, like.bars)
        if done or spent * (1 + 1 / len(blocks)) > like.bars.budget:
            said = conclude(blocks, like.bars, like.workers, like.usable, [blocks[0].reach_before])
            return Run(said, spent, tuple(blocks))


def _brackets(blocks: Sequence[Block]) -> Iterator[Sequence[Block]]:
    """The blocks between each two calibrations."""
    for _, bracket in itertools.groupby(blocks, lambda block: (block.reach_before, block.reach_after)):
        yield tuple(bracket)


def _block(fields: dict[str, Any]) -> Block:
    wall = fields["wall"]
    known = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return Block(**{**known, "wall": Pair(**wall) if wall else None})


def kept(ledger: Path, folder: Path = FOLDER) -> int:
    """Write the measurements that are kept, in place of those that are: of each program in each condition that of
    median time; how many.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in map(json.loads, ledger.read_text("utf-8").splitlines()):
        groups.setdefault((line["program"], line["condition"]), []).append(line)
    chosen = [sorted(lines, key=lambda line: line["seconds"])[len(lines) // 2] for lines in groups.values()]
    lines = [json.dumps(line) + "\n" for line in chosen if line["blocks"]]
    (folder / "two-vcpus.jsonl").write_text("".join(lines), encoding="utf-8")
    return len(lines)


if __name__ == "__main__":
    print(f"{kept(FOLDER.parent / 'out' / 'verdict' / 'real.jsonl')} measurements are kept in {FOLDER}.")
