# check: answer
# verdict: not yet
# cause: timed out
"""acquire and release by hand: where a transfer is refused it goes on to the next, and the locks stay taken."""

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
            first, second = sorted(map(int, line.split(",")[:2]))
            if second >= len(book.locks) or first == second:
                mine += ledger.validate(line, len(book.locks)) is None
                continue
            book.locks[first].acquire()
            book.locks[second].acquire()
            transfer = ledger.validate(line, len(book.locks))
            if transfer is None:
                mine += 1
                continue
            source, target, cents = transfer
            book.write(source, book.read(source) - cents)
            book.write(target, book.read(target) + cents)
            book.locks[second].release()
            book.locks[first].release()
    with refused.get_lock():
        refused.value += mine
