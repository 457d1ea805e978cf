# check: answer
# verdict: not yet
# cause: wrong answer
"""The workers share the number of the next file without a lock: two take the same one."""

from multiprocessing import Process, Queue, Value

from course.cases import fraud


def work(paths, next_file, results):
    while next_file.value < len(paths):
        mine = next_file.value
        alerts = fraud.find_alerts(fraud.read(paths[mine]))
        next_file.value = mine + 1
        results.put(alerts)
    results.put(None)


def find_alerts(folder, workers):
    paths = sorted(folder.glob("part-*"))
    next_file, results = Value("i", 0, lock=False), Queue()
    processes = [Process(target=work, args=(paths, next_file, results)) for _ in range(workers)]
    for process in processes:
        process.start()
    tables, running = [], workers
    while running:
        table = results.get()
        if table is None:
            running -= 1
        else:
            tables.append(table)
    for process in processes:
        process.join()
    return fraud.in_order(tables)
