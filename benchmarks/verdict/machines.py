"""Simulated machines: what they have, and who else uses them. Their scheduler is `scheduler`.

What is modelled, and where the figures come from:

- cores of different speeds (P and E cores); two hardware threads on one core (each runs at 0.62 of it when both are
  busy: a pair gives about 1.24); two virtual CPUs that share some of it (0.83 each: on one such machine perfectly
  parallel work needed 1.2 times its CPU seconds); turbo (the fewer cores are busy, the faster each is);
- a control group's quota: `quota` x 100 ms of CPU in each period of 100 ms, at full speed, then nothing until the
  period ends (CFS bandwidth control, kernel documentation, sched-bwc);
- neighbours that always want a core or come in bursts, with exponential times on and off. They weigh 1.2 beside our
  1, because real ones leave less than a fair share to processes that have just started; and each of them that is on
  slows our memory down a little;
- starting a worker costs CPU, half of it in the parent: 7 ms for one that is forked from a parent that has imported
  pandas, 0.1 s for one that is spawned, 0.3 s where it imports pandas itself; slow starts (an anti-virus that looks at
  each new process) also wait, with a heavy tail;
- drift (a machine that gets hot), trials that stall (nobody's account shows why), noise from trial to trial.

Not modelled: I/O, memory that is full, a hypervisor that lends the cores to others unseen, priorities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from grader.measure.blocks import serial_seconds


@dataclass(frozen=True)
class Machine:
    """One machine with its neighbours. `speeds` has a number for each CPU; CPUs 2i and 2i+1 share a core if `paired`,
    and then each runs at `smt` of its speed while both are busy.

    `turbo`: how much faster one busy CPU runs than all of them (0.25: a quarter). `quota` in CPUs. `busy` neighbours
    are on for `on` seconds and off for `off` on average. `start`: CPU seconds to start one worker. `slow_starts`: the
    part of workers' starts (0 to 1) that wait for a lognormal time of median 0.1 s. `drift`: the speed that is lost,
    or won, in a minute (0.3: 30 %). `stalls`: the part of trials that stall for 0.1 s on average. `noise`: the spread
    of all work from trial to trial (of its logarithm).
    """

    name: str
    speeds: tuple[float, ...] = (1.0, 1.0)
    paired: bool = False
    smt: float = 0.62
    turbo: float = 0.0
    quota: float | None = None
    busy: int = 0
    on: float = math.inf
    off: float = 0.0
    start: float = 0.007
    slow_starts: float = 0.0
    drift: float = 0.0
    stalls: float = 0.01
    noise: float = 0.03

    @property
    def cpus(self) -> int:
        return len(self.speeds)

    @property
    def usable(self) -> float:
        return float(self.cpus) if self.quota is None else min(float(self.cpus), self.quota)

    @property
    def workers(self) -> int:
        """As many as the product asks for: one for each usable core or part of one, two to four."""
        return max(2, min(4, math.ceil(self.usable)))

    @property
    def t_serial(self) -> float:
        """Seconds of a serial trial, as the product chooses them."""
        return serial_seconds(self.start * (self.workers + 1) / 2)

    @property
    def start_share(self) -> float:
        """What starting one worker costs, in shares of the baseline's work."""
        return self.start / self.t_serial


TWO = Machine("2 cores")
FOUR = Machine("4 cores", speeds=(1.0,) * 4)
TURBO = Machine("4 cores, turbo", speeds=(1.0,) * 4, turbo=0.25)
SMT = Machine("2 cores of 2 threads", speeds=(1.0,) * 4, paired=True)
SHARED = Machine("2 vCPUs that share", paired=True, smt=0.83)
HYBRID = Machine("2 P + 2 E cores", speeds=(1.0, 1.0, 0.55, 0.55))
QUOTA = Machine("quota 1.5 on 2 cores", quota=1.5)
QUOTA_4 = Machine("quota 2.5 on 4 cores", speeds=(1.0,) * 4, quota=2.5)
DRIFT = Machine("2 cores, 30 % drift", drift=0.3)
STALLS = Machine("2 cores, stalls", stalls=0.15, noise=0.06)
SPAWN = Machine("2 cores, spawn", start=0.1)
IMPORTS = Machine("2 cores, spawn and pandas", start=0.3)
VIRUS = Machine("2 cores, slow spawns", start=0.1, slow_starts=0.1)
ONE_CORE = Machine("1 core of 2 threads", paired=True)

#: Who else is there: the name, how many, seconds on and off on average.
QUIET = ("quiet", 0, math.inf, 0.0)
ONE_BURSTING = ("one bursting", 1, 0.3, 0.3)
ONE_BUSY = ("one busy", 1, math.inf, 0.0)
TWO_BUSY = ("two busy", 2, math.inf, 0.0)
TWO_BURSTING = ("two bursting", 2, 0.3, 0.3)
SLOW_BURSTS = ("one in long bursts", 1, 3.0, 3.0)

NEIGHBOURS = (QUIET, ONE_BURSTING, SLOW_BURSTS, ONE_BUSY, TWO_BURSTING, TWO_BUSY)


def beside(machine: Machine, neighbours: tuple[str, int, float, float]) -> Machine:
    """The machine with these neighbours."""
    _, busy, on, off = neighbours
    return replace(machine, busy=busy, on=on, off=off)
