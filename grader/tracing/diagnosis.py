"""One traced run with all that is said of it: the stage that reports are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from grader.tracing import lanes
from grader.tracing.bill import Bill, bill
from grader.tracing.diagnose import Loss, diagnose
from grader.tracing.laws import WorkSpan, work_span
from grader.tracing.recording import Recording
from grader.tracing.timeline import Timeline
from grader.tracing.whatif import WhatIf, what_if

#: Why speedup and scaling are not known.
NO_SERIAL = "the serial program was not run, so there is nothing to compare with"


@dataclass(frozen=True)
class Diagnosis:
    """What was run, where its time went, and what it would take otherwise.

    `work_span` has the seconds of all its work and of the longest chain in it. `why_null` says why speedup and scaling
    are not known, where they aren't. `alike` has the seconds of all runs of which this is the typical one, shortest
    first; none where there was one run.
    """

    name: str
    timeline: Timeline
    bill: Bill
    losses: tuple[Loss, ...]
    what_if: tuple[WhatIf, ...]
    work_span: WorkSpan
    why_null: str = ""
    alike: tuple[float, ...] = ()

    @property
    def locked(self) -> float:
        """h: the share of the workers' own work (0 to 1) that was done with a lock in hand, each worker's busiest one.

        Where that is one lock for all, no number of workers makes the program more than 1/h times as fast.
        """
        lanes = self.timeline.workers
        useful = sum(lane.useful for lane in lanes)
        return min(1.0, sum(lane.held for lane in lanes) / useful) if useful > 0 else 0.0


def diagnosis(
    name: str,
    recordings: Sequence[Recording],
    cores: float,
    start_method: str = "",
    serial: float | None = None,
    stretch: float = 1.0,
) -> Diagnosis:
    """All that is said of a traced run; `serial` is the time of the serial program on the same work, in seconds, and
    `stretch` what this machine makes of CPU seconds side by side (see `diagnose`).

    Raises:
        lanes.NoTraceError: the program ended without a word.
    """
    timeline = lanes.timeline(recordings, cores, start_method)
    return of_timeline(name, timeline, serial, stretch)


def of_timeline(
    name: str, timeline: Timeline, serial: float | None = None, stretch: float = 1.0
) -> Diagnosis:
    """The same, of a timeline."""
    its = bill(timeline, serial)
    why_null = "" if serial is not None else NO_SERIAL
    return Diagnosis(
        name,
        timeline,
        its,
        diagnose(timeline, its, stretch),
        what_if(timeline, its),
        work_span(timeline),
        why_null,
    )


def typical(runs: Sequence[Diagnosis]) -> Diagnosis:
    """Of several runs of one program, the one in the middle by its workers' CPU seconds.

    These are what a machine that is shared makes uneven; how the work is split, handed out and joined is the program's.
    """
    middle = sorted(runs, key=lambda run: sum(run.timeline.useful))[len(runs) // 2]
    return replace(middle, alike=tuple(sorted(run.bill.wall for run in runs)) if len(runs) > 1 else ())
