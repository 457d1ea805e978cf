"""Why a parallel run is slow: a timeline and its bill -> causes in words, the largest loss first. Pure.

Each cause has a name that stays: `CAUSES` has them all, with what each means; course/TRACING.md explains them.
A loss of less than 8 % of the run is no finding: a clean program gets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from grader.tracing.bill import Bill
from grader.tracing.timeline import Lane, Task, Timeline

#: Names of causes, and what each says.
CAUSES = {
    "no-workers": "The program started no process.", "one-worker-does-all": "One worker did nearly all of the
    work.", "skew": "The work was split unevenly: some workers had none left while others went on.",
    "tasks-too-few": "There were too few tasks to share out evenly.", "tasks-too-small": "The tasks are so small
    that handing them out takes longer than doing them.", "big-arguments": "Much time went into sending data to the
    workers.", "big-results": "Much time went into sending results back.", "start-up-dominates": "Starting the
    workers takes a large part of the run.", "serial-head": "The program worked alone before its workers had
    anything to do.", "serial-middle": "The workers waited while the program itself worked.", "serial-tail": "The
    program worked alone after its workers were done.", "slow-producer": "The workers waited for something to do.",
    "lock-convoy": "The workers queued for a lock.", "nested-threads": "The workers start threads of their own, so
    more wants to run than there are cores.", "more-workers-than-cores": "There are more workers than cores, and
    they take them from each other.", "memory-bandwidth": "The same work needed more CPU seconds side by side: the
    cores share memory, caches or clock.", "blocked-on-io": "The workers waited for a disk, a network or a clock,
    without using a core.", "neighbours": "Other programs had the cores.",
}

#: A loss below this share of the run is no finding.
_WORTH = 0.08
#: Bytes of one task's data, or of all, from which data is called big.
_BIG_TASK, _BIG_ALL = 50_000, 8_000_000
#: CPU seconds of other threads, as a share of a worker's own, from which it has threads of its own.
_THREADS = 0.3


@dataclass(frozen=True)
class Loss:
    """A cause of lost time: its name (of `CAUSES`), its share of the whole loss (0 to 1) and its seconds, the
    evidence, the change to try.
    """

    cause: str
    share: float
    seconds: float
    evidence: str
    try_next: str

    @property
    def what(self) -> str:
        return CAUSES[self.cause]


@dataclass(frozen=True)
class _Found:
    cause: str
    seconds: float
    evidence: str
    try_next: str


def diagnose(timeline: Timeline, bill: Bill) -> tuple[Loss, ...]:
    """What the time was lost to, the largest first; nothing where no loss is worth a word."""
    if not timeline.workers:
        return (
            Loss("no-workers", 1.0, timeline.wall, "No process was started while it ran.",
                 "Hand the work to a Pool or an executor."),
        )  # fmt: skip
    found = [one for one in _all(timeline, bill) if one.seconds >= _WORTH * timeline.wall]
    found.sort(key=lambda one: -one.seconds)
    loss = max(bill.loss, 1e-9)
    return tuple(
        Loss(one.cause, min(1.0, one.seconds / loss), one.seconds, one.evidence, one.try_next)
        for one in found
    )


def _all(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    yield from _uneven(timeline, bill)
    yield from _handing_out(timeline, bill)
    yield from _serial(timeline, bill)
    yield from _cores(timeline, bill)
    seconds = bill.seconds
    yield _Found(
        "start-up-dominates", seconds["start_up"], f"{seconds['start_up']:.2f} s of {bill.wall:.2f} s passed before
        the workers could begin" f"{f', started by {timeline.start_method}' if timeline.start_method else ''}.",
        "Start the workers once and give them more to do; import less in their module; keep the pool for the next
        job.",
    )  # fmt: skip
    locked = sum(lane.seconds("lock") for lane in timeline.workers)
    yield _Found(
        "lock-convoy", seconds["lock_wait"],
        f"All workers together waited {locked:.2f} s for locks, and worked for {sum(timeline.useful):.2f} s.",
        "Hold the lock for less, or not at all: let each worker gather its own result, and join them once.",
    )  # fmt: skip
    yield _Found(
        "blocked-on-io", seconds["blocked"],
        f"In their own code the workers used a core for {sum(timeline.useful):.2f} s of "
        f"{sum(lane.seconds('run') for lane in timeline.workers):.2f} s.",
        "More processes don't make a disk or a network faster. Read less, or let threads or asyncio wait.",
    )  # fmt: skip


# How the work was shared out


def _uneven(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    useful, lost = timeline.useful, bill.seconds["tail"]
    total, most = sum(useful), max(useful)
    if total <= 0:
        return
    if len(useful) > 1 and most >= 0.9 * total:
        name = timeline.workers[list(useful).index(most)].name
        yield _Found(
            "one-worker-does-all", lost,
            f"{name} did {100 * most / total:.0f} % of the work; there were {len(useful)} workers.",
            "Cut the work into several tasks for each worker, and hand them out one at a time.",
        )  # fmt: skip
        return
    tasks = sorted(_tasks(timeline), key=_longest)
    if not tasks:
        yield _Found("skew", lost, _busiest(timeline), "Give the workers even parts.")
        return
    slowest, typical = tasks[-1], median([_longest(task) for task in tasks])
    each = sum(task.items for task in tasks) / len(useful)
    if _longest(slowest) > 1.5 * typical and _longest(slowest) >= 0.5 * lost:
        yield _Found(
            "skew", lost,
            f"The slowest task, {slowest.name}, took {_longest(slowest):.2f} s; a typical one {typical:.2f} s. "
            + _busiest(timeline),
            "Start the largest tasks first, hand them out one at a time, and cut the largest in two.",
        )  # fmt: skip
    elif each < 4:
        yield _Found(
            "tasks-too-few", lost,
            f"{sum(task.items for task in tasks)} tasks for {len(useful)} workers. " + _busiest(timeline),
            "Cut the work into more tasks: four or more for each worker.",
        )  # fmt: skip
    else:
        yield _Found(
            "skew", lost, _busiest(timeline),
            "Hand tasks out one at a time (chunksize=1, or imap_unordered), the largest first.",
        )  # fmt: skip


def _busiest(timeline: Timeline) -> str:
    useful = sorted(timeline.useful)
    return f"The busiest worker worked for {useful[-1]:.2f} s, the least busy one for {useful[0]:.2f} s."


def _tasks(timeline: Timeline) -> list[Task]:
    return [task for lane in timeline.workers for task in lane.tasks]


def _longest(task: Task) -> float:
    return task.longest or task.seconds


# What handing it out costs


def _handing_out(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    """Pickling, and waiting for a queue: for many small things, or for large ones."""
    pickling, waiting = bill.seconds["pickling"], bill.seconds["queue_wait"] tasks = _tasks(timeline) items = max(1,
    sum(task.items for task in tasks)) sent = timeline.parent.size("pickle") + sum(span.size for span in
    timeline.parent.helpers if span.state == "pickle") came = max(sent, sum(lane.size("unpickle") for lane in
    timeline.workers)) back = sum(_written(lane) for lane in timeline.workers) moved = came + back if moved >=
    _BIG_ALL or moved / items >= _BIG_TASK:
        lost, share = pickling + waiting, came / max(1, moved)
        yield _Found(
            "big-arguments", lost * share,
            f"{_bytes(came)} went to the workers, {_bytes(came / items)} for each task.",
            "Send names or ranges, not data: let each worker read its own part, or share one array.",
        )  # fmt: skip
        yield _Found(
            "big-results", lost * (1 - share),
            f"{_bytes(back)} came back from the workers, {_bytes(back / items)} for each task.",
            "Send back less: totals in place of rows, or let each worker write its own file.",
        )  # fmt: skip
        return
    work = sum(task.seconds for task in tasks) / items
    if tasks and items >= 10 * len(timeline.workers) and work < 0.005:
        yield _Found(
            "tasks-too-small", pickling + waiting, f"{items:,} tasks of {_short(work)} each; for each,
            {_short(_between(timeline, items))} went into handing it " "out.", "Hand them out in chunks
            (chunksize=...), so that each takes a tenth of a second or so.",
        )  # fmt: skip
        return
    yield _Found(
        "slow-producer", pickling + waiting, f"The workers waited {sum(lane.seconds('wait') for lane in
        timeline.workers):.2f} s in all for their queues and " "pipes.", "Make what feeds them faster, or let the
        workers do that part, too.",
    )  # fmt: skip


def _written(lane: Lane) -> int:
    return lane.size("pickle") + sum(span.size for span in lane.helpers if span.state == "pickle")


def _between(timeline: Timeline, items: int) -> float:
    """Seconds of a worker for each task that went into getting it and giving back its result."""
    return sum(lane.seconds("wait", "pickle", "unpickle") for lane in timeline.workers) / items


def _short(seconds: float) -> str:
    return f"{1e6 * seconds:.0f} microseconds" if seconds < 1e-3 else f"{1e3 * seconds:.1f} ms"


def _bytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


# The program itself


def _serial(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    """The program worked alone: before, between or after its workers' work."""
    runs = [span for lane in timeline.workers for span in lane.spans if span.state == "run" and span.cpu > 0]
    first = min((span.start for span in runs), default=0.0)
    last = max((span.end for span in runs), default=timeline.wall)
    own = [span for span in timeline.parent.spans if span.state == "run"]

    def between(start: float, end: float) -> float:
        return sum(max(0.0, min(span.end, end) - max(span.start, start)) for span in own)

    parts = {
        "serial-head": between(0.0, first),
        "serial-middle": between(first, last),
        "serial-tail": between(last, timeline.wall),
    }
    if parts["serial-head"] + parts["serial-tail"] > 0.5 * bill.seconds["serial_part"]:
        # What it does while the others work costs nothing; only where it is all that there is it is the cause.
        parts["serial-middle"] = max(
            0.0, min(parts["serial-middle"], bill.seconds["serial_part"] - sum(parts.values()))
        )
    whole = sum(parts.values())
    when = {
        "serial-head": "before its workers' work began",
        "serial-middle": "between its workers' tasks",
        "serial-tail": "after its workers' work had ended",
    }
    for cause, seconds in parts.items():
        yield _Found(
            cause, bill.seconds["serial_part"] * seconds / whole if whole else 0.0,
            f"The program itself worked for {seconds:.2f} s {when[cause]}. However many workers there are, it stays.",
            "Give that part to the workers too (reading, for one), or make it faster.",
        )  # fmt: skip


