"""Programs that are slow on purpose, to practise finding out where: each seed hides the hot spot elsewhere.

    path = slow_program.write(folder / "program.py", claims=3_000, seed=1)
    main = slow_program.load(path).main

A program works through the claims of an insurer one by one. Every claim passes through every function, so what
disturbs the machine for a moment disturbs all of them alike, and their shares of the time hardly move.
"""

from __future__ import annotations

import random
from pathlib import Path
from types import ModuleType

#: What the three loops take together for each claim, in nanoseconds on an ordinary machine of 2025.
WORK = 75_000
#: The hot loop's part of it, from and to. What else a claim costs takes a few per cent of the time.
HOT = (0.62, 0.8)
#: What one step of the loop takes in `compare`, `project` and `discount`. Their proportions differ a little between
#: machines and versions of Python, and so do the shares; none comes near another.
STEP = (33, 50, 23)

_HEAD = '''"""What open claims may still cost: the nightly estimate, one claim after the other."""

CLAIMS = {claims}
ROUNDS = {rounds}
MONTHS = {months}
RATE = {rate:.6f}


def main():
    """Work through all claims; the sum of what they may cost."""
    number, total = 20_251, 0.0
    for _ in range(CLAIMS):
        number = number * 48_271 % 2_147_483_647
        total += settle(number)
    return round(total, 2)
'''

_SETTLE = '''
def settle(number):
    """One claim: read it, check it, estimate it."""
    digits = read_claim(number)
    known = 0
    for digit in digits:
        known += check_digit(digit)
    if known > 200:
        return 0.0
    return compare(digits) + project(number % 90_000) + discount(number % 7)
'''

_READ = '''
def read_claim(number):
    """The digits of a claim's number, the last one first."""
    return (
        number % 10,
        number // 10 % 10,
        number // 100 % 10,
        number // 1_000 % 10,
        number // 10_000 % 10,
        number // 100_000 % 10,
        number // 1_000_000 % 10,
        number // 10_000_000 % 10,
    )
'''

_CHECK = '''
def check_digit(digit):
    """What a digit adds to the check sum."""
    return digit + 1
'''

_COMPARE = '''
def compare(digits):
    """How alike the parts of a claim are: every digit beside every other one, again and again."""
    alike = 0
    for shift in range(ROUNDS):
        for one in digits:
            for other in digits:
                alike += (one + shift) * other % 7
    return alike / 100
'''

_PROJECT = '''
def project(amount):
    """What is paid out in the coming months: each month a little of what is left."""
    left, paid = float(amount), 0.0
    for month in range(MONTHS):
        due = left * 0.01 + month
        paid += due
        left -= due
    return paid
'''

_DISCOUNT = '''
def discount(years):
    """What a payment in so many years is worth today."""
    left, worth = 1_000.0, 0.0
    while left > 1.0:
        left *= RATE
        worth += left
    return worth * (10 - years)
'''

#: Steps of one round of `compare`: eight digits beside eight.
_ROUND = 64


def write(path: Path, claims: int, seed: int) -> Path:
    """Write a program to `path`; returns it.

    Args:
        path: the file; one that is there is replaced.
        claims: how many it works through; about 12,000 take a second.
        seed: which of three functions is the hot one, how hot, and where in the file each stands.
    """
    chance = random.Random(seed)
    hot = chance.randrange(3)
    share = chance.uniform(*HOT)
    beside = chance.uniform(0.35, 0.65)
    parts = [(1 - share) * part for part in (beside, 1 - beside)]
    parts.insert(hot, share)
    steps = [WORK * part / cost for part, cost in zip(parts, STEP, strict=True)]
    functions = [_SETTLE, _READ, _CHECK, _COMPARE, _PROJECT, _DISCOUNT]
    chance.shuffle(functions)
    head = _HEAD.format(
        claims=claims,
        rounds=max(1, round(steps[0] / _ROUND)),
        months=round(steps[1]),
        rate=1_000.0 ** (-1 / steps[2]),  # so many steps lead from 1,000 to 1
    )
    path.write_text("\n".join([head, *functions]), encoding="utf-8")
    return path


def load(path: Path) -> ModuleType:
    """The program as a module, read anew: nothing runs yet but its definitions."""
    module = ModuleType(path.stem)
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module
