"""The stages that a check passes through, one frozen dataclass each.

    Lab, WorkerModule, MachineFacts            what is asked, what was handed in, where it runs
      -> Order -> Trial                        one run of one arm, its clock held by the parent
      -> Block                                 a serial and a parallel trial, bracketed by calibration
      -> Estimate                              the speedup with its interval, reach and gain
      -> Verdict (with its Findings)           met | not yet | cannot tell, points, reason

A stage never changes one that came before. Words are those of the design's glossary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Literal, Protocol

from grader.tracing.diagnosis import Diagnosis
from grader.weights import Curve, Footprint, Left, MemoryBars

Outcome = Literal["met", "not yet", "cannot tell"]
Clock = Literal["free", "wall", "cpu"]
Arm = Literal["serial", "parallel", "reach", "idle"]
Ending = Literal["done", "stub", "raised", "wrong type", "died", "timed out", "import failed"]


@dataclass(frozen=True)
class Bars:
    """Where the bars of a speedup check stand; the defaults are those of the method.

    `f_pass`, `f_fail` and `f_half` are shares of the reachable gain (0 to 1): surely above the first is `met`, surely
    below the second is `not yet`, surely above the third earns half of the points all the same (None: no half).
    `floor` is the least speedup that can ever earn points; a block whose reach is below `r_min` is void; `budget` is
    in seconds; where starting workers is dear, up to two and a half times as many.
    """

    f_pass: float = 0.6
    f_fail: float = 0.4
    f_half: float | None = 0.25
    floor: float = 1.15
    r_min: float = 1.35
    alpha: float = 1e-3
    alpha_fail: float = 1e-4
    budget: float = 60.0
    min_blocks: int = 8


@dataclass(frozen=True)
class CostModel:
    """What the lab's parallel work costs, so that the calibration costs the same.

    `split`: tasks handed out one at a time or cut into one piece a worker. `pool`: workers are started inside the
    timed region or before it. `bound`: by what the cores compute, or by the memory they share. `beside`: processes
    that an honest program starts besides its workers, such as a pipeline's reader; a cold pool has as many.
    """

    split: Literal["dynamic", "static"] = "dynamic"
    pool: Literal["cold", "warm"] = "cold"
    bound: Literal["compute", "memory"] = "compute"
    beside: int = 0


@dataclass(frozen=True)
class Check:
    """One marked check of a lab: its name (`answer`, `speedup`, `memory`, `clean_up`), its points, what it asks."""

    name: str
    points: float
    asks: str


@dataclass(frozen=True)
class Hint:
    """Three steps of help for one check, from a nudge to nearly the solution."""

    check: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Lab:
    """One lab, read from its `lab.toml` and `checks.py`.

    `module` is the name of the worker module, `function` the function in it that is called as
    `function(*arguments, workers)`, or as `function(*arguments)` where `takes_workers` is False: a lab that starts no
    processes. `imports` are the modules that an honest worker imports: calibration workers import them too, so that
    both pay the same start. `judge` is the loaded `checks.py` (see `grader.lab.JUDGE_NEEDS`).
    """

    id: str
    title: str
    minutes: int
    folder: Path
    module: str
    function: str
    signature: str
    checks: Mapping[str, Check]
    hints: Mapping[str, Hint]
    bars: Bars
    max_workers: int
    imports: tuple[str, ...]
    judge: ModuleType = field(repr=False)
    cost: CostModel = field(default_factory=CostModel)
    memory: MemoryBars = field(default_factory=MemoryBars)
    takes_workers: bool = True
    scenario: str = (
        ""  # the check that `judge` was made for, where checks.py replaces some of its names there
    )

    @property
    def notebook(self) -> Path:
        return self.folder / f"{self.id}.ipynb"

    @property
    def max_points(self) -> float:
        return sum(check.points for check in self.checks.values())


@dataclass(frozen=True)
class WorkerModule:
    """The learner's worker modules as sources by name; `main` is the one that the lab calls.

    `origin` says where they came from, for messages. `cells` maps a module's name to the number of its cell
    (counted from 1 among the code cells); line n of the module is line n of that cell, because the module's
    first line replaces the `%%module` line. Empty where there is no notebook.
    """

    main: str
    sources: Mapping[str, str]
    origin: str
    cells: Mapping[str, int] = field(default_factory=dict)

    def where(self, module: str, line: int) -> str:
        """Line `line` of `module` in the words of the learner's own page."""
        if module in self.cells:
            return f"{module}.py, line {line} (code cell {self.cells[module]}, line {line})"
        return f"{module}.py, line {line}"


@dataclass(frozen=True)
class MachineFacts:
    """What this machine has, in CPUs; `quota` and `usable` may be fractions.

    `usable` = min(affinity, quota). `start_methods`: the default first. `load` is the 1-minute load
    average (None where the system has none), `on_battery` None where nobody can tell.
    """

    machine: int
    affinity: int
    quota: float | None
    physical: int | None
    usable: float
    start_methods: tuple[str, ...]
    load: float | None
    on_battery: bool | None
    system: str
    python: str


@dataclass(frozen=True)
class Strain:
    """What held this machine back while it was measured; None where the system doesn't tell.

    `pressure`: share of the last ten seconds in which something waited for a CPU (Linux PSI, 0 to 1). `stolen`: CPUs
    that the hypervisor gave to other machines, on average. `throttled`: seconds that a CPU quota stopped us.
    """

    pressure: float | None = None
    stolen: float | None = None
    throttled: float | None = None


