# check: answer
# verdict: not yet
# cause: wrong answer
"""The hot spot is right, but the ceiling is the number of cores: as if nothing stayed serial."""

import cProfile
import pstats

from course import slow_program


def investigate(program, cores):
    profile = cProfile.Profile()
    profile.runcall(slow_program.load(program).main)
    stats = pstats.Stats(profile).stats
    hot = max(stats, key=lambda where: stats[where][2])
    share = stats[hot][2] / sum(times[2] for times in stats.values())
    return {"function": hot[2], "line": hot[1], "share": share, "cores": cores, "ceiling": cores}
