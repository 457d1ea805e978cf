# check: clean_up
# verdict: not yet
# cause: process left
"""Right, and bounded by counting; but the workers get no end mark and still wait when the report is out."""

from itertools import islice
from multiprocessing import Process, Queue

from course.cases import invoices

BATCH = 25


def check_invoices(folder, workers):
    tasks, results = Queue(), Queue()
    checkers = [Process(target=check_batches, args=(tasks, results), daemon=True) for _ in range(workers)]
    for process in checkers:
        process.start()
    book = invoices.Book(folder)
    records = invoices.read(folder)
    sent = taken = 0
    while (batch := list(islice(records, BATCH))) or taken < sent:
        if batch:
            tasks.put(batch)
            sent += 1
        if sent - taken > 2 * workers or not batch:
            enter(results.get(), book)
            taken += 1
    return book.report()


def enter(batch, book):
    for position, checked, cause in batch:
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
