"""Programs as demand graphs, for the simulated machines: who computes how much, in which order, and who waits.

    Phase    tasks handed out one at a time to its threads; it ends when all are done (a barrier)
    Program  phases one after the other; its threads, and the process of each

Work is in shares of the baseline's: 1.0 is all of it. Thread 0 is the parent. `start` is what starting one worker
costs, in the same shares: half is paid by the parent, half by the worker with its first task.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.verdict.machines import Machine

#: Shares of the fraud lab's thirteen files, the largest first, as its judge makes them.
_FILES = tuple(sorted((1 / (1 + rank) ** 0.8 for rank in range(13)), reverse=True))
#: What the reference does in the parent: listing files, joining tables. And what each of its workers pays for touching
#: pandas first, in CPU seconds. With these it reaches about 70 % of the gain, as it does when measured.
_LIST, _JOIN = 0.02, 0.03
_TOUCH = 0.015
#: Programs that fork pandas and read files vary more than a loop: nine of ten recorded blocks of one lie within 12 %.
_NOISE = 0.06
#: Tasks of a calibration, and the part of them that its serial side runs: see grader.measure.blocks.
TASKS, PART = 16, 2


@dataclass(frozen=True)
class Phase:
    """First sleeps `sleep`, then hands out `tasks`; `first` is paid by each thread with its first task.

    With `lock` only one of the threads runs at a time, as threads of one interpreter do.
    """

    tasks: tuple[float, ...] = ()
    threads: tuple[int, ...] = (0,)
    first: float = 0.0
    sleep: float = 0.0
    lock: bool = False


@dataclass(frozen=True)
class Program:
    """`processes` has the process of each thread; process 0 is the trial's own.

    `noise` is the spread of its work from trial to trial (of its logarithm), beside the machine's own.
    """

    name: str
    phases: tuple[Phase, ...]
    processes: tuple[int, ...] = (0,)
    noise: float = 0.0


def _shared(tasks: tuple[float, ...], total: float) -> tuple[float, ...]:
    return tuple(total * task / sum(tasks) for task in tasks)


def _pool(
    name: str,
    workers: int,
    start: float,
    work: tuple[float, ...],
    before: float = 0.0,
    after: float = 0.0,
    touch: float = 0.0,
) -> Program:
    """The parent works `before`, starts the workers, they share the tasks, the parent works `after`."""
    threads = tuple(range(1, workers + 1))
    phases = [Phase((before + workers * start / 2,)), Phase(work, threads, first=start / 2 + touch)]
    if after:
        phases.append(Phase((after,)))
    return Program(name, tuple(phases), tuple(range(workers + 1)), _NOISE)


def baseline() -> Program:
    return Program("baseline", (Phase((1.0,)),))


def calibration(workers: int, start: float) -> tuple[Program, Program]:
    """Perfectly parallel work: one process with a part of it, and a cold pool with all of it."""
    one = Program("calibration, one", (Phase((1 / PART,)),))
    return one, replace(_pool("calibration, many", workers, start, (1 / TASKS,) * TASKS), noise=0.0)


def reference(machine: Machine, workers: int = 0) -> Program:
    """The lab's own solution: files, the largest first, one at a time; eight workers, whatever the cores, are worse."""
    name = f"{workers} workers" if workers else "reference"
    touch = _TOUCH / machine.t_serial
    shares = _shared(_FILES, 0.97)
    return _pool(name, workers or machine.workers, machine.start_share, shares, _LIST, _JOIN, touch)


def partly(workers: int, start: float, alone: float, name: str = "half parallel") -> Program:
    """The parent does the share `alone` by itself; the rest is perfectly parallel."""
    return _pool(name, workers, start, _shared(_FILES, 1 - alone), alone)


def serial() -> Program:
    return Program("serial", (Phase((1.0,)),))


def pool_of_one(start: float) -> Program:
    return _pool("Pool(1)", 1, start, _shared(_FILES, 1.0))


def gil_threads(workers: int) -> Program:
    """Threads of one process that share the interpreter's lock."""
    phase = Phase((1 / workers,) * workers, tuple(range(1, workers + 1)), lock=True)
    return Program("GIL-bound threads", (phase,), (0,) * (workers + 1))


def cached() -> Program:
    """Looks for an answer from before: inputs are fresh, so it finds none, and works."""
    return Program("cached answers", (Phase((0.02,)), Phase((1.0,))))


def sleeper(workers: int, start: float) -> Program:
    """A good pool, and then it sleeps until serial work would be done: by CPU seconds it looks fast."""
    pool = _pool("sleeper", workers, start, _shared(_FILES, 1.0))
    return replace(pool, phases=(*pool.phases, Phase(sleep=1 - 1 / workers)))


def turns(workers: int, start: float) -> Program:
    """Processes that take turns: serial work that looks parallel by CPU seconds."""
    rounds = 4
    phases = [Phase((workers * start / 2,))]
    for number in range(rounds * workers):
        first = start / 2 if number < workers else 0.0
        phases.append(Phase((1 / (rounds * workers),), (1 + number % workers,), first=first))
    return Program("takes turns", tuple(phases), tuple(range(workers + 1)), _NOISE)


def slower_pool(workers: int, start: float) -> Program:
    """Rows that travel: the parent pickles, the workers unpickle, and all of it takes longer than the work."""
    return _pool("pool slower than serial", workers, start, _shared(_FILES, 1.6), 0.4, 0.1)


def program(name: str, machine: Machine, alone: float = 0.5) -> Program:
    """A program by its name, for that machine; `alone` is what the parent of a partly parallel one does by itself."""
    k, start = machine.workers, machine.start_share
    if name == "half parallel" or name.startswith("gain "):
        return partly(k, start, alone, name)
    made = {
        "reference": reference(machine),
        "serial": serial(),
        "Pool(1)": pool_of_one(start),
        "GIL-bound threads": gil_threads(k),
        "cached answers": cached(),
        "sleeper": sleeper(k, start),
        "takes turns": turns(k, start),
        "pool slower than serial": slower_pool(k, start),
        "8 workers": reference(machine, 8),
    }
    return made[name]


def gain_of(name: str) -> float:
    """The share of the reachable gain that a partly parallel program has: "gain 0.4"; "half parallel" has a third."""
    return 1 / 3 if name == "half parallel" else float(name.removeprefix("gain "))
