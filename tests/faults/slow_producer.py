"""What the workers are to do arrives slowly."""

import time
from multiprocessing import Process, Queue


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


def work(tasks):
    while (loops := tasks.get()) is not None:
        spin(loops)


if __name__ == "__main__":
    tasks = Queue()
    workers = [Process(target=work, args=(tasks,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for _ in range(30):
        time.sleep(0.03)
        tasks.put(100_000)
    for _ in workers:
        tasks.put(None)
    for worker in workers:
        worker.join()
