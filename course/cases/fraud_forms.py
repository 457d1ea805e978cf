"""The text files that hold transactions: how each form is recognised, and which line of a file is at fault."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa

from course.cases.fraud_columns import FraudFileError


@dataclass(frozen=True)
class Kind:
    """What may stand in a column: its Arrow type, the words for a person, and the test for one value."""

    arrow: pa.DataType
    expected: str
    fits: Callable[[str], bool]


def _whole(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,19}", text)) and -(2**63) <= int(text) < 2**63


def _finite(text: str) -> bool:
    return _number(text) and math.isfinite(float(text))


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _moment(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return fits


def _text(value: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in value)  # what couldn't be decoded


TEXT = Kind(pa.string(), "text in UTF-8", _text)
LABEL = Kind(pa.dictionary(pa.int32(), pa.string()), "text in UTF-8", _text)
ACCOUNT = Kind(
    pa.string(), "C and a number", lambda text: text[:1] == "C" and _whole(text[1:]) and text[1] != "-"
)
WHOLE = Kind(pa.int64(), "a whole number", _whole)
CARD = Kind(pa.int64(), "a card number, all digits (a spreadsheet may have rounded it)", _whole)
TRUTH = Kind(pa.int8(), "0 or 1", lambda text: text in ("0", "1"))
MONEY = Kind(pa.float64(), "a number", _finite)
PLACE = Kind(pa.float64(), "degrees, or nothing", lambda text: text == "" or _number(text))
DAY = Kind(pa.date32(), "a date YYYY-MM-DD", _moment(date.fromisoformat))
TIME = Kind(pa.time32("s"), "a time HH:MM:SS", _moment(lambda text: datetime.strptime(text, "%H:%M:%S")))
MOMENT = Kind(
    pa.timestamp("s"),
    "a date and time YYYY-MM-DD HH:MM:SS",
    _moment(lambda text: datetime.strptime(text, "%Y-%m-%d %H:%M:%S")),
)


@dataclass(frozen=True)
class TextForm:
    """A form of text file: what separates its columns, and the columns that are read from it."""

    name: str
    separator: str
    columns: dict[str, Kind]


_SPARKOV = {
    "unix_time": WHOLE, "trans_num": TEXT, "cc_num": CARD, "category": LABEL, "amt": MONEY,
    "is_fraud": TRUTH, "merchant": LABEL, "merch_lat": PLACE, "merch_long": PLACE,
}  # fmt: skip
GENERATOR = TextForm("Sparkov's generator", "|", {"trans_date": DAY, "trans_time": TIME, **_SPARKOV})
SHARED = TextForm("Sparkov as it is shared", ",", {"trans_date_trans_time": MOMENT, **_SPARKOV})
PAYSIM = TextForm(
    "PaySim",
    ",",
    {"step": WHOLE, "type": LABEL, "amount": MONEY, "nameOrig": ACCOUNT, "nameDest": LABEL, "isFraud": TRUTH},
)
FORMS = (GENERATOR, SHARED, PAYSIM)
SEPARATORS = {"|": "'|'", ",": "','", ";": "';'", "\t": "a tab"}


def recognise(path: Path) -> TextForm:
    """The form of a text file, by its header.

    Raises:
        FraudFileError: it is no text, or its header is of no form that we know.
    """
    with open(path, "rb") as file:
        line = file.readline(100_000)
    if b"\0" in line:
        raise FraudFileError(f"{path}: neither Parquet nor text in UTF-8")
    header = line.decode("utf-8-sig", "replace").rstrip("\r\n")
    found = {mark: set(next(csv.reader([header], delimiter=mark), [])) for mark in SEPARATORS}
    known, separator, form = max(
        ((len(found[mark] & form.columns.keys()), mark, form) for form in FORMS for mark in SEPARATORS),
        key=lambda guess: (guess[0] / len(guess[2].columns), guess[1] == guess[2].separator),
    )
    missing = [name for name in form.columns if name not in found[separator]]
    if known < 2:
        expected = " or ".join(f"{form.name}: {form.separator.join(form.columns)}" for form in FORMS)
        raise FraudFileError(
            f"{path}, line 1: {header[:80]!r} is no header that we know; expected {expected}"
        )
    if separator != form.separator:
        raise FraudFileError(
            f"{path}, line 1: the columns are separated by {SEPARATORS[separator]}; "
            f"expected {SEPARATORS[form.separator]}, as in {form.name}"
        )
    if missing:
        raise FraudFileError(
            f"{path}, line 1: missing column {', '.join(missing)}; "
            f"expected {', '.join(form.columns)}, as in {form.name}"
        )
    return form


def find_fault(path: Path, form: TextForm) -> str:
    """The first line that doesn't fit the form, what stands there and what was expected; "" if every line fits.

    Slow, and called only when something is known to be wrong.
    """
    records = _records(path, form.separator)
    _, header = next(records)
    where = {name: header.index(name) for name in form.columns}
    for line, record in records:
        if len(record) != len(header):
            return f"{path}, line {line}: {len(record)} columns; expected {len(header)}, as in its header"
        for name, kind in form.columns.items():
            if not kind.fits(record[where[name]]):
                return f"{path}, line {line}: {name} is {record[where[name]]!r}; expected {kind.expected}"
    return ""


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, values) of each record that isn't blank."""
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(file, delimiter=separator)
        line = 1
        for record in reader:
            if record:
                yield line, record
            line = reader.line_num + 1
