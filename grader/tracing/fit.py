"""A straight-line model of measured times, with exact intervals for what it says elsewhere. Pure.

    T(p) = serial + parallel / c + overhead (p - 1)

with c the cores that p workers get (p, or the reach where that was measured). The first two terms are Amdahl's law.
The model is linear in its constants, so with noise of the same relative size everywhere the interval of T at any p is
Student's, and that of the speedup, a quotient of two such, is Fieller's ("Some problems in interval estimation",
J. R. Statist. Soc. B 16(2), 1954). A bootstrap over the repeats would have to guess the spread from three to ten
runs at each p, and is too narrow with so few; it would bring chance into a number that needs none, too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: The level of all intervals: 99 %, since noise on a machine has more outliers than the theory's, and so that an
#: interval that should hold in 95 of 100 cases does.
LEVEL = 0.99

#: How many times the spread of repeats the model's distance from the means may have, before it counts as its error.
_LACK = 4.0


class Range(NamedTuple):
    """An estimate and its interval."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Fit:
    """The constants (serial, parallel, and where it was fitted overhead; seconds), their covariance, and the
    degrees of freedom that the spread was told from.
    """

    constants: Numbers
    covariance: Numbers
    freedom: int

    @property
    def serial(self) -> Range:
        return self._range(self._unit(0))

    @property
    def parallel(self) -> Range:
        return self._range(self._unit(1))

    @property
    def overhead(self) -> Range:
        """Zero where it was not fitted."""
        return self._range(self._unit(2)) if len(self.constants) > 2 else Range(0.0, 0.0, 0.0)

    def error(self, place: int) -> float:
        """The standard error of a constant."""
        return math.sqrt(max(0.0, float(self.covariance[place, place])))

    def seconds(self, workers: float, cores: float) -> Range:
        """T with so many workers on so many cores, and its interval (which may go below 0)."""
        return self._range(self._terms(workers, cores))

    def speedup(self, workers: float, cores: float) -> Range:
        """T(1) / T(p); an interval that has no upper end goes to infinity, and none at all from 0 to there."""
        one, many = self._terms(1.0, 1.0), self._terms(workers, cores)
        times = student(self.freedom) ** 2
        above, below = float(one @ self.constants), float(many @ self.constants)
        v11, v1p, vpp = (float(a @ self.covariance @ b) for a, b in ((one, one), (one, many), (many, many)))
        square, linear, rest = (
            below**2 - times * vpp,
            -2 * (above * below - times * v1p),
            above**2 - times * v11,
        )
        middle = above / below if below > 0 else math.inf
        # The quotients q for which above - q below is no further from 0 than its margin:
        # square q^2 + linear q + rest <= 0.
        if rest <= 0:
            return Range(middle, 0.0, math.inf)
        root = math.sqrt(max(0.0, linear**2 - 4 * square * rest))
        low = 2 * rest / (root - linear) if root > linear else 0.0
        high = (root - linear) / (2 * square) if square > 0 and linear < 0 else math.inf
        return Range(middle, low, high)

    def _terms(self, workers: float, cores: float) -> Numbers:
        one: Numbers = terms([workers], [cores], len(self.constants))[0]
        return one

    def _unit(self, place: int) -> Numbers:
        one: Numbers = np.eye(len(self.constants))[place]
        return one

    def _range(self, which: Numbers) -> Range:
        middle = float(which @ self.constants)
        margin = student(self.freedom) * math.sqrt(max(0.0, float(which @ self.covariance @ which)))
        return Range(middle, middle - margin, middle + margin)


def terms(workers: Sequence[float], cores: Sequence[float], count: int) -> Numbers:
    """What the constants are multiplied with at each p: an array of len(workers) x count."""
    p, c = np.asarray(workers, dtype=float), np.asarray(cores, dtype=float)
    return np.stack([np.ones_like(p), 1 / c, p - 1], axis=1)[:, :count]


def fit(workers: Sequence[float], cores: Sequence[float], seconds: Sequence[float], count: int) -> Fit | None:
    """The model with the first `count` of its terms through one run per entry, by weighted least squares.

    The weight of a run is 1 / the mean time at its p. Where the model stays further from the means than the repeats
    account for, that distance counts as the spread. None where the runs don't determine the constants, or leave
    fewer than two degrees of freedom.
    """
    p, times = np.asarray(workers, dtype=float), np.asarray(seconds, dtype=float)
    numbers, which = np.unique(p, return_inverse=True)
    repeats = np.bincount(which)
    means = np.bincount(which, times) / repeats
    columns = terms(workers, cores, count) / means[which][:, None]
    freedom = len(times) - count
    if freedom < 2 or np.linalg.matrix_rank(columns) < count:
        return None
    aim = times / means[which]
    constants: Numbers = np.linalg.lstsq(columns, aim)[0].astype(np.float64)
    off = aim - columns @ constants
    variance = float(off @ off) / freedom
    lack = np.bincount(which, off) ** 2 / repeats  # of the means from the model
    within = float(off @ off - lack.sum())
    if len(numbers) > count and len(times) > len(numbers):
        distance = float(lack.sum()) / (len(numbers) - count)
        if distance > _LACK * within / (len(times) - len(numbers)):
            variance = max(variance, distance)
    covariance: Numbers = (variance * np.linalg.inv(columns.T @ columns)).astype(np.float64)
    return Fit(constants, covariance, freedom)


def student(freedom: int, level: float = LEVEL) -> float:
    """Student's t that holds with `level` on both sides: exact for one and two, else by Cornish and Fisher's
    expansion, 3 % too small for three and less from there on.

    Raises:
        ValueError: freedom < 1.
    """
    upper = (1 + level) / 2
    if freedom < 1:
        raise ValueError(f"a spread has one degree of freedom or more, not {freedom}")
    if freedom == 1:
        return math.tan(math.pi * (upper - 0.5))
    if freedom == 2:
        return (2 * upper - 1) * math.sqrt(2 / (4 * upper * (1 - upper)))
    z = NormalDist().inv_cdf(upper)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
