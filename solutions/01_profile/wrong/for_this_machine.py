# check: answer
# verdict: not yet
# cause: wrong answer
"""The ceiling is for the cores of this machine, not for those of the question."""

import cProfile
import pstats

import joblib

from course import slow_program


def investigate(program, cores):
    profile = cProfile.Profile()
    profile.runcall(slow_program.load(program).main)
    stats = pstats.Stats(profile).stats
    hot = max(stats, key=lambda where: stats[where][2])
    share = stats[hot][2] / sum(times[2] for times in stats.values())
    here = joblib.cpu_count()
    ceiling = 1 / ((1 - share) + share / here)
    return {"function": hot[2], "line": hot[1], "share": share, "cores": cores, "ceiling": ceiling}
