"""All the work is done while holding one lock."""

from multiprocessing import Lock, Process


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


def work(lock):
    for _ in range(30):
        with lock:
            spin(400_000)


if __name__ == "__main__":
    lock = Lock()
    workers = [Process(target=work, args=(lock,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
