# check: bounded
# verdict: not yet
# cause: wrong answer
"""Right, but the pool's workers don't wait for whoever takes the results: imap has no bound on these."""

from itertools import islice
from multiprocessing import Pool

from course.cases import invoices

BATCH = 25


def check_invoices(folder, workers):
    book = invoices.Book(folder)
    with Pool(workers) as pool:
        for batch in pool.imap_unordered(check_batch, batches(folder)):
            for position, checked, cause in batch:
                if cause:
                    book.reject(position, cause)
                else:
                    book.enter(position, checked)
    return book.report()


def batches(folder):
    records = invoices.read(folder)
    while batch := list(islice(records, BATCH)):
        yield batch


def check_batch(batch):
    return [check_one(position, record) for position, record in batch]


def check_one(position, record):
    try:
        return position, invoices.check(record), ""
    except Exception as error:
        return position, None, f"{type(error).__name__}: {error}"
