# verdict: met, cannot tell
"""Control: an honest pool that hands out small parts."""

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
    parts = [numbers[start::16] for start in range(16)]
    with Pool(workers) as pool:
        return sum(pool.imap_unordered(count, parts))
