"""The program prepares everything alone before it starts its workers."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    print(spin(30_000_000))
    with Pool(2) as pool:
        print(sum(pool.map(spin, [1_500_000] * 12, chunksize=1)))
