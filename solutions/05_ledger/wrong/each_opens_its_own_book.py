# check: answer
# verdict: not yet
# cause: wrong answer
"""Each worker opens the book for itself: it books into a copy that nobody else ever sees."""

from multiprocessing import Process, Value

from course.cases import ledger


def post_transfers(folder, workers):
    book, refused = ledger.open_book(folder), Value("q", 0)
    files = ledger.files(folder)
    processes = [
        Process(target=post_files, args=(folder, files[i::workers], refused)) for i in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return book, refused.value


def post_files(folder, files, refused):
    book, mine = ledger.open_book(folder), 0
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
    first, second = sorted((source, target))
    with book.locks[first], book.locks[second]:
        book.write(source, book.read(source) - cents)
        book.write(target, book.read(target) + cents)
