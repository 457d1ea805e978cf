# check: answer
# verdict: not yet
# cause: wrong answer
"""The own time is divided by the sum of the times with callees, in which every second is counted several times."""

import cProfile
import pstats

from course import slow_program


def investigate(program, cores):
    profile = cProfile.Profile()
    profile.runcall(slow_program.load(program).main)
    stats = pstats.Stats(profile).stats
    hot = max(stats, key=lambda where: stats[where][2])
    share = stats[hot][2] / sum(times[3] for times in stats.values())
    ceiling = 1 / ((1 - share) + share / cores)
    return {"function": hot[2], "line": hot[1], "share": share, "cores": cores, "ceiling": ceiling}
