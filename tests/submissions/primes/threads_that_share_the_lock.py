# verdict: not yet
"""As many threads as workers, and one interpreter lock."""

from concurrent.futures import ThreadPoolExecutor


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
    parts = [numbers[start::workers] for start in range(workers)]
    with ThreadPoolExecutor(workers) as executor:
        return sum(executor.map(count, parts))
