# check: speedup
# verdict: not yet
# cause: tasks-too-small or slow-producer
"""Right, but tasks and results go through a Manager, invoice by invoice: each step asks its server and waits."""

from multiprocessing import Manager, Process

from course.cases import invoices


def check_invoices(folder, workers):
    with Manager() as manager:
        tasks, results = manager.Queue(maxsize=20), manager.Queue(maxsize=20)
        reader = Process(target=read_all, args=(folder, tasks, workers))
        checkers = [Process(target=check_tasks, args=(tasks, results)) for _ in range(workers)]
        for process in (reader, *checkers):
            process.start()
        book = invoices.Book(folder)
        running = workers
        while running:
            result = results.get()
            if result is None:
                running -= 1
                continue
            position, checked, cause = result
            if cause:
                book.reject(position, cause)
            else:
                book.enter(position, checked)
        for process in (reader, *checkers):
            process.join()
    return book.report()


def read_all(folder, tasks, workers):
    for task in invoices.read(folder):
        tasks.put(task)
    for _ in range(workers):
        tasks.put(None)


def check_tasks(tasks, results):
    while (task := tasks.get()) is not None:
        results.put(check_one(*task))
    results.put(None)


def check_one(position, record):
    try:
        return position, invoices.check(record), ""
    except Exception as error:
        return position, None, f"{type(error).__name__}: {error}"
