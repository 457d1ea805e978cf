"""The words and figures of a traced run, shared by its pictures and its page. Nothing is measured or decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.report import words
from grader.tracing.bill import Bill
from grader.tracing.timeline import Lane, Task, Timeline

#: What each part of a bill is called, and what it means.
PARTS: Mapping[str, tuple[str, str]] = {
    "work": ("work", "what this many workers need when nothing is lost"),
    "scaling": (
        "scaling",
        "more CPU time than the serial run needs, for each worker; negative where it needed less",
    ),
    "tail": ("tail", "workers without work while others still had some"),
    "start_up": ("start-up", "processes being started"),
    "pickling": ("pickling", "objects turned into bytes and back"),
    "queue_wait": ("queue wait", "waiting for something to arrive in a queue or pipe, or for room in it"),
    "lock_wait": ("lock wait", "waiting for a lock, semaphore, condition, barrier or event"),
    "neighbours": ("neighbours", "ready to run, but other programs had the cores"),
    "oversubscription": (
        "oversubscription",
        "ready to run, but the program's own other processes had the cores",
    ),
    "serial_part": ("serial part", "the program worked alone, and the workers waited for it"),
    "blocked": ("blocked", "waiting for a disk, a network or a sleep"),
    "other": ("other", "none of these"),
}
FACTORS = ("load balance", "communication", "scaling")

_LONGEST_NAME = 40  # characters of a task's name
_EACH = 8  # workers that are described one by one
_NOTHING = 1e-6  # of the whole; a sum of many stretches is no more exact


def part(name: str) -> str:
    """What a part of a bill is called."""
    return PARTS[name][0] if name in PARTS else name.replace("_", " ")


def in_seconds(value: float) -> str:
    """Such as "12.3 s", "1.23 s", "45.6 ms": three digits are as many as a measurement bears."""
    known = words.finite(value)
    if known is None:
        return "not known"
    size = abs(known)
    if 0 < size < 0.1:
        return f"{1000 * known:.3g} ms"
    return f"{known:.{0 if size >= 100 else 1 if size >= 10 else 2}f} s"


def percent(share: float) -> str:
    """Such as "12 %"; what would be "0 %" but is more than nothing is "under 1 %"."""
    known = words.finite(share)
    if known is None:
        return "not known"
    whole = round(100 * known)
    return "under 1 %" if not whole and known > _NOTHING else f"{whole} %"


def one_line(text: object, longest: int = _LONGEST_NAME) -> str:
    """A name of the learner's own as it can stand in a picture: on one line, and not endless."""
    line = " ".join(words.clean(text).split())
    return line if len(line) <= longest else line[: longest - 3] + "..."


# The timeline


def slowest(timeline: Timeline) -> tuple[Lane, Task] | None:
    """The task that took longest, and whose it is; of many short ones in one entry, the entry's longest counts."""
    found = [(lane, task) for lane in timeline.workers for task in lane.tasks]
    return max(found, key=lambda pair: lasted(pair[1]), default=None)


def lasted(task: Task) -> float:
    return task.longest if task.items > 1 else task.seconds


def tasks_of(lane: Lane) -> int:
    return sum(task.items for task in lane.tasks)


