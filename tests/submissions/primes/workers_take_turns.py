# verdict: not yet, cannot tell
"""Two workers share the work and never work at once."""

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
    total = 0
    with Pool(workers) as pool:
        for start in range(0, 16):
            total += pool.apply(count, (numbers[start::16],))
    return total
