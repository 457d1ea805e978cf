# check: answer
# verdict: not yet
# cause: wrong answer
"""Sorted by the time that includes everything a function calls: main leads, whatever is slow."""

import cProfile
import pstats

from course import slow_program


def investigate(program, cores):
    profile = cProfile.Profile()
    profile.runcall(slow_program.load(program).main)
    stats = pstats.Stats(profile).stats
    hot = max(stats, key=lambda where: stats[where][3])
    share = stats[hot][3] / pstats.Stats(profile).total_tt
    ceiling = 1 / ((1 - share) + share / cores)
    return {"function": hot[2], "line": hot[1], "share": share, "cores": cores, "ceiling": ceiling}
