# check: schedules
# verdict: not yet
# cause: wrong answer
"""A lock of threading: each process has one of its own, and none of them keeps another process out."""

import threading
from multiprocessing import Process, Value

from course.cases import ledger

LOCK = threading.Lock()


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
    mine = 0
    for path in files:
        for line in ledger.read(path):
            transfer = ledger.validate(line, len(book.locks))
            if transfer is None:
                mine += 1
            elif transfer.source != transfer.target:
                move(book, *transfer)
    with refused.get_lock():
        refused.value += mine


def move(book, source, target, cents):
    with LOCK:
        book.write(source, book.read(source) - cents)
        book.write(target, book.read(target) + cents)
