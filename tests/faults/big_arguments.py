"""Each task is sent the data that it could have read itself."""

from multiprocessing import Pool


def total(numbers):
    return sum(numbers)


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(total, [list(range(400_000)) for _ in range(24)], chunksize=1)))
