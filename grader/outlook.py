"""From the speedup that was measured here to more cores: what was measured and what is predicted, kept apart.

Bench.curve    the learner's function with 1, 2, ... workers, in random order, several times each
  -> measured, projections   grader.tracing.project
  -> text, JSON, a picture   grader.report.outlook
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.measure.blocks import Failure, Plan
from grader.measure.explain import Explaining
from grader.model import Progress
from grader.tracing.laws import Course, course, gustafson, parallel_share, scaled_share
from grader.tracing.project import Measured, Projection, measured, project
from grader.tracing.timeline import Timeline

#: Runs with each number of workers: so many tell how much runs differ.
_REPEATS = 6


@dataclass(frozen=True)
class Outlook:
    """What was measured here, by number of workers, and what is expected with others.

    `fraction` is the parallel part by Amdahl's law at the most workers that were measured, `low` to `high` what the
    fastest and the slowest runs give; `serial` is how Karp and Flatt's e goes over the workers, and `scaled` how
    many times the work each number of workers of `projections` does in the same time (Gustafson). All of these are
    missing where nothing got faster. `reach`: what this machine gave perfectly parallel work, by number of workers;
    `freed` is the parallel part with that in the place of the number of workers, so without what the cores here
    take from each other.
    """

    measured: tuple[Measured, ...]
    projections: tuple[Projection, ...]
    reach: dict[int, float]
    fraction: float | None = None
    low: float | None = None
    high: float | None = None
    serial: Course | None = None
    freed: float | None = None
    scaled: Mapping[int, float] = field(default_factory=dict)


def look_ahead(
    bench: Explaining, plan: Plan, timeline: Timeline, upto: Sequence[int], progress: Progress
) -> Outlook | Failure:
    """Measure the function with each number of workers up to the plan's, and project to those of `upto`."""
    counts = range(2, plan.workers + 1)
    progress(f"why: {_REPEATS} runs each with 1 to {plan.workers} workers")
    runs = bench.curve(plan, counts, _REPEATS)
    if isinstance(runs, Failure):
        return runs
    reach = {count: max(1.0, bench.reach(plan, count)) for count in counts}
    projections = tuple(project(runs, count, timeline=timeline, reach=reach) for count in upto)
    here = measured(runs)
    first, last = here[0], here[-1]
    if last.speedup is None or last.speedup <= 1:
        return Outlook(here, projections, reach)
    slow, fast = first.shortest / last.longest, first.longest / last.shortest
    low, middle, high = (
        parallel_share(max(1.0, min(speedup, last.workers)), last.workers)
        for speedup in (slow, last.speedup, fast)
    )
    e = course({one.workers: one.speedup for one in here[1:] if one.speedup})
    share = scaled_share(middle, last.workers)
    scaled = {count: gustafson(share, count) for count in upto if count > 1}
    gained = reach[last.workers]
    freed = (1 - 1 / min(last.speedup, gained)) / (1 - 1 / gained) if gained > 1 else None
    return Outlook(here, projections, reach, middle, low, high, e, freed, scaled)
