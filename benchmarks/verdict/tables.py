"""Demand graphs as arrays, so that many simulated runs can look up theirs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.verdict.demand import Program

Numbers = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Tables:
    """The first axis is the program, the second the phase. Work in CPU seconds at speed 1, sleep in seconds."""

    def __init__(self, programs: Sequence[Program], t_serial: float) -> None:
        shape = len(programs), max(len(program.phases) for program in programs)
        longest = max(1, *(len(phase.tasks) for program in programs for phase in program.phases))
        self.threads = max(len(program.processes) for program in programs)
        self.noise: Numbers = np.array([program.noise for program in programs])
        self.phases = np.array([len(program.phases) for program in programs])
        self.work: Numbers = np.zeros((*shape, longest))
        self.count: Counts = np.zeros(shape, dtype=np.int64)
        self.first: Numbers = np.zeros(shape)
        self.sleep: Numbers = np.zeros(shape)
        self.lock: Flags = np.zeros(shape, dtype=bool)
        self.member: Flags = np.zeros((*shape, self.threads), dtype=bool)
        self.process: Counts = np.zeros((len(programs), self.threads), dtype=np.int64)
        for number, program in enumerate(programs):
            unused = range(len(program.processes), self.threads)
            self.process[number] = [*program.processes, *unused]
            for place, phase in enumerate(program.phases):
                at = number, place
                self.work[at][: len(phase.tasks)] = np.array(phase.tasks) * t_serial
                self.count[at] = len(phase.tasks)
                self.first[at], self.sleep[at] = phase.first * t_serial, phase.sleep * t_serial
                self.lock[at] = phase.lock
                self.member[at][list(phase.threads)] = True
        #: The different ways to map threads to processes, and which of them each program has.
        self.maps, way = np.unique(self.process, axis=0, return_inverse=True)
        self.way: Counts = way.reshape(-1)
