"""One task is as large as all others together, and it comes last."""

from multiprocessing import Pool


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    with Pool(2) as pool:
        print(sum(pool.imap(spin, [1_000_000] * 12 + [24_000_000])))
