"""Causes in words: why a program holds more than its share of memory, what it left behind. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from grader.measure.copies import MIB, Ruling, growth
from grader.model import Finding
from grader.weights import Footprint, Left

_MOST_NAMED = 6  # things left behind that are named one by one

_SHARE = (
    "Let the workers share one copy, and send them names and ranges instead of data: SharedMemory, np.memmap of the "
    "file, or under fork what was loaded before the workers start."
)
_ONCE = (
    "Look for a second copy in one process: a list beside an array, a slice that copies, a file that is read and then "
    "written into a segment. Read straight into the segment (file.readinto(segment.buf)), or let the first copy go "
    "before the workers start."
)
_END = "End each process that you start: join() it, and use pools and executors in a with block."
_END_JOBLIB = (
    "joblib keeps its workers for the next call. What runs them comes from get_reusable_executor() in "
    "joblib.externals.loky; its shutdown() ends them."
)
_CANNOT_TELL = {
    "preview": Finding(
        "preview",
        "A preview has no time to weigh a program.",
        "It looks at the answer only.",
        "Run the check's own cell to weigh it.",
    ),
    "memory not readable": Finding(
        "memory not readable",
        "This system lets nobody read what its processes weigh.",
        "Neither PSS (/proc/PID/smaps_rollup) nor USS of our own processes could be read.",
        "Run the check on Linux outside of a sandbox that cuts /proc short.",
    ),
    "payload too small to weigh": Finding(
        "payload too small to weigh",
        "The lab's data are too small to tell copies of them from what interpreters weigh anyway.",
        "",
        "Nothing in your code: the lab needs a larger MEMORY_SIZE.",
    ),
    "too short to weigh": Finding(
        "too short to weigh",
        "The program had returned before it could be weighed three times.",
        "",
        "Nothing in your code: the lab needs more work at its MEMORY_SIZE.",
    ),
}
_REASONS = {
    "preview": "A preview: the answer is right.",
    "memory not readable": "The memory of processes can't be read here.",
    "payload too small to weigh": "The lab's data are too small to be weighed here.",
    "too short to weigh": "Your code was done before it could be weighed.",
}


def copies_reason(ruling: Ruling, footprint: Footprint | None) -> str:
    """The verdict on memory in one line."""
    if footprint is None or ruling.outcome == "cannot tell":
        return _REASONS[ruling.cause]
    if ruling.cause == "no workers":
        return "One process held the data alone, so there was nothing to share."
    most, fewest = footprint.weighings[-1], footprint.weighings[0]
    size = f"{footprint.payload / MIB:.0f} MiB"
    held = (
        f"With {most.workers} workers the processes held {most.copies:.2f} copies of the {size}, with "
        f"{fewest.workers} workers {fewest.copies:.2f}"
    )
    why = {
        "payload copied": ": each worker gets its own",
        "held more than once": ": more than one, however many workers there are",
    }
    return f"{held}{why.get(ruling.cause, '')}."


def of_memory(ruling: Ruling, footprint: Footprint | None) -> tuple[Finding, ...]:
    """Why it is not met, or can't be told; nothing for what is met."""
    if ruling.outcome == "met":
        return ()
    if footprint is None or ruling.outcome == "cannot tell":
        return (_CANNOT_TELL[ruling.cause],)
    reason, seen = copies_reason(ruling, footprint), evidence(footprint)
    tries = {"payload copied": _SHARE, "held more than once": _ONCE}
    alone = "Start workers, and let them share the data."
    return (Finding(ruling.cause, reason, seen, tries.get(ruling.cause, alone)),)


def evidence(footprint: Footprint) -> str:
    """The bars, and how much more the most workers held than the fewest."""
    most, fewest = footprint.weighings[-1].workers, footprint.weighings[0].workers
    more = max(0.0, growth(footprint.weighings))
    bars = footprint.bars
    return (
        f"Asked for: at most {bars.copies:g} copies, and at most {bars.growth:g} more with {most} workers than with "
        f"{fewest}; here it is {more:.2f} more."
    )


def left_reason(left: Sequence[Left]) -> str:
    """What was left behind, in one line."""
    processes = [one for one in left if one.kind == "process"]
    segments = [one for one in left if one.kind == "segment"]
    parts = [_counted(processes, "process", "processes"), _counted(segments, "segment", "segments")]
    return f"When your function had returned, something was left: {'; '.join(filter(None, parts))}."


def of_left(left: Sequence[Left], start_method: str) -> tuple[Finding, ...]:
    """One finding for each kind of thing that was left, with the names."""
    found = []
    if processes := [one for one in left if one.kind == "process"]:
        found.append(
            Finding(
                "process left",
                f"Under {start_method} processes lived on after your function had returned.",
                _named(processes),
                _END_JOBLIB if any("joblib" in one.name for one in processes) else _END,
            )
        )
    if segments := [one for one in left if one.kind == "segment"]:
        found.append(
            Finding(
                "segment left",
                f"Under {start_method} shared memory was not given back: it stays full until somebody unlinks it.",
                _named(segments),
                "One process unlinks each segment, in a finally block: segment.close(), then segment.unlink().",
            )
        )
    if left and not found:  # beside a pool that lives on they go without saying
        found.append(
            Finding(
                "semaphore left",
                f"Under {start_method} semaphores lived on. Python removes them when it ends, so this costs nothing.",
                _named(left),
                "Keep locks, queues and pools in the function, not in a global.",
            )
        )
    return tuple(found)


def _counted(things: Sequence[Left], one: str, many: str) -> str:
    names = ", ".join(_name(thing) for thing in things[:2]) + (", ..." if len(things) > 2 else "")
    return f"{len(things)} {one if len(things) == 1 else many}, {names}" if things else ""


def _named(things: Sequence[Left]) -> str:
    more = [f"and {len(things) - _MOST_NAMED} more"] if len(things) > _MOST_NAMED else []
    return "\n".join([*(_name(thing) for thing in things[:_MOST_NAMED]), *more])


def _name(left: Left) -> str:
    """Such as "/dev/shm/psm_1a2b (64 MiB)"; a process's name has its number already."""
    if left.kind == "process":
        return left.name
    size = f"{left.size / MIB:.0f} MiB" if left.size >= MIB else f"{left.size} bytes"
    return f"{left.name} ({size})"
