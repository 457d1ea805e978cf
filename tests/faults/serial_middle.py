"""The program works between the rounds of its workers."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        for _ in range(6):
            print(sum(pool.map(spin, [1_500_000] * 2, chunksize=1)), spin(4_000_000))
