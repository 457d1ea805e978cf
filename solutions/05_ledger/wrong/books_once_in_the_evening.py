# check: schedules
# verdict: not yet
# cause: wrong answer
"""Each worker adds up for itself and books once, under all locks: no cent is lost, and nobody sees one all day."""

from contextlib import ExitStack
from multiprocessing import Process, Value

from course.cases import ledger


def post_transfers(folder, workers):
    book, refused = ledger.open_book(folder), Value("q", 0)
    files = ledger.files(folder)
    processes = [Process(target=post_files, args=(book, files[i::workers], refused)) for i in range(workers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return book, refused.value


def post_files(book, files, refused):
    mine, sums = 0, [0] * len(book.locks)
    for path in files:
        for line in ledger.read(path):
            transfer = ledger.validate(line, len(book.locks))
            if transfer is None:
                mine += 1
            else:
                sums[transfer.source] -= transfer.cents
                sums[transfer.target] += transfer.cents
    with ExitStack() as held:
        for lock in book.locks:
            held.enter_context(lock)
        for account, cents in enumerate(sums):
            book.write(account, book.read(account) + cents)
    with refused.get_lock():
        refused.value += mine
