# verdict: met, cannot tell
"""Control: an honest executor, and noise on both streams."""

import sys
from concurrent.futures import ProcessPoolExecutor


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
    print("so many:", len(numbers))
    print("so many:", len(numbers), file=sys.stderr)
    parts = [numbers[start::16] for start in range(16)]
    with ProcessPoolExecutor(workers) as executor:
        return sum(executor.map(count, parts))
