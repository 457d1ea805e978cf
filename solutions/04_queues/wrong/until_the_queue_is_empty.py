# check: answer
# verdict: not yet
# cause: wrong answer
"""An empty queue is taken for the end: it may be empty because nothing has come yet."""

from itertools import islice
from multiprocessing import Process, Queue

from course.cases import invoices

BATCH = 25


def check_invoices(folder, workers):
    tasks, results = Queue(maxsize=workers), Queue(maxsize=workers)
    checkers = [Process(target=check_batches, args=(tasks, results)) for _ in range(workers)]
    for process in checkers:
        process.start()
    book = invoices.Book(folder)
    records = invoices.read(folder)
    while batch := list(islice(records, BATCH)):
        tasks.put(batch)
        take(results, book)
    take(results, book)
    for process in checkers:
        process.terminate()
        process.join()
    return book.report()


def take(results, book):
    while not results.empty():
        for position, checked, cause in results.get():
            if cause:
                book.reject(position, cause)
            else:
                book.enter(position, checked)


def check_batches(tasks, results):
    while True:
        results.put([check_one(position, record) for position, record in tasks.get()])


def check_one(position, record):
    try:
        return position, invoices.check(record), ""
    except Exception as error:
        return position, None, f"{type(error).__name__}: {error}"
