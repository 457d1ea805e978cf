"""A program that may write no large file: there is no room for its workers' trace."""

import multiprocessing
import resource
import sys


def spin(loops):
    return sum(number * number for number in range(loops))


if __name__ == "__main__":
    multiprocessing.set_start_method(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    with multiprocessing.Pool(2) as pool:
        if pool.map(spin, [1000] * 8) != [spin(1000)] * 8:
            sys.exit("wrong")
