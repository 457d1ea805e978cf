"""One clock a measurement: no program can choose, block by block, the clock that suits it."""

from __future__ import annotations

from dataclasses import replace

from grader.measure.blocks import Reach, as_block, one_clock
from grader.model import Arm, Block, FreeTime, Pair, Trial

FREE = Block(0.4, 0.2, 1.9, 1.9, clock="free", wall=Pair(0.5, 0.45, 1.2, 1.1))
CHANGED = Block(0.4, 0.35, 1.2, 1.2, why_wall="the program changed the priority of its processes")


def test_one_block_by_the_wall_clock_makes_all_of_them_so() -> None:
    judged = one_clock([FREE, CHANGED, FREE])
    assert [block.clock for block in judged] == ["wall"] * 3
    assert (judged[0].speedup, judged[0].reach_before) == (0.5 / 0.45, 1.2)
    assert all(block.is_void(1.35) for block in judged)
    assert {block.why_wall for block in judged} == {CHANGED.why_wall}


def test_blocks_that_all_have_the_better_clock_keep_it() -> None:
    assert one_clock([FREE, replace(FREE, t_parallel=0.3)]) == [FREE, replace(FREE, t_parallel=0.3)]


def test_a_calibration_without_the_better_clock_makes_its_blocks_and_all_others_the_walls() -> None:
    pair: dict[Arm, Trial] = {
        "serial": Trial("serial", "done", (0.5,), (0.4,), free=(FreeTime(0.4, 1.0, 1.0),)),
        "parallel": Trial("parallel", "done", (0.45,), (0.0, 0.2, 0.2), free=(FreeTime(0.2, 1.0, 1.0),)),
    }
    seen, unseen = Reach(1.2, 1.9), Reach(1.1)
    blocks = [
        as_block(pair, before, after) for before, after in ((seen, seen), (seen, unseen), (unseen, seen))
    ]
    assert [block.clock for block in blocks] == ["free", "wall", "wall"]
    assert [block.clock for block in one_clock(blocks)] == ["wall"] * 3
    assert all("can't be read" in block.why_wall for block in one_clock(blocks))
