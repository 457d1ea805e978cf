# check: schedules
# verdict: not yet
# cause: wrong answer
"""The balances are safe; but `+=` on a shared Value reads, adds and writes, and its lock is free in between."""

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
    for path in files:
        for line in ledger.read(path):
            transfer = ledger.validate(line, len(book.locks))
            if transfer is None:
                refused.value += 1
            elif transfer.source != transfer.target:
                move(book, *transfer)


def move(book, source, target, cents):
    first, second = sorted((source, target))
    with book.locks[first], book.locks[second]:
        book.write(source, book.read(source) - cents)
        book.write(target, book.read(target) + cents)
