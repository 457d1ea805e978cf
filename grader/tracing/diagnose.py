"""Why a parallel run is slow: a timeline and its bill -> causes in words, the largest loss first. Pure.

Each cause has a name that stays: `CAUSES` has them all, with what each means; course/TRACING.md explains them.
A loss of less than 8 % of the run (without what neighbours took) is no finding: a clean program gets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from grader.tracing.bill import Bill
from grader.tracing.timeline import Lane, Task, Timeline

#: Names of causes: what each says, and the change to try.
CAUSES = {
    "no-workers": (
        "The program started no process.",
        "Hand the work to a Pool or an executor.",
    ),
    "one-worker-does-all": (
        "One worker did nearly all of the work.",
        "Cut the work into several tasks for each worker, and hand them out one at a time.",
    ),
    "skew": (
        "The work was split unevenly: some workers had none left while others went on.",
        "Start the largest tasks first, hand out fewer at a time (a smaller chunksize, down to 1), and cut the largest "
        "in two: four parts or more for each worker.",
    ),
    "tasks-too-few": (
        "There were too few tasks to share out evenly.",
        "Cut the work into more tasks, or hand out fewer at a time (a smaller chunksize): four parts or more for each "
        "worker.",
    ),
    "tasks-too-small": (
        "The tasks are so small that handing them out takes a large part of the run.",
        "Hand out more of them at a time (a larger chunksize), yet keep four parts or more for each worker.",
    ),
    "big-arguments": (
        "Much time went into sending data to the workers.",
        "Send names or ranges, not data: let each worker read its own part, or share one array.",
    ),
    "big-results": (
        "Much time went into sending results back.",
        "Send back less: totals in place of rows, or let each worker write a file of its own.",
    ),
    "start-up-dominates": (
        "Starting the workers takes a large part of the run.",
        "Start them once and give them more to do; import less in their module; keep the pool for the next job.",
    ),
    "serial-head": (
        "The program worked alone before its workers had anything to do.",
        "Give that part to the workers, too (reading, for one), or make it faster.",
    ),
    "serial-middle": (
        "The workers waited while the program itself worked.",
        "Give that part to the workers, too, or let the program only hand out and collect.",
    ),
    "serial-tail": (
        "The program worked alone after its workers were done.",
        "Let the workers prepare what is joined, so that little is left to do at the end.",
    ),
    "slow-producer": (
        "The workers waited for something to do.",
        "Make what feeds them faster, feed them more at a time, or let the workers do that part, too.",
    ),
    "lock-convoy": (
        "The workers queued for a lock.",
        "Hold the lock for less, or not at all: let each worker gather its own result, and join them once.",
    ),
    "nested-threads": (
        "The workers run threads of their own, so more wants to run than there are cores.",
        "Set OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS to 1 before NumPy is imported.",
    ),
    "more-workers-than-cores": (
        "There are more workers than cores, and they take them from each other.",
        "Start as many workers as there are usable cores; `corewise doctor` shows how many these are.",
    ),
    "program-waits": (
        "Nobody worked: the program waited for something outside, and its workers for it.",
        "Let the waits overlap: ask for everything at once, by threads or asyncio.",
    ),
    "added-work": (
        "The workers did far more work than the serial program does.",
        "Look for what each of them does again (loading, preparing, one object a row), and at the algorithm first.",
    ),
    "memory-bandwidth": (
        "The same work needed more CPU seconds side by side: cores share memory, caches and clock.",
        "Let each worker touch less memory: smaller types, smaller parts, less copying.",
    ),
    "blocked-on-io": (
        "The workers waited for a disk, a network or a clock, without using a core.",
        "More processes don't make a disk faster. Read less, or let threads or asyncio do the waiting.",
    ),
    "neighbours": (
        "Other programs had the cores.",
        "Close other programs and run it again: this part is no fault of the code.",
    ),
}

#: A loss below this share of the run, without what neighbours took, is no finding.
_WORTH = 0.08
#: Every pool has some of these: they are worth a word only where they are so many times as large.
_MORE = {"slow-producer": 2.5, "start-up-dominates": 2.0, "program-waits": 2.0}
#: Bytes of one task's data, or of all, from which data is called big.
_BIG_TASK, _BIG_ALL = 50_000, 8_000_000
#: CPU seconds of other threads, as a share of the workers' own, from which they have threads of their own.
_THREADS = 0.3
#: Seconds of a task that is small, where there are so many for each worker.
_SMALL, _MANY = 0.005, 50
#: CPU seconds of the workers, against the serial run, from which the cores are in each other's way; and those that no
#: shared memory explains.
_STRETCHED, _ADDED = 1.25, 2.0
#: Tasks of which the largest is less than so many times the smallest are alike.
_ALIKE = 1.3
#: A worker that did so much of the work did it alone.
_ALONE = 0.9


@dataclass(frozen=True)
class Loss:
    """A cause of lost time: its name, its share of the whole loss (0 to 1), its seconds, and the evidence."""

    cause: str
    share: float
    seconds: float
    evidence: str

    @property
    def what(self) -> str:
        return CAUSES[self.cause][0]

    @property
    def try_next(self) -> str:
        return CAUSES[self.cause][1]


#: A cause, its seconds, its evidence.
_Found = tuple[str, float, str]


def diagnose(timeline: Timeline, bill: Bill, stretch: float = 1.0) -> tuple[Loss, ...]:
    """What the time was lost to, the largest first; nothing where no loss is worth a word.

    `stretch` is how many times as many CPU seconds perfectly parallel work needs side by side on this machine as alone:
    so much the program can't help.
    """
    if not timeline.workers:
        return (Loss("no-workers", 1.0, timeline.wall, "No process was started while it ran."),)
    # What others took is no reason to overlook what the program lost by itself; nor to make much of little.
    own = timeline.wall - bill.seconds["neighbours"]
    least = max(_WORTH * own, _WORTH / 2 * timeline.wall)
    found = [one for one in _all(timeline, bill, stretch) if one[1] >= _MORE.get(one[0], 1.0) * least]
    found.sort(key=lambda one: -one[1])
    loss = max(bill.loss, 1e-9)
    return tuple(
        Loss(cause, min(1.0, seconds / loss), seconds, evidence) for cause, seconds, evidence in found
    )


def _all(timeline: Timeline, bill: Bill, stretch: float) -> Iterator[_Found]:
    yield from _uneven(timeline, bill)
    yield from _handing_out(timeline, bill)
    yield from _serial(timeline, bill)
    yield from _cores(timeline, bill, max(1.0, stretch))
    seconds, useful = bill.seconds, sum(timeline.useful)
    by = f" (start method {timeline.start_method})" if timeline.start_method else ""
    yield (
        "start-up-dominates",
        seconds["start_up"],
        f"{seconds['start_up']:.2f} s of {bill.wall:.2f} s went into starting the workers{by}.",
    )
    locked = sum(lane.seconds("lock") for lane in timeline.workers)
    yield (
        "lock-convoy",
        seconds["lock_wait"],
        f"All workers together waited {locked:.2f} s for locks, and worked for {useful:.2f} s.",
    )
    yield (
        "program-waits",
        seconds["other"],
        f"For {seconds['other']:.2f} s of {bill.wall:.2f} s neither the program nor a worker worked.",
    )
    running = sum(lane.seconds("run") for lane in timeline.workers)
    yield (
        "blocked-on-io",
        seconds["blocked"],
        f"In their own code the workers used a core for {useful:.2f} s of {running:.2f} s.",
    )


# How the work was shared out


def _uneven(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    useful = timeline.useful
    total, most = sum(useful), max(useful)
    if total <= 0:
        return
    # Of more workers than cores (one that only reads, say) not all can be busy at a time: less work for one is no loss.
    spare = max(0.0, 1 / min(len(useful), timeline.cores) - 1 / len(useful))
    lost = max(0.0, bill.seconds["tail"] - spare * total)
    only_one = len(useful) == 1 and timeline.workers[0].processes == 1  # else several took turns
    if only_one and timeline.cores >= 2 and most > timeline.wall / 2:
        only = f"There was one worker, for {_usable(timeline.cores)}; it worked for {_took(most)}."
        yield "one-worker-does-all", most / 2, only
        return
    busiest = f"The busiest worker worked for {_took(most)}, the least busy one for {_took(min(useful))}."
    tasks = sorted(_tasks(timeline), key=_size)
    one_task = bool(tasks) and _size(tasks[-1]) > _ALONE / 2 * most and len(tasks) > len(useful)
    if len(useful) > 1 and most >= _ALONE * total and not one_task:
        name = timeline.workers[list(useful).index(most)].name
        share = f"{name} did {100 * most / total:.0f} % of the work; there were {len(useful)} workers."
        yield "one-worker-does-all", lost, share
        return
    count = sum(task.items for task in tasks)
    largest, typical = (_size(tasks[-1]), median(map(_size, tasks))) if tasks else (0.0, 0.0)
    # One task a worker: then it is their sizes that differ, not their number that doesn't come out even.
    alike = count > len(useful) or largest < _ALIKE * _size(tasks[0]) if tasks else True
    if largest > 1.5 * typical or not alike:
        named = f"The largest task, {tasks[-1].name}, worked for {_took(largest)}; a typical one for {_took(typical)}."
        yield "skew", lost, f"{named} {busiest}"
    elif tasks and count < 4 * len(useful):
        yield "tasks-too-few", lost, f"{count} tasks for {len(useful)} workers. {busiest}"
    else:
        yield "skew", lost, busiest


def _tasks(timeline: Timeline) -> list[Task]:
    return [task for lane in timeline.workers for task in lane.tasks]


def _size(task: Task) -> float:
    """CPU seconds: what others took doesn't make a task larger. Of many in one, the longest as the clock has it."""
    return task.cpu if task.items == 1 else task.longest