def shares(lanes: Sequence[Lane], wall: float) -> dict[str, float]:
    """What share of the run's time (0 to 1) the lanes spent with what, on average; the largest first."""
    whole = wall * len(lanes)
    if whole <= 0:
        return {}
    spent = {
        "working on a core": sum(lane.useful for lane in lanes),
        "working without a core, or blocked": sum(
            max(0.0, lane.seconds("run") - lane.useful) for lane in lanes
        ),
        "waiting for a queue": sum(lane.seconds("wait") for lane in lanes),
        "pickling and unpickling": sum(lane.seconds("pickle", "unpickle") for lane in lanes),
        "waiting for a lock": sum(lane.seconds("lock") for lane in lanes),
        "starting": sum(lane.seconds("start") for lane in lanes),
    }
    spent["not there"] = max(0.0, whole - sum(spent.values()))
    found = {what: min(1.0, seconds / whole) for what, seconds in spent.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def timeline_in_words(timeline: Timeline) -> str:
    """The text alternative of the picture of a timeline: how many, how long, and what each did."""
    workers = timeline.workers
    if not workers:
        return f"Timeline of the program alone, over {in_seconds(timeline.wall)}. It started no workers."
    said = [f"Timeline of {words.count(len(workers), 'worker')} over {in_seconds(timeline.wall)}."]
    if timeline.wall > 0:
        if len(workers) <= _EACH:
            said += [
                f"{_capital(one_line(lane.name))}: {_shares([lane], timeline.wall)}." for lane in workers
            ]
        else:
            said.append(f"On average: {_shares(workers, timeline.wall)}.")
            most, least = _extremes(workers)
            said.append(
                f"Most work: {one_line(most.name)}, {percent(most.useful / timeline.wall)} of the time on a core; "
                f"least: {one_line(least.name)}, {percent(least.useful / timeline.wall)}."
            )
    said.append(_slowest_in_words(timeline))
    return " ".join(filter(None, said))


def _extremes(workers: Sequence[Lane]) -> tuple[Lane, Lane]:
    return max(workers, key=lambda lane: lane.useful), min(workers, key=lambda lane: lane.useful)


def _shares(lanes: Sequence[Lane], wall: float) -> str:
    named = (f"{percent(share)} {what}" for what, share in shares(lanes, wall).items() if share >= 0.005)
    return ", ".join(named) or "nothing that lasted"


def _slowest_in_words(timeline: Timeline) -> str:
    found = slowest(timeline)
    if found is None:
        return ""
    lane, task = found
    number = words.count(sum(map(tasks_of, timeline.workers)), "task")
    return f"The slowest of {number}: {one_line(task.name)}, {in_seconds(lasted(task))}, on {one_line(lane.name)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# The bill


def levels(bill: Bill) -> list[tuple[str, float, float]]:
    """The factors of a bill that are known: the name, the factor, and the speedup that is left after it."""
    left, found = float(bill.workers), []
    for name, factor in zip(FACTORS, (bill.load_balance, bill.communication, bill.scaling), strict=True):
        known = words.finite(factor)
        if known is None:
            break
        left *= known
        found.append((name, known, left))
    return found


def why_unknown(bill: Bill) -> str:
    """Why a bill ends before its scaling; nothing where it doesn't."""
    if bill.scaling is not None:
        return ""
    if bill.serial is None:
        return "the time of a serial run is not known"
    return "the workers did no work of their own"


def bill_in_words(bill: Bill) -> str:
    """The bill in one line: how k workers became the speedup."""
    workers = words.count(bill.workers, "worker")
    product = " x ".join([workers, *(f"{name} {factor:.2f}" for name, factor, _ in levels(bill))])
    left = (levels(bill) or [("", 1.0, float(bill.workers))])[-1][2]
    took = f"The run took {in_seconds(bill.wall)}"
    if bill.scaling is None:
        return f"{product} = {left:.2f}; scaling is not known: {why_unknown(bill)}. {took}."
    serial = "" if bill.serial is None else f", the serial run {in_seconds(bill.serial)}"
    return f"Speedup {left:.2f} = {product}. {took}{serial}."


def alike_in_words(seconds: Sequence[float]) -> str:
    """How far the runs that were traced lie apart, shortest first; nothing where there was one."""
    if not seconds:
        return ""
    apart = f"{in_seconds(seconds[0])} to {in_seconds(seconds[-1])}"
    return f"This is one of {len(seconds)} such runs, the middle one by CPU time; they took {apart}."


def waterfall_in_words(bill: Bill) -> str:
    """The text alternative of the waterfall from k to S."""
    known = levels(bill)
    end = f"a speedup of {known[-1][2]:.2f}" if bill.scaling is not None and known else "before the scaling"
    steps = "; ".join(
        f"{name} x {factor:.2f} {'leaves' if factor <= 1 else 'makes'} {left:.2f}"
        for name, factor, left in known
    )
    why = f" It ends there: {why_unknown(bill)}." if bill.scaling is None else ""
    return f"Waterfall from {words.count(bill.workers, 'worker')} to {end}: {steps}.{why}"


def parts_of(bill: Bill) -> list[tuple[str, float]]:
    """The seconds of a bill by name, the largest first; what is under 1 % of the wall is "the rest".

    Negative seconds (gained) come last. The values add up to the wall within 0.05 %.
    """
    least = 0.01 * bill.wall
    large = [(part(name), value) for name, value in bill.seconds.items() if abs(value) >= least and value]
    rest = sum(value for value in bill.seconds.values() if abs(value) < least)
    gained = sorted((pair for pair in large if pair[1] < 0), key=lambda pair: pair[1])
    lost = sorted((pair for pair in large if pair[1] > 0), key=lambda pair: -pair[1])
    shown = [("the rest", rest)] if abs(rest) >= 0.0005 * bill.wall and rest else []
    return [*lost, *shown, *gained]


def seconds_in_words(bill: Bill) -> str:
    """The text alternative of the picture of the seconds."""
    named = (
        f"{name} {in_seconds(abs(value))}{' gained' if value < 0 else ''} ({share_of(abs(value), bill.wall)})"
        for name, value in parts_of(bill)
    )
    return f"Where the {in_seconds(bill.wall)} went: {', '.join(named) or 'nothing lasted'}."


def share_of(seconds: float, wall: float) -> str:
    """Such as "12 %" of a run; nothing is a share of a run that took no time."""
    return percent(seconds / wall) if wall > 0 else percent(0.0)
