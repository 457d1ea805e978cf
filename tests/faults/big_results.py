"""Each task returns rows where a sum was wanted."""

from multiprocessing import Pool


def squares(size):
    return [number * number for number in range(size)]


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(map(len, pool.map(squares, [400_000] * 24, chunksize=1))))
