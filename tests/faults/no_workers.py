"""No process is started."""

import sys


def spin(loops):
    total = 0
    for number in range(loops):
        total += number * number
    return total


if __name__ == "__main__":
    print(spin(5_000_000), file=sys.stderr)
