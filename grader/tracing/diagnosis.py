"""One traced run with all that is said of it: the stage that reports are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.tracing import lanes
from grader.tracing.bill import Bill, bill
from grader.tracing.diagnose import Loss, diagnose
from grader.tracing.recording import Recording
from grader.tracing.timeline import Timeline

#: Why speedup and scaling are not known.
NO_SERIAL = "the serial program was not run, so there is nothing to compare with"


@dataclass(frozen=True)
class Diagnosis:
    """What was run, and where its time went.

    `why_null` says why speedup and scaling are not known, where they aren't.
    """

    name: str
    timeline: Timeline
    bill: Bill
    losses: tuple[Loss, ...]
    why_null: str = ""


def diagnosis(
    name: str, recordings: Sequence[Recording], cores: float, start_method: str = "", serial: float | None = None
) -> Diagnosis:
    """All that is said of a traced run; `serial` is the time of the serial program on the same work, in seconds.

    Raises:
        lanes.NoTraceError: the program ended without a word.
    """
    timeline = lanes.timeline(recordings, cores, start_method)
    its = bill(timeline, serial)
    return Diagnosis(name, timeline, its, diagnose(timeline, its), "" if serial is not None else NO_SERIAL)
