"""What CPU seconds of each process say about a block: who was busy, and what would be without neighbours. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from grader.model import Block

#: One process that used this share of all CPU seconds, or more, did the work alone.
ONE_BUSY = 0.9
#: Of the CPU seconds, the share that must have been seen to say whose they were.
_SEEN = 0.9
#: Where perfectly parallel work needed this many times its CPU seconds, nobody is called slower by theirs.
_STRETCHED = 1.5


def one_busy(block: Block) -> bool:
    """Did one process use nearly all CPU seconds of the parallel trial?

    Where much went unseen, nobody knows: what many short-lived workers used is one sum.
    """
    return block.seen >= _SEEN and busiest_share(block.cpu_parallel) >= ONE_BUSY


def one_busy_median(blocks: Sequence[Block]) -> bool:
    return 2 * sum(map(one_busy, blocks)) > len(blocks)


def busiest_share(cpu: Sequence[float]) -> float:
    """The busiest process's share of all CPU seconds (0 to 1); 0 where none were seen."""
    return max(cpu) / sum(cpu) if cpu and sum(cpu) > 0 else 0.0


def cpu_speedup(block: Block, usable: float) -> float:
    """S_cpu = CPU_serial / (parent CPU + largest worker CPU), never better than CPU_serial / (U / C).

    Without the cap, more processes than cores would inflate it. NaN where no CPU seconds were seen.
    """
    if sum(block.cpu_parallel) <= 0 or sum(block.cpu_serial) <= 0:
        return math.nan
    parent, workers = block.cpu_parallel[0], block.cpu_parallel[1:]
    span = parent + max(workers, default=0.0)
    work = sum(block.cpu_parallel) / max(1.0, usable)
    return sum(block.cpu_serial) / max(span, work)


def slower(block: Block, usable: float) -> bool:
    """Would this have been slower than serial even with the cores to itself, by CPU seconds?

    Only where the clock says so, too, and starting workers isn't most of the work: where even the calibration's work
    was stretched, the input was too small for the moment.
    """
    by_cpu = cpu_speedup(block, usable)
    return by_cpu < 1 and block.speedup < 1 and block.stretch < _STRETCHED
