# verdict: not yet, cannot tell
"""One process works on one core; its helper is kept waiting on the same one."""

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


def burn():
    while True:
        pass


def count_primes(numbers, workers):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    process = Process(target=burn, daemon=True)
    process.start()
    answer = count(numbers)
    process.kill()
    process.join()
    return answer
