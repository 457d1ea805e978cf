"""Invoices of suppliers, and the book of accounts payable: what to pay, what to hold back, what to send back.

    from course.cases import invoices

    invoices.make(folder, 4_000, seed=1)      # an inbox: a few files, an invoice a line, in JSON
    book = invoices.Book(folder)
    for position, record in invoices.read(folder):        # the reader's work
        book.enter(position, invoices.check(record))      # a worker's work; the writer's
    book.report()                                         # {0: "pay 1234.50", 1: "hold: tax, total", ...}

The fields have the names of UBL 2.1's elements (Universal Business Language, an OASIS standard), a few of them. An
invoice is checked by its own sums, texts and check digits; whether it came twice is only known when all are in the
book. `check` raises for what is no invoice at all: `check_all` shows what is done about it.

`start_counting(folder)` makes `read` and `Book` note when each invoice was read and entered, in whatever process
that is. `in_flight(folder)` then says how many were read and not yet entered, moment by moment.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from course.cases.invoices_make import CURRENCIES, RATES, make

__all__ = [
    "AT_MOST",
    "Book",
    "Checked",
    "UnknownCurrencyError",
    "check",
    "check_all",
    "files",
    "in_flight",
    "make",
    "read",
    "start_counting",
]

#: The server bears so many invoices that are read and not yet in the book.
AT_MOST = 500
#: Below this likeness (0 to 1) a line's description doesn't fit the name by which we ordered.
ALIKE = 0.35

_CENT = Decimal("0.01")
#: Letters of an account number become two digits each, A = 10 to Z = 35 (ISO 13616).
_LETTERS = {ord(letter): str(ord(letter) - 55) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_NOTES = "in-flight"  # the folder of the notes, where invoices are counted
_SLOW = 0.0005  # seconds that the book takes for an entry, where invoices are counted


class Checked(NamedTuple):
    """An invoice that could be checked: whose, which, how much, and the faults found in it ("" when none)."""

    supplier: str
    number: str
    amount: str
    faults: str


class UnknownCurrencyError(Exception):
    """An invoice in a currency in which we don't pay."""

    def __init__(self, currency: str, number: str) -> None:
        super().__init__(f"invoice {number} is in {currency!r}, and we don't pay in that")


# As it runs today


def check_all(folder: Path) -> dict[int, str]:
    """Every invoice of an inbox, one after the other, in one process: the report of the book.

    What can't be checked is rejected with its cause, and the rest goes on.
    """
    book = Book(folder)
    for position, record in read(folder):
        try:
            checked = check(record)
        except Exception as error:
            book.reject(position, f"{type(error).__name__}: {error}")
        else:
            book.enter(position, checked)
    return book.report()


def files(folder: Path) -> list[Path]:
    """The files of an inbox, in order."""
    return sorted(folder.glob("inbox-*.jsonl"))


def read(folder: Path) -> Iterator[tuple[int, str]]:
    """(position, record) of each invoice of an inbox; the next one is read when it is asked for."""
    notes, position = _Notes(folder), 0
    for path in files(folder):
        with path.open(encoding="utf-8") as file:
            for record in file:
                notes.add(1)
                yield position, record
                position += 1


def check(record: str) -> Checked:
    """Check one invoice: its lines and their texts, tax and total, the supplier's account, the articles' numbers.

    Raises:
        ValueError: it isn't JSON, or an amount in it is no number.
        KeyError: a field is missing.
        UnknownCurrencyError: we don't pay in its currency.
    """
    invoice = json.loads(record)
    if invoice["DocumentCurrencyCode"] not in CURRENCIES:
        raise UnknownCurrencyError(invoice["DocumentCurrencyCode"], invoice["ID"])
    faults, net = set(), {rate: Decimal(0) for rate in RATES}
    for line in invoice["InvoiceLine"]:
        amount = _number(line["LineExtensionAmount"])
        if _number(line["InvoicedQuantity"]) * _number(line["PriceAmount"]) != amount:
            faults.add("line")
        if not _is_article(line["StandardItemIdentification"]):
            faults.add("article")
        if SequenceMatcher(None, line["Name"], line["Description"]).ratio() < ALIKE:
            faults.add("text")
        net[int(line["Percent"])] += amount
    tax = sum((amount * rate / 100).quantize(_CENT, ROUND_HALF_UP) for rate, amount in net.items())
    if tax != _number(invoice["TaxAmount"]):
        faults.add("tax")
    payable = _number(invoice["PayableAmount"])
    if sum(net.values()) + _number(invoice["TaxAmount"]) != payable:
        faults.add("total")
    if not _is_account(invoice["PayeeFinancialAccount"]):
        faults.add("account")
    supplier, number = invoice["AccountingSupplierParty"], invoice["ID"]
    return Checked(supplier, number, str(payable), ", ".join(sorted(faults)))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is no number") from None


