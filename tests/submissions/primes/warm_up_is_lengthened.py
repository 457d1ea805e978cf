# verdict: not yet
"""The first call is slow on purpose, so that what is timed later looks short beside it."""

import time


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
    if len(numbers) < 400:
        time.sleep(1.5)
    return count(numbers)
