# check: clean_up
# verdict: not yet
# cause: process left
"""A watcher looks at the book until an Event is set, and nobody sets it: it stays for ever."""

from multiprocessing import Event, Process, Value

from course.cases import ledger


def post_transfers(folder, workers):
    book, refused = ledger.open_book(folder), Value("q", 0)
    files = ledger.files(folder)
    processes = [Process(target=post_files, args=(book, files[i::workers], refused)) for i in range(workers)]
    done = Event()
    Process(target=watch, args=(book, done), daemon=True).start()
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return book, refused.value


def watch(book, done):
    opening = sum(book.balances())
    while not done.wait(timeout=1):
        if sum(book.balances()) != opening:
            print("a transfer is under way")


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
    first, second = sorted((source, target))
    with book.locks[first], book.locks[second]:
        book.write(source, book.read(source) - cents)
        book.write(target, book.read(target) + cents)