def _is_article(code: str) -> bool:
    """Whether the check digit of an article's number is right (EAN-13: weights 1 and 3, the sum ends in 0)."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code)) % 10 == 0


def _is_account(account: str) -> bool:
    """Whether the check digits of an account number are right (ISO 7064, mod 97)."""
    return int((account[4:] + account[:4]).translate(_LETTERS)) % 97 == 1


class Book:
    """What becomes of each invoice. One process keeps it: it has to know all invoices of a supplier."""

    def __init__(self, folder: Path) -> None:
        self._notes = _Notes(folder)
        self._judged: dict[int, str] = {}
        self._seen: dict[tuple[str, str], list[int]] = {}

    def enter(self, position: int, checked: Checked) -> None:
        """Write down an invoice that was checked, faults or no faults.

        Raises:
            ValueError: the invoice is in the book already.
        """
        self._write(position, f"hold: {checked.faults}" if checked.faults else f"pay {checked.amount}")
        self._seen.setdefault((checked.supplier, checked.number), []).append(position)

    def reject(self, position: int, cause: str) -> None:
        """Write down that an invoice couldn't be checked, and why.

        Raises:
            ValueError: the invoice is in the book already.
        """
        self._write(position, f"reject: {cause}")

    def report(self) -> dict[int, str]:
        """By position: "pay AMOUNT", "hold: FAULTS" or "reject: CAUSE". Who sends an invoice twice has both held."""
        report = dict(self._judged)
        for positions in self._seen.values():
            if len(positions) > 1:
                for position in positions:
                    known = report[position].removeprefix("hold: ")
                    report[position] = f"hold: twice, {known}" if known != report[position] else "hold: twice"
        return report

    def _write(self, position: int, judged: str) -> None:
        if position in self._judged:
            raise ValueError(f"Invoice {position} is in the book already.")
        self._judged[position] = judged
        self._notes.add(-1)


# How many are in flight


def start_counting(folder: Path) -> None:
    """From now on `read` and `Book` note each invoice of this folder, and the book is slow, as real ones are."""
    shutil.rmtree(folder / _NOTES, ignore_errors=True)
    (folder / _NOTES).mkdir()


def in_flight(folder: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], tuple[int, int]]:
    """What was noted: the moments (seconds), how many invoices were in flight after each, and (read, entered)."""
    noted = [
        (int(moment), int(change))
        for path in sorted((folder / _NOTES).glob("*.txt"))
        for moment, change in (line.split() for line in path.read_text(encoding="ascii").splitlines())
    ]
    noted.sort()
    moments = np.array([moment for moment, _ in noted], np.float64) / 1e9
    changes = np.array([change for _, change in noted], np.int64)
    came = int((changes > 0).sum())
    return moments - moments[:1].sum(), np.cumsum(changes), (came, len(changes) - came)


class _Notes:
    """Notes of one process, a line each: when, and by how much the number in flight changed. A file for each process,
    for two that append to one file may write into each other's lines on some systems.
    """

    def __init__(self, folder: Path) -> None:
        self._room = folder / _NOTES
        self._counts = self._room.is_dir()

    def add(self, change: int) -> None:
        if not self._counts:
            return
        if change < 0:
            time.sleep(_SLOW)
        # The clock is one for all processes of a machine (CLOCK_MONOTONIC and its like).
        with (self._room / f"{os.getpid()}.txt").open("a", encoding="ascii") as file:
            file.write(f"{time.perf_counter_ns()} {change}\n")
