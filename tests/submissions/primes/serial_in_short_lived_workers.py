# verdict: not yet, cannot tell
"""One after the other, each number's worth of work in a process of its own."""

import os


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
    for start in range(0, len(numbers), 40):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, str(count(numbers[start : start + 40])).encode())
            os._exit(0)
        os.wait()
        total += int(os.read(reading, 100))
        os.close(reading)
        os.close(writing)
    return total
