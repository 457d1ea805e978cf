"""One clock a measurement: no program can choose, block by block, the clock that suits it."""

from __future__ import annotations

from dataclasses import replace

from grader.measure.blocks import one_clock
from grader.model import Block, Pair

FREE = Block(0.4, 0.2, 1.9, 1.9, clock="free", wall=Pair(0.5, 0.45, 1.2, 1.1))
CHANGED = Block(0.4, 0.35, 1.2, 1.2, why_wall="the program changed the priority of its processes")


def test_one_block_by_the_wall_clock_makes_all_of_them_so() -> None:
    judged = one_clock([FREE, CHANGED, FREE])
    assert [block.clock for block in judged] == ["wall"] * 3
    assert (judged[0].speedup, judged[0].reach_before) == (0.5 / 0.45, 1.2)
    assert all(block.is_void(1.35) for block in judged)


def test_blocks_that_all_have_the_better_clock_keep_it() -> None:
    assert one_clock([FREE, replace(FREE, t_parallel=0.3)]) == [FREE, replace(FREE, t_parallel=0.3)]
