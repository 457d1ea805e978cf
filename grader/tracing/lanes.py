"""Recordings of the processes of a run -> one timeline with a lane for each place of a worker. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from grader.tracing.recording import Recording
from grader.tracing.timeline import Lane, Span, Task, Timeline

Timed = TypeVar("Timed", Span, Task)


class NoTraceError(Exception):
    """Nothing in the folder says what the program itself did."""


def timeline(recordings: Sequence[Recording], cores: float, start_method: str = "") -> Timeline:
    """All recordings of one run on the parent's clock.

    Processes that follow each other (a pool with `maxtasksperchild`, one pool after another) share a lane.

    Raises:
        NoTraceError: no recording is the parent's.
    """
    parents = [recording for recording in recordings if recording.role == "parent" and recording.ended]
    if not parents:
        raise NoTraceError
    parent = parents[0]
    begun, wall = parent.asked, parent.ended - parent.asked
    places: list[list[Recording]] = []
    for recording in recordings:
        if recording.role in ("parent", "manager") or not begun <= recording.asked <= parent.ended:
            continue
        free = next((place for place in places if _last(place[-1]) <= recording.asked), None)
        if free is None:
            places.append([recording])
        else:
            free.append(recording)
    workers = (_lane(f"worker {n}", place, begun, wall) for n, place in enumerate(places, 1))
    return Timeline(wall, _lane("program", [parent], begun, wall), tuple(workers), cores, start_method)


def _last(recording: Recording) -> float:
    """When a process was done: one that was ended from outside did nothing since it went to wait."""
    starting = recording.state == "start" and not recording.ended
    return math.inf if starting else recording.ended or recording.since


def _lane(name: str, place: Sequence[Recording], begun: float, wall: float) -> Lane:
    spans: list[Span] = []
    for recording, after in zip(place, [*place[1:], None], strict=True):
        until = after.asked if after else begun + wall
        spans += _whole(recording, until)
    moved = [_moved(span, begun, wall) for span in spans]
    tasks = [_moved(task, begun, wall) for recording in place for task in recording.tasks]
    helpers = [_moved(span, begun, wall) for recording in place for span in recording.helpers]
    queued = [recording.queued for recording in place if recording.queued is not None]
    other = sum(r.process_cpu - r.main_cpu for r in place) - sum(span.cpu for span in helpers)
    return Lane(
        name,
        tuple(span for span in moved if span.end > span.start or span.size),
        tuple(task for task in tasks if task.end > task.start),
        tuple(helpers),
        processes=len(place),
        other_cpu=max(0.0, other),
        queued=sum(queued) if len(queued) == len(place) else None,
        held=sum(recording.held for recording in place),
    )


def _whole(recording: Recording, until: float) -> list[Span]:
    """Its spans, and for one that was ended from outside the state that it was left in, until the next took its
    place.
    """
    spans = list(recording.spans)
    if not recording.ended and until > recording.since:
        spans.append(Span(recording.state, recording.since, until))
    return spans


def _moved(one: Timed, begun: float, wall: float) -> Timed:
    """On the parent's clock, and within the traced region."""
    start, end = (min(max(0.0, at - begun), wall) for at in (one.start, one.end))
    return replace(one, start=start, end=end, cpu=min(one.cpu, end - start))
