"""From the runs that were measured here to a number of workers that was not, with an interval. Pure.

What was measured (`measured`) and what is expected elsewhere (`project`) are kept apart. A projection is refused,
with the reason, where the runs don't bear it (refusals.py). The model and its intervals: fit.py.

Only what the runs show is in it: an overhead that is too small to see with few workers, a bandwidth that more cores
use up, or a network between them, is not.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from grader.tracing import refusals
from grader.tracing.fit import Fit, Range, fit
from grader.tracing.laws import work_span
from grader.tracing.refusals import listed
from grader.tracing.timeline import Timeline


@dataclass(frozen=True)
class Measured:
    """What runs with so many workers took: their mean, shortest and longest, in seconds, and how many they were."""

    workers: int
    seconds: float
    shortest: float
    longest: float
    repeats: int
    speedup: float | None  # the mean of the serial runs over this mean; None where no serial run was measured


@dataclass(frozen=True)
class Projection:
    """What a run with so many workers, each with a core of its own, is expected to take on average, in seconds.

    `low` to `high` is the interval of `seconds`, `speedup_low` to `speedup_high` that of `speedup` (99 %, if all
    noise is normal). All six are None where the projection was `refused`, which says why. `model` is "amdahl" or
    "overhead", `measured` are the numbers of workers that it rests on. `shared` is the speedup if the cores there
    share what they have as much as those here do (R(N) = N R(k) / k, with k the most that was measured); None
    without a reach. `note` says what it holds for.
    """

    workers: int
    seconds: float | None = None
    low: float | None = None
    high: float | None = None
    speedup: float | None = None
    speedup_low: float | None = None
    speedup_high: float | None = None
    refused: str = ""
    model: str = ""
    measured: tuple[int, ...] = ()
    shared: float | None = None
    note: str = ""


def measured(runs: Sequence[tuple[int, float]]) -> tuple[Measured, ...]:
    """Runs, each (workers, seconds), by number of workers; 1 is the serial run.

    Raises:
        ValueError: workers < 1, or seconds that are not more than 0.
    """
    times = _grouped(runs)
    serial = fmean(times[1]) if 1 in times else None
    return tuple(
        Measured(
            workers,
            fmean(seconds),
            min(seconds),
            max(seconds),
            len(seconds),
            serial / fmean(seconds) if serial is not None else None,
        )
        for workers, seconds in times.items()
    )


def project(
    runs: Sequence[tuple[int, float]],
    workers: int,
    *,
    timeline: Timeline | None = None,
    reach: Mapping[int, float] | None = None,
    reach_error: float = 0.05,
) -> Projection:
    """What `workers` workers would take, from runs of the same work, each (workers, seconds); 1 is the serial run.

    The model takes the serial run for what one worker does; where the parallel program does more than that, the
    interval is wide, or the projection refused. `timeline`, of one such run, says how many tasks there are and how
    long the longest takes. `reach` is the speedup R that the machine gave perfectly parallel work, by number of
    workers: what the machine took is then not counted as the program's. The parallel part is divided by R and not by
    p (to divide the speedup by R / p would credit the serial part, too). R is measured as well: the interval holds
    for all R that are within `reach_error` of it, as a share.

    Raises:
        ValueError: workers < 1, seconds that are not more than 0, a reach that is missing or below 1.
    """
    times = _grouped(runs)
    if workers < 1:
        raise ValueError(f"it takes 1 worker or more, not {workers}")
    base, cores = tuple(times), _cores(times, reach, 1.0)
    refused = (
        refusals.too_little(times)
        or refusals.too_few_tasks(workers, timeline)
        or (refusals.no_reach(cores[base[-1]]) if reach else "")
    )
    if refused:
        return Projection(workers, refused=refused, measured=base)
    factors = (1.0, 1 - reach_error, 1 + reach_error) if reach else (1.0,)
    laws = [_law(times, _cores(times, reach, factor)) for factor in factors]
    law = laws[0]
    if law is None:
        return Projection(workers, refused=refusals.undetermined(times), measured=base)
    models = [one.model for one in laws if one is not None]
    refused = (
        refusals.no_gain(law.model)
        or refusals.too_fast(models, "the reach of the machine" if reach else "the number of workers")
        or refusals.changing(workers, law.full, law.grows and len(times) > 3, base)
    )
    if refused:
        return Projection(workers, refused=refused, measured=base)
    ranges = [_within_reason(model, workers, timeline) for model in models if not refusals.no_gain(model)]
    seconds, speedup = (_around(list(each)) for each in zip(*ranges, strict=True))
    refused = refusals.too_far(workers, base, seconds, speedup)
    if refused:
        return Projection(workers, refused=refused, measured=base)
    shared = min(_shared(law.model, workers, base, cores), speedup[2]) if reach else None
    note = _note(workers, base, cores if reach else None, shared)
    name = "overhead" if law.grows else "amdahl"
    return Projection(workers, *seconds, *speedup, "", name, base, shared, note)


class _Law(NamedTuple):
    """The model to project with, and the one with an overhead, where there are enough runs for that."""

    model: Fit
    full: Fit | None
    grows: bool  # the model is the one with an overhead


def _law(times: Mapping[int, Sequence[float]], cores: Mapping[int, float]) -> _Law | None:
    """Amdahl's law, or where the runs show an overhead the law with it; None where they don't determine it."""
    p = [number for number, seconds in times.items() for _ in seconds]
    columns = p, [cores[number] for number in p], [one for seconds in times.values() for one in seconds]
    plain, full = fit(*columns, 2), fit(*columns, 3) if len(times) > 2 else None
    if full is not None and full.overhead.low > 0:
        return _Law(full, full, True)
    return _Law(plain, full, False) if plain is not None else None


def _within_reason(model: Fit, workers: int, timeline: Timeline | None) -> tuple[Range, Range]:
    """Seconds and speedup, within what any program can do: at most `workers` times as fast as one worker, and no
    shorter than the serial part and the longest task of the trace.
    """
    one, many = model.seconds(1, 1), model.seconds(workers, workers)
    quotient = model.speedup(workers, workers)
    chain = work_span(timeline).span if timeline is not None else 0.0
    least = max(one.middle / workers, chain)
    low = max(many.low, one.low / workers, chain, 0.0)
    seconds = max(many.middle, least, low)
    most = min(float(workers), one.middle / chain) if chain > 0 else float(workers)
    speedup = min(quotient.middle, one.middle / seconds, most)
    highest = max(speedup, min(quotient.high, most))
    return Range(seconds, low, max(seconds, many.high)), Range(speedup, min(speedup, quotient.low), highest)


def _around(ranges: Sequence[Range]) -> Range:
    """The first estimate, and an interval that holds all."""
    return Range(ranges[0].middle, min(one.low for one in ranges), max(one.high for one in ranges))


def _grouped(runs: Sequence[tuple[int, float]]) -> dict[int, list[float]]:
    """The seconds of the runs by number of workers, the smallest first."""
    times: defaultdict[int, list[float]] = defaultdict(list)
    for workers, seconds in runs:
        if workers < 1:
            raise ValueError(f"it takes 1 worker or more, not {workers}")
        if not (math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"a run takes more than 0 seconds, not {seconds}")
        times[workers].append(seconds)
    return {workers: times[workers] for workers in sorted(times)}


def _cores(
    times: Mapping[int, Sequence[float]], reach: Mapping[int, float] | None, factor: float
) -> dict[int, float]:
    """How many cores so many workers got here: the reach, where it was measured, times a factor."""
    if reach is None:
        return {number: float(number) for number in times}
    for number in times:
        if number > 1 and not reach.get(number, 0.0) >= 1:
            raise ValueError(f"the reach with {number} workers is 1 or more, not {reach.get(number)}")
    return {
        number: max(1.0, min(float(number), factor * reach[number])) if number > 1 else 1.0
        for number in times
    }


def _shared(model: Fit, workers: int, base: tuple[int, ...], cores: Mapping[int, float]) -> float:
    """The speedup on cores that share as those here, whatever the tasks allow."""
    part = max(1.0, workers * cores[base[-1]] / base[-1])
    one, many = model.seconds(1, 1).middle, model.seconds(workers, part).middle
    return min(part, one / many) if many > 0 else part


def _note(
    workers: int, base: tuple[int, ...], cores: Mapping[int, float] | None, shared: float | None
) -> str:
    said = f"Projected from runs with {listed(base)} workers to {workers} cores like one of those here."
    if cores is None or shared is None:
        return (
            f"{said} What this machine took from its workers (shared caches, memory, neighbours) counts as the "
            "program's. No program gains more than the reach of the machine that it runs on."
        )
    return (
        f"{said} No program gains more than the reach of the machine that it runs on; it was {cores[base[-1]]:.2f} "
        f"with {base[-1]} workers here."
    )
