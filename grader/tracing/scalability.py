"""The universal scalability law, which has a cost for each pair of workers beside Amdahl's serial share. Pure.

Source: Gunther, "Guerrilla Capacity Planning", 2007.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.tracing.laws import check

#: Numbers of workers that a fit needs: the law has two constants, told apart by how the curve bends.
LEAST = 6


@dataclass(frozen=True)
class Scalability:
    """The universal scalability law S = p / (1 + contention (p - 1) + coherency p (p - 1)), fitted.

    `contention` is Amdahl's serial share, `coherency` what each pair of workers costs. `miss` is the largest
    relative distance of a measured speedup from the curve. All three are None where the fit was `refused`, which
    says why. `workers` are the numbers of workers that were measured.
    """

    workers: tuple[int, ...]
    contention: float | None = None
    coherency: float | None = None
    miss: float | None = None
    refused: str = ""

    def speedup(self, workers: float) -> float:
        """S at p, 1 included.

        Raises:
            ValueError: the fit was refused; p < 1.
        """
        if self.contention is None or self.coherency is None:
            raise ValueError(self.refused)
        check(workers, least=1)
        return workers / (1 + self.contention * (workers - 1) + self.coherency * workers * (workers - 1))

    @property
    def best(self) -> float:
        """sqrt((1 - contention) / coherency), the p after which S falls; infinite where it never does.

        Raises:
            ValueError: the fit was refused.
        """
        if self.contention is None or self.coherency is None:
            raise ValueError(self.refused)
        if self.coherency <= 0:
            return math.inf
        return max(1.0, math.sqrt(max(0.0, 1 - self.contention) / self.coherency))


def scalability(speedups: Mapping[int, float]) -> Scalability:
    """The universal scalability law through measured speedups by number of workers (1 may be among them).

    p / S - 1 is linear in both constants; least squares of its relative error, neither constant below 0.

    Raises:
        ValueError: a p < 1 or an S <= 0.
    """
    numbers = tuple(sorted(speedups))
    for number in numbers:
        check(number, speedups[number], least=1)
    if len(numbers) < LEAST:
        refused = (
            f"The universal scalability law is fitted to {LEAST} numbers of workers or more; "
            f"{len(numbers)} {'was' if len(numbers) == 1 else 'were'} measured."
        )
        return Scalability(numbers, refused=refused)
    p = np.array(numbers, dtype=float)
    ratio = p / np.array([speedups[number] for number in numbers])
    columns = np.stack([p - 1, p * (p - 1)], axis=1) / ratio[:, None]
    aim = (ratio - 1) / ratio
    tries = [np.linalg.lstsq(columns, aim)[0]]
    for place in (0, 1):
        alone = np.zeros(2)
        alone[place] = max(0.0, float(columns[:, place] @ aim / (columns[:, place] @ columns[:, place])))
        tries.append(alone)
    within = [one for one in tries if min(one) >= 0]
    both = min(within, key=lambda one: float(np.sum((columns @ one - aim) ** 2)))
    fitted = Scalability(numbers, float(both[0]), float(both[1]))
    miss = max(abs(fitted.speedup(number) / speedups[number] - 1) for number in numbers)
    return Scalability(numbers, fitted.contention, fitted.coherency, miss)
