"""The work is handed out in one piece."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(spin, [1_500_000] * 16, chunksize=16)))