# What handing it out costs


def _handing_out(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    """Pickling, and waiting for a queue: for large things, for many small ones, or for who feeds it."""
    lost = bill.seconds["pickling"] + bill.seconds["queue_wait"]
    workers, tasks = timeline.workers, _tasks(timeline)
    items = max(1, sum(task.items for task in tasks))
    came = max(_written(timeline.parent), sum(lane.size("unpickle") for lane in workers))
    back = sum(map(_written, workers))
    if came + back >= _BIG_ALL or (came + back) / items >= _BIG_TASK:
        share = came / (came + back)
        went = f"{_bytes(came)} went to the workers, {_bytes(came / items)} for each task."
        yield "big-arguments", lost * share, went
        returned = f"{_bytes(back)} came back from the workers, {_bytes(back / items)} for each task."
        yield "big-results", lost * (1 - share), returned
        return
    waited = sum(lane.seconds("wait") for lane in workers)
    work = sum(task.cpu for task in tasks) / items
    if tasks and items >= _MANY * len(workers) and work < _SMALL:
        each = sum(lane.seconds("wait", "pickle", "unpickle") for lane in workers) / items
        out = f"{items:,} tasks of {_short(work)} each; handing out each of them took {_short(each)}."
        yield "tasks-too-small", lost, out
        return
    yield "slow-producer", lost, f"The workers waited {waited:.2f} s in all for their queues and pipes."


def _written(lane: Lane) -> int:
    """Bytes that it pickled."""
    return lane.size("pickle") + sum(span.size for span in lane.helpers if span.state == "pickle")


def _short(seconds: float) -> str:
    return f"{1e6 * seconds:.0f} microseconds" if seconds < 1e-3 else f"{1e3 * seconds:.1f} ms"


def _usable(cores: float) -> str:
    return "1 usable core" if cores == 1 else f"{cores:g} usable cores"


def _took(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 or not seconds else _short(seconds)


def _bytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


# The program itself


def _serial(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    """The program worked alone: before, between or after its workers' work."""
    runs = [span for lane in timeline.workers for span in lane.spans if span.state == "run" and span.cpu > 0]
    first = min((span.start for span in runs), default=0.0)
    last = max((span.end for span in runs), default=timeline.wall)

    def own(start: float, end: float) -> float:
        spans = [span for span in timeline.parent.spans if span.state == "run"]
        return sum(max(0.0, min(span.end, end) - max(span.start, start)) for span in spans)

    head, tail = own(0.0, first), own(last, timeline.wall)
    lost = bill.seconds["serial_part"]
    # What it does while the workers work costs nothing: in between, only what is left of the loss.
    middle = max(0.0, lost / max(1e-9, 1 - 1 / bill.workers) - head - tail) if bill.workers > 1 else 0.0
    whole = head + middle + tail
    for cause, seconds, when in (
        ("serial-head", head, "before its workers' work began"),
        ("serial-middle", middle, "while its workers waited"),
        ("serial-tail", tail, "after its workers' work had ended"),
    ):
        said = f"The program itself worked for {seconds:.2f} s {when}; no number of workers shortens that."
        yield cause, lost * seconds / whole if whole else 0.0, said


# The cores


def _cores(timeline: Timeline, bill: Bill, stretch: float) -> Iterator[_Found]:
    seconds, lanes, useful = bill.seconds, timeline.workers, sum(timeline.useful)
    threads = sum(lane.other_cpu for lane in lanes)
    if len(lanes) > 1 and threads >= _THREADS * max(useful, 1e-9):
        lost = seconds["oversubscription"] + seconds["neighbours"] + max(0.0, seconds["scaling"])
        said = f"Threads beside the workers' main ones used {threads:.2f} CPU seconds; those {useful:.2f}."
        yield "nested-threads", lost, said
        return
    said = f"{len(lanes)} workers, {_usable(timeline.cores)}: they waited for each other."
    yield "more-workers-than-cores", seconds["oversubscription"], said
    waited = f"The workers were ready for {seconds['neighbours']:.2f} s while others had the cores."
    yield "neighbours", seconds["neighbours"], waited
    yield from _stretched(timeline, bill, stretch)


def _stretched(timeline: Timeline, bill: Bill, stretch: float) -> Iterator[_Found]:
    """More CPU seconds than the serial program needs, beyond what this machine takes for any work side by side."""
    useful = sum(timeline.useful)
    if bill.serial is None or useful <= _STRETCHED * stretch * bill.serial:
        return
    used = f"The serial run took {bill.serial:.2f} s, the workers together {useful:.2f} CPU seconds."
    if stretch > 1.005:
        used += f" Any work takes {stretch:.2f} times as many side by side on this machine; that is not counted here."
    its_own = bill.seconds["scaling"] - (stretch - 1) * bill.serial / bill.workers
    yield "added-work" if useful > _ADDED * stretch * bill.serial else "memory-bandwidth", its_own, used
