"""Eight pieces of work by two workers, in each way that the standard library and joblib have.

    every_way.py METHOD WAY

It ends with 1 where the answer isn't what it is without anybody listening.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import shared_memory

ITEMS = [20_000 + number for number in range(8)]


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


def add(first, second):
    return spin(first + second)


def by_map(context):
    with context.Pool(2) as pool:
        return pool.map(spin, ITEMS)


def by_imap(context):
    with context.Pool(2) as pool:
        return list(pool.imap(spin, ITEMS))


def by_imap_in_chunks(context):
    with context.Pool(2) as pool:
        return list(pool.imap_unordered(spin, ITEMS, chunksize=2))


def by_starmap(context):
    with context.Pool(2) as pool:
        return pool.starmap(add, [(item, 0) for item in ITEMS])


def by_apply(context):
    with context.Pool(2) as pool:
        waiting = [pool.apply_async(spin, (item,)) for item in ITEMS]
        return [one.get(60) for one in waiting]


def by_fresh_workers(context):
    with context.Pool(2, maxtasksperchild=1) as pool:
        return pool.map(spin, ITEMS, chunksize=1)


def by_submit(context):
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        return [one.result() for one in as_completed([executor.submit(spin, item) for item in ITEMS])]


def by_executor_map(context):
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        return list(executor.map(spin, ITEMS, chunksize=2))


def take(tasks, results):
    while (item := tasks.get()) is not None:
        results.put(spin(item))


def take_joinable(tasks, results):
    while True:
        results.put(spin(tasks.get()))
        tasks.task_done()


def ended(processes):
    for process in processes:
        process.join(60)
        if process.exitcode != 0:
            sys.exit(f"{process.name} ended with {process.exitcode}")


def by_queue(context):
    tasks, results = context.Queue(), context.Queue()
    workers = [context.Process(target=take, args=(tasks, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for item in [*ITEMS, None, None]:
        tasks.put(item)
    answers = [results.get(timeout=60) for _ in ITEMS]
    ended(workers)
    return answers


def by_joinable_queue(context):
    tasks, results = context.JoinableQueue(), context.SimpleQueue()
    workers = [context.Process(target=take_joinable, args=(tasks, results), daemon=True) for _ in range(2)]
    for worker in workers:
        worker.start()
    for item in ITEMS:
        tasks.put(item)
    tasks.join()
    return [results.get() for _ in ITEMS]


def answer(connection):
    while (item := connection.recv()) is not None:
        connection.send(spin(item))


def by_pipe(context):
    mine, theirs = zip(*(context.Pipe() for _ in range(2)), strict=True)
    workers = [context.Process(target=answer, args=(end,)) for end in theirs]
    for worker in workers:
        worker.start()
    for number, item in enumerate(ITEMS):
        mine[number % 2].send(item)
    answers = [mine[number % 2].recv() for number in range(len(ITEMS))]
    for end in mine:
        end.send(None)
    ended(workers)
    return answers


def add_under_lock(lock, total, items):
    for item in items:
        done = spin(item)
        with lock:
            total.value += done


def by_lock(context):
    lock, total = context.Lock(), context.Value("q", 0)
    halves = ITEMS[::2], ITEMS[1::2]
    workers = [context.Process(target=add_under_lock, args=(lock, total, half)) for half in halves]
    for worker in workers:
        worker.start()
    ended(workers)
    return [total.value]


def into_segment(name, start):
    segment = shared_memory.SharedMemory(name)
    for place, item in enumerate(ITEMS[start::2]):
        done = spin(item).to_bytes(8, "little")
        segment.buf[16 * place + 8 * start : 16 * place + 8 * start + 8] = done
    segment.close()


class Writer(multiprocessing.get_context("spawn").Process):
    """A process that is a class of its own, with its own `run`."""

    def __init__(self, name, start):
        super().__init__()
        self.segment, self.first = name, start

    def run(self):
        into_segment(self.segment, self.first)


def by_shared_memory(context):
    segment = shared_memory.SharedMemory(create=True, size=8 * len(ITEMS))
    workers = [context.Process(target=into_segment, args=(segment.name, 0)), Writer(segment.name, 1)]
    for worker in workers:
        worker.start()
    ended(workers)
    data = bytes(segment.buf)
    segment.close()
    segment.unlink()
    return [int.from_bytes(data[at : at + 8], "little") for at in range(0, 8 * len(ITEMS), 8)]


def by_manager(context):
    with context.Manager() as manager:
        tasks, results = manager.Queue(), manager.Queue()
        workers = [context.Process(target=take, args=(tasks, results)) for _ in range(2)]
        for worker in workers:
            worker.start()
        for item in [*ITEMS, None, None]:
            tasks.put(item)
        answers = [results.get(timeout=60) for _ in ITEMS]
        ended(workers)
        return answers


def by_joblib(_context):
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2)(delayed(spin)(item) for item in ITEMS)


if __name__ == "__main__":
    method, way = sys.argv[1:]
    multiprocessing.set_start_method(method)
    found = globals()[f"by_{way}"](multiprocessing.get_context(method))
    right = sorted(map(spin, ITEMS))
    if sorted(found) != right and found != [sum(right)]:
        sys.exit(f"wrong: {found}")
