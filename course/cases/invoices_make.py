"""Made invoices: an inbox of any size, seeded, with faults of every kind. `course.cases.invoices` checks them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

#: Lines of an invoice, from and up to.
LINES = (1, 9)
#: The currencies in which we pay.
CURRENCIES = ("EUR", "SEK", "USD")
#: Per cent of tax.
RATES = (0, 7, 19)

_FILES = 7
_SUPPLIERS, _ARTICLES = 90, 500
_THINGS = (
    "screw",
    "washer",
    "hinge",
    "bracket",
    "batten",
    "board",
    "cable",
    "socket",
    "valve",
    "pipe",
    "sealant",
)
_KINDS = ("zinc", "brass", "steel", "oak", "pine", "nylon", "copper", "white", "grey", "fireproof")
#: (number, name, the supplier's description, price in hundredths, per cent of tax)
Article = tuple[str, str, str, int, int]


def make(
    folder: Path, size: int, seed: int, *, broken: float = 0.0, lines: tuple[int, int] = LINES
) -> list[Path]:
    """Write an inbox of `size` invoices, some faulty, some sent twice.

    Args:
        folder: where the files go.
        size: how many invoices.
        seed: decides all of it.
        broken: the share of them that can't be checked at all; where there is one, the first and the last are.
        lines: from how many up to how many lines an invoice has.
    """
    rng = np.random.default_rng(seed)
    records = _records(size, rng, lines)
    if broken:
        chosen = rng.random(size) < broken
        chosen[:1] = chosen[-1:] = True
        for kind, position in enumerate(np.flatnonzero(chosen).tolist()):
            records[position] = _broken(records[position], kind)
    weights = np.cumsum(1 / (1 + np.arange(_FILES)) ** 0.7)
    ends = np.rint(weights / weights[-1] * size).astype(int).tolist()
    paths = []
    for number, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        paths.append(folder / f"inbox-{number}.jsonl")
        paths[-1].write_text("".join(records[start:end]), encoding="utf-8", newline="\n")
    return paths


def _broken(record: str, kind: int) -> str:
    """The same invoice, as no program can check it: four kinds, in turn."""
    if kind % 4 == 0:
        return record[: len(record) // 2] + "\n"  # the connection broke off
    if kind % 4 == 1:
        return record.replace('"TaxAmount"', '"VAT"')
    if kind % 4 == 2:
        return record.replace('"DocumentCurrencyCode": "', '"DocumentCurrencyCode": "X')
    return record.replace('"PayableAmount": "', '"PayableAmount": "about ')


def _records(size: int, rng: np.random.Generator, lines: tuple[int, int]) -> list[str]:
    accounts = _accounts(rng)
    articles = _articles(rng)
    supplier = rng.integers(0, _SUPPLIERS, size)
    numbers = np.arange(size)
    again = np.flatnonzero(rng.random(size) < 0.01)
    again = again[again > 0]
    earlier = rng.integers(0, again)
    numbers[again], supplier[again] = numbers[earlier], supplier[earlier]
    currencies = rng.integers(0, len(CURRENCIES), _SUPPLIERS)
    counts = rng.integers(lines[0], lines[1] + 1, size)
    ends = np.cumsum(counts).tolist()
    which = rng.integers(0, _ARTICLES, int(counts.sum())).tolist()
    pieces = rng.integers(1, 200, int(counts.sum())).tolist()
    wrong = _faults(size, rng)
    records = []
    for position, end in enumerate(ends):
        start = end - int(counts[position])
        owner = int(supplier[position])
        header = (
            f'{{"ID": "R-{numbers[position]:06}", "AccountingSupplierParty": "S-{owner:03}", '
            f'"DocumentCurrencyCode": "{CURRENCIES[currencies[owner]]}", '
            f'"PayeeFinancialAccount": "{_account(accounts[owner], wrong[position] == "account")}"'
        )
        bought = [
            (articles[one], some) for one, some in zip(which[start:end], pieces[start:end], strict=True)
        ]
        records.append(header + _body(bought, wrong[position]) + "}\n")
    return records


def _faults(size: int, rng: np.random.Generator) -> list[str]:
    """What is wrong with each invoice: "" for most."""
    kinds = ("account", "article", "line", "tax", "text", "total")
    chosen = rng.integers(0, len(kinds), size).tolist()
    return [
        kinds[kind] if faulty else "" for kind, faulty in zip(chosen, rng.random(size) < 0.03, strict=True)
    ]


def _body(bought: Sequence[tuple[Article, int]], wrong: str) -> str:
    """The lines and the sums; all amounts are reckoned in whole hundredths."""
    net, written = dict.fromkeys(RATES, 0), []
    for number, ((code, name, says, cents, rate), some) in enumerate(bought):
        amount = some * cents + (number == 0 and wrong == "line")
        if number == 0 and wrong == "article":
            code = code[:-1] + str((int(code[-1]) + 1) % 10)
        if number == 0 and wrong == "text":
            says = "see delivery note"
        net[rate] += amount
        written.append(
            f'{{"StandardItemIdentification": "{code}", "Name": "{name}", "Description": "{says}", '
            f'"InvoicedQuantity": "{some}", '
            f'"PriceAmount": "{_money(cents)}", "LineExtensionAmount": "{_money(amount)}", "Percent": {rate}}}'
        )
    tax = sum((amount * rate + 50) // 100 for rate, amount in net.items()) + (wrong == "tax")
    payable = sum(net.values()) + tax + (wrong == "total")
    listed = ", ".join(written)
    return f', "InvoiceLine": [{listed}], "TaxAmount": "{_money(tax)}", "PayableAmount": "{_money(payable)}"'


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _account(account: str, wrong: bool) -> str:
    """The account, or the same with another last digit."""
    return account[:-1] + str((int(account[-1]) + 1) % 10) if wrong else account


def _accounts(rng: np.random.Generator) -> list[str]:
    """An account number for each supplier; its check digits make it leave 1 when divided by 97."""
    made = []
    for bank in rng.integers(10**17, 10**18, _SUPPLIERS).tolist():
        check_digits = 98 - int(f"{bank}131400") % 97
        made.append(f"DE{check_digits:02}{bank}")
    return made


def _articles(rng: np.random.Generator) -> list[Article]:
    """The catalogue; suppliers put the words of a name in another order."""
    bodies = rng.integers(10**11, 10**12, _ARTICLES).tolist()
    prices, rates = (
        rng.integers(50, 20_000, _ARTICLES).tolist(),
        rng.integers(0, len(RATES), _ARTICLES).tolist(),
    )
    sizes = rng.integers(3, 100, (_ARTICLES, 2)).tolist()
    made = []
    for number, (body, cents, rate, (wide, long)) in enumerate(
        zip(bodies, prices, rates, sizes, strict=True)
    ):
        digits = [int(digit) for digit in str(body)]
        weighted = sum(digits[::2]) + 3 * sum(digits[1::2])
        thing, kind = _THINGS[number % len(_THINGS)], _KINDS[number % len(_KINDS)]
        name, says = f"{thing}, {kind}, {wide} x {long} mm, box", f"{kind} {thing} {wide}x{long}mm 1 box, new"
        made.append((f"{body}{-weighted % 10}", name, says, cents, RATES[rate]))
    return made
