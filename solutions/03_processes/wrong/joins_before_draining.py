# check: answer
# verdict: not yet
# cause: timed out
"""The workers send all bookings back, and the parent joins them before it takes anything out of the queue."""

import json
from multiprocessing import Process, Queue

from course.cases import branches


def read(paths, results):
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found += [(branches.branch_of(path), json.loads(line)) for line in file]
    results.put(found)


def total_branches(folder, workers):
    paths = branches.files(folder)
    results = Queue()
    processes = [Process(target=read, args=(paths[i::workers], results)) for i in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    totals = {}
    for _ in processes:
        for branch, booking in results.get():
            if branches.is_account(booking["account"]):
                totals[branch] = totals.get(branch, 0) + booking["cents"]
    return {"totals": totals, "failures": []}
