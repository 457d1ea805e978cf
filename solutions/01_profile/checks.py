"""The judge of the profile lab: programs with a hidden hot spot, and what this machine itself measures of them.

Nothing here is secret: which function of a program is hot comes from a seed of its own.
"""

from __future__ import annotations

import cProfile
import math
import numbers
import pstats
import random
from pathlib import Path

import numpy as np

from course import slow_program

#: Claims that the programs work through; each program hides its hot spot elsewhere. Half a second of work, so that a
#: core that is taken away now and then is missed by every function alike.
SIZES = (5_000, 7_000, 9_000)
#: No speed is asked for here.
SPEED_SIZE = 9_000
#: Numbers of cores that a question may ask for: rarely those of the machine at hand.
CORES = (6, 12, 24, 48)

#: Measured so many times; the fastest run counts, which was disturbed least.
REPEATS = 3
#: How far a share may lie from ours. Honest single runs lay within 0.14 of it (root mean square 0.05) while
#: four programs wanted each core. Wrong ones lie further away: the second hottest function by 0.3 and more.
TOLERANCE = 0.2
#: How far a ceiling may lie from that of the answer's own share, in parts of it: for rounding.
ROUNDING = 0.02

FIELDS = ("function", "line", "share", "cores", "ceiling")


def make_input(folder: Path, size: int, seed: int) -> None:
    """Write `program.py`, and the number of cores that the question is for."""
    slow_program.write(folder / "program.py", claims=size, seed=seed)
    (folder / "cores.txt").write_text(str(random.Random(seed).choice(CORES)), encoding="utf-8")


def arguments(folder: Path) -> tuple[Path, int]:
    """What `investigate` gets: the program, and for how many cores."""
    return folder / "program.py", int((folder / "cores.txt").read_text(encoding="utf-8"))


def serial(program: Path, cores: int) -> dict[str, str | int | float]:
    """What this machine measures of the program, now."""
    _, function, line, share = min(hot_spot(program) for _ in range(REPEATS))
    return dict(zip(FIELDS, (function, line, share, cores, amdahl(share, cores)), strict=True))


def hot_spot(program: Path) -> tuple[float, str, int, float]:
    """The seconds of one run, the function with the most of its own, its first line, its share of them (0 to 1)."""
    profile = cProfile.Profile()
    profile.runcall(slow_program.load(program).main)
    own = {where: times[2] for where, times in pstats.Stats(profile).stats.items()}
    hot = max(own, key=lambda where: own[where])
    seconds = sum(own.values())
    return seconds, hot[2], hot[1], own[hot] / seconds


def amdahl(share: float, cores: float) -> float:
    """The speedup when `share` of the time is spread over `cores` cores and the rest is not (Amdahl 1967)."""
    return 1 / ((1 - share) + share / cores)


def encode(answer: object) -> dict[str, np.ndarray]:
    """The answer as plain arrays of one value each.

    Raises:
        TypeError: it isn't a dict with these fields.
    """
    if not isinstance(answer, dict):
        raise TypeError(
            f"investigate must return a dict with {', '.join(FIELDS)}; it returned {type(answer).__name__}."
        )
    if missing := [name for name in FIELDS if name not in answer]:
        raise TypeError(f"The answer lacks {', '.join(missing)}; it has {', '.join(map(str, answer))}.")
    if not isinstance(answer["function"], str):
        raise TypeError(
            f"function must be the function's name, a str, not {type(answer['function']).__name__}."
        )
    for name in FIELDS[1:]:
        if not isinstance(answer[name], numbers.Real) or isinstance(answer[name], bool):
            raise TypeError(f"{name} must be a number, not {type(answer[name]).__name__}.")
    values = {name: np.array([float(answer[name])]) for name in FIELDS[1:]}
    return {"function": np.array([answer["function"]], dtype=np.str_), **values}


def compare(expected: dict[str, np.ndarray], got: dict[str, np.ndarray]) -> str:
    """Nothing when the answer is right, else what is not, with what was measured here."""
    function, (line, share, cores, _) = str(expected["function"][0]), _numbers(expected)
    mine, (my_line, my_share, my_cores, my_ceiling) = str(got["function"][0]), _numbers(got)
    if mine != function:
        return (
            f"{mine} is not the hottest function. Of its own, {function} (line {line:.0f}) takes the most time: "
            f"{share:.2f} of all, measured here."
        )
    if my_line != line:
        return f"{function} begins at line {line:.0f}; you say {my_line:.0f}."
    if my_share > 1:
        return (
            f"A share lies between 0 and 1; you say {my_share:.2f}. Is it in per cent, or not divided by all?"
        )
    if not abs(my_share - share) <= TOLERANCE:
        return (
            f"{function} takes {share:.2f} of the time, measured here; you say {my_share:.2f}. "
            f"A difference of {TOLERANCE:.1f} would still pass for noise."
        )
    if my_cores != cores:
        return f"The question is for {cores:.0f} cores; your answer is for {my_cores:.0f}."
    law = amdahl(my_share, cores)
    if not abs(my_ceiling - law) <= ROUNDING * law:
        return (
            f"With a share of {my_share:.2f} on {cores:.0f} cores, Amdahl's law gives {law:.2f}; "
            f"you say {my_ceiling:.2f}.{_how_so(my_ceiling, my_share, cores)}"
        )
    return ""


def _numbers(answer: dict[str, np.ndarray]) -> tuple[float, ...]:
    return tuple(float(answer[name][0]) for name in FIELDS[1:])


def _how_so(ceiling: float, share: float, cores: float) -> str:
    """The mistake that leads to this ceiling, where it is a known one."""
    known = {
        " That is the gain if all of the program were split.": cores,
        " That is the ceiling for endlessly many cores.": 1 / (1 - share) if share < 1 else math.inf,
        " The serial and the split part are the wrong way round.": amdahl(1 - share, cores),
        " The serial part is missing: it still takes its time.": cores * share,
        " That is the time that is left, not how many times faster.": 1 / amdahl(share, cores),
    }
    return next((why for why, value in known.items() if math.isclose(ceiling, value, rel_tol=ROUNDING)), "")
