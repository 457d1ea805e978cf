"""Well shared out: many even tasks, little data."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap_unordered(spin, [1_500_000] * 24)))
