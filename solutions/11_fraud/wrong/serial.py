# check: speedup
# verdict: not yet
# cause: one busy process
"""Right, but one process does all the work: `workers` is never used."""

from course.cases import fraud


def find_alerts(folder, workers):
    return fraud.in_order([fraud.find_alerts(fraud.read(path)) for path in sorted(folder.glob("part-*"))])