@dataclass(frozen=True)
class Order:
    """What one trial has to run: one arm over one or more input folders, with so many workers.

    `timeout` is in seconds, for each folder. The reach arm has no folders: it runs `tasks` tasks of `amount`
    loops each, by itself when `workers` is 1, else in a pool as `cost` says. The idle arm has none either: its workers
    do nothing. `weigh` asks for the curve of memory, which costs time, instead of CPU seconds; `look` for what is left
    behind; `trace` names a folder for what each process does, which costs time, too.
    """

    arm: Arm
    workers: int
    timeout: float
    folders: tuple[Path, ...] = ()
    tasks: int = 0
    amount: int = 0
    cost: CostModel = field(default_factory=CostModel)
    weigh: bool = False
    look: bool = False
    trace: Path | None = None


@dataclass(frozen=True)
class FreeTime:
    """What one timed run would have taken with the cores to itself, in seconds; see grader.measure.free.

    `seen` is the share of its CPU seconds that sampling saw (0 to 1), `others` the CPUs that others kept busy
    meanwhile. Where `why_wall` says something, `seconds` is the wall clock after all.
    """

    seconds: float
    seen: float = 1.0
    others: float = 0.0
    why_wall: str = ""


@dataclass(frozen=True)
class Trial:
    """One timed run of one arm in a fresh process.

    `seconds` is the parent's wall clock for each folder, from "go" to "done"; `free` the same free of neighbours, on
    systems that tell (empty elsewhere). `cpu` holds the CPU seconds of each
    process of the tree, the trial's own process first. `answers` are files with plain arrays. When `ending` is not
    "done", `message` tells the learner why, `line` is the learner's own line (module, line number), and `limit`
    the seconds that each folder was given. `output` is what was printed, cut. `curve` is there when the order was to
    weigh, and `left` when it was to look.
    """

    arm: Arm
    ending: Ending
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]
    answers: tuple[Path, ...] = ()
    message: str = ""
    line: tuple[str, int] | None = None
    start_methods_used: tuple[str, ...] = ()
    output: str = ""
    limit: float = 0.0
    free: tuple[FreeTime, ...] = ()
    curve: Curve | None = None
    left: tuple[Left, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Seconds of a serial and of a parallel trial, and the reach measured before and after them, by one clock."""

    t_serial: float
    t_parallel: float
    reach_before: float
    reach_after: float

    @property
    def speedup(self) -> float:
        return self.t_serial / self.t_parallel

    @property
    def reach(self) -> float:
        return float((self.reach_before * self.reach_after) ** 0.5)


@dataclass(frozen=True)
class Block(Pair):
    """A serial and a parallel trial on the same secret input, bracketed by calibration, by the clock that decides.

    `clock` names it; where it isn't the wall clock, `wall` has what that showed, and where it might have been another
    but isn't, `why_wall` says why. `cpu_*` are CPU seconds per process (the trial's own process first). `seen`: the
    share of the parallel trial's CPU seconds that sampling saw; `others`: the CPUs that others kept busy meanwhile;
    `stretch`: CPU seconds that the calibration's work needed in parallel, for each second that it needs serially.
    """

    cpu_serial: tuple[float, ...] = ()
    cpu_parallel: tuple[float, ...] = ()
    serial_first: bool = True
    clock: Clock = "wall"
    wall: Pair | None = None
    why_wall: str = ""
    seen: float = 1.0
    others: float = 0.0
    stretch: float = 1.0

    def is_void(self, r_min: float) -> bool:
        """Decided by calibration alone, never by the learner's times."""
        return min(self.reach_before, self.reach_after) < r_min


@dataclass(frozen=True)
class Estimate:
    """The speedup: median with its anytime interval, the reach, the gain = (S-1)/(R-1), by which clock.

    `blocks` counts clean blocks, `void` the void ones; `seconds` is what the measurement took. `wall` is the median
    speedup by the wall clock, whichever clock decided.
    """

    speedup: float
    low: float
    high: float
    reach: float
    gain: float
    blocks: int
    void: int
    seconds: float
    clock: Clock
    wall: float = math.nan


@dataclass(frozen=True)
class Finding:
    """Something noticed, in words: its cause (a stable name), what it is, the evidence, the next thing to try."""

    cause: str
    what: str
    evidence: str
    try_next: str


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check. `reason` is one line; `for_marker` is not empty where a marker should look."""

    lab: str
    check: str
    asked: str
    outcome: Outcome
    provisional: bool
    points: float
    max_points: float
    reason: str
    findings: tuple[Finding, ...] = ()
    estimate: Estimate | None = None
    blocks: tuple[Block, ...] = ()
    bars: Bars | None = None
    facts: MachineFacts | None = None
    for_marker: str = ""
    log: Path | None = None
    preview: bool = False
    memory: Footprint | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class Slot:
    """The machine's cores, to measure on: the seconds waited for them, and whether others are kept away.

    Where they are not, `why` says what stood in the way.
    """

    waited: float
    alone: bool
    why: str = ""


class Session(Protocol):
    """Runs trials of one worker module under one start method, each in a fresh process."""

    def run(self, order: Order) -> Trial:
        """Run one trial; never raises for what the learner's code does."""
        ...


class Launcher(Protocol):
    """Where trials run: on this machine as it is, in a sandbox, or scripted for tests."""

    def session(
        self, lab: Lab, worker: WorkerModule | None, start_method: str
    ) -> AbstractContextManager[Session]:
        """Open a session; `worker` None means that only the instructor's arms will run."""
        ...

    def slot(self, progress: Progress, expect: float) -> AbstractContextManager[Slot]:
        """Wait for the cores and have them, for about `expect` seconds; `progress` is told of the wait."""
        ...


class Progress(Protocol):
    """Told one line at a time what is being done; the notebook and the terminal show it."""

    def __call__(self, line: str) -> None: ...
