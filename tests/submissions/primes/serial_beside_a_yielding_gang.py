# verdict: not yet, cannot tell
"""One process works; six wait for a core all the time and use none."""

import os
from multiprocessing import Process


def is_prime(number):
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return number > 1


def count(numbers):
    return sum(map(is_prime, numbers))


def idle():
    while True:
        os.sched_yield()


def count_primes(numbers, workers):
    gang = [Process(target=idle, daemon=True) for _ in range(6)]
    for process in gang:
        process.start()
    answer = count(numbers)
    for process in gang:
        process.kill()
        process.join()
    return answer
