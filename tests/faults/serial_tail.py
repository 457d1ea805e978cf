"""The program joins everything alone when its workers are done."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.map(spin, [1_500_000] * 12, chunksize=1)))
    print(spin(30_000_000))
