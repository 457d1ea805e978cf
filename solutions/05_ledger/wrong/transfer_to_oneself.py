# check: answer
# verdict: not yet
# cause: timed out
"""In order, but a transfer whose two accounts are the same takes the same lock twice, and waits for itself."""

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
    mine = 0
    for path in files:
        for line in ledger.read(path):
            transfer = ledger.validate(line, len(book.locks))
            if transfer is None:
                mine += 1
            else:
                move(book, *transfer)
    with refused.get_lock():
        refused.value += mine


def move(book, source, target, cents):
    first, second = sorted((source, target))
    with book.locks[first], book.locks[second]:
        book.write(source, book.read(source) - cents)
        book.write(target, book.read(target) + cents)
