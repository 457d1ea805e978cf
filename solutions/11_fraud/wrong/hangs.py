# check: answer
# verdict: not yet
# cause: timed out
"""The parent waits for as many tables as there are files, but a worker sends one for all of its files."""

from multiprocessing import Process, Queue

from course.cases import fraud


def work(paths, results):
    results.put(fraud.in_order([fraud.find_alerts(fraud.read(path)) for path in paths]))


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"))
    results = Queue()
    for i in range(workers):
        Process(target=work, args=(paths[i::workers], results)).start()
    return fraud.in_order([results.get() for _ in paths])
