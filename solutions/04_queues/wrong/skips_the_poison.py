# check: poison
# verdict: not yet
# cause: wrong answer
"""What can't be checked is left out without a word: nobody learns that a supplier isn't paid."""

from itertools import islice
from multiprocessing import Process, Queue

from course.cases import invoices

BATCH = 25


def check_invoices(folder, workers):
    tasks, results = Queue(maxsize=workers), Queue(maxsize=workers)
    reader = Process(target=read_batches, args=(folder, tasks, workers))
    checkers = [Process(target=check_batches, args=(tasks, results)) for _ in range(workers)]
    for process in (reader, *checkers):
        process.start()
    book = invoices.Book(folder)
    running = workers
    while running:
        batch = results.get()
        if batch is None:
            running -= 1
            continue
        for position, checked, cause in batch:
            if cause:
                book.reject(position, cause)
            else:
                book.enter(position, checked)
    for process in (reader, *checkers):
        process.join()
    return book.report()


def read_batches(folder, tasks, workers):
    records = invoices.read(folder)
    while batch := list(islice(records, BATCH)):
        tasks.put(batch)
    for _ in range(workers):
        tasks.put(None)


def check_batches(tasks, results):
    while (batch := tasks.get()) is not None:
        results.put([one for one in (check_one(*task) for task in batch) if not one[2]])
    results.put(None)


def check_one(position, record):
    try:
        return position, invoices.check(record), ""
    except Exception as error:
        return position, None, f"{type(error).__name__}: {error}"