# The cores


def _cores(timeline: Timeline, bill: Bill) -> Iterator[_Found]:
    seconds, lanes = bill.seconds, timeline.workers
    threads = sum(lane.other_cpu for lane in lanes)
    nested = threads >= _THREADS * max(sum(timeline.useful), 1e-9) and len(lanes) > 1
    contended = seconds["oversubscription"] + seconds["neighbours"]
    if nested:
        yield _Found(
            "nested-threads", contended + max(0.0, seconds["scaling"]), f"Other threads of the workers used
            {threads:.2f} CPU seconds, beside {sum(timeline.useful):.2f} of their " "main ones.", "Set
            OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and MKL_NUM_THREADS to 1 before the workers import NumPy.",
        )  # fmt: skip
        return
    yield _Found(
        "more-workers-than-cores", seconds["oversubscription"],
        f"{len(lanes)} workers, and {timeline.cores:g} usable cores: they waited for each other.",
        "Start as many workers as there are usable cores; `corewise doctor` shows how many these are.",
    )  # fmt: skip
    yield _Found(
        "neighbours", seconds["neighbours"],
        "The workers were ready to run, but the system gave the cores to others.",
        "Close other programs and run it again: this part is no fault of the code.",
    )  # fmt: skip
    if bill.serial is not None and sum(timeline.useful) > 0:
        yield _Found(
            "memory-bandwidth", seconds["scaling"], f"The serial run took {bill.serial:.2f} s; the workers together
            used {sum(timeline.useful):.2f} CPU seconds.", "Let each worker touch less memory: smaller types,
            smaller parts, less copying. Hyperthreads and lower clocks " "look the same.",
        )  # fmt: skip
