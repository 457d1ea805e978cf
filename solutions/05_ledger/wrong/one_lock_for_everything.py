# check: speedup
# verdict: not yet
# cause: lock-convoy
"""Safe from deadlock by one lock around all that is done with a file: one worker at a time checks seals."""

from multiprocessing import Lock, Process, Value

from course.cases import ledger


def post_transfers(folder, workers):
    book, refused = ledger.open_book(folder), Value("q", 0)
    files = ledger.files(folder)
    one_lock = Lock()
    processes = [
        Process(target=post_files, args=(book, files[i::workers], refused, one_lock)) for i in range(workers)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return book, refused.value


def post_files(book, files, refused, one_lock):
    mine = 0
    for path in files:
        with one_lock:
            for line in ledger.read(path):
                transfer = ledger.validate(line, len(book.locks))
                if transfer is None:
                    mine += 1
                else:
                    source, target, cents = transfer
                    book.write(source, book.read(source) - cents)
                    book.write(target, book.read(target) + cents)
    with refused.get_lock():
        refused.value += mine
