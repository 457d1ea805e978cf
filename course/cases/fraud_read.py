"""Reading transactions in the forms that people have, recognised by what is in the file.

| form                    | separator | what tells it                                          |
| ----------------------- | --------- | ------------------------------------------------------ |
| Parquet                 |           | its first four bytes                                   |
| Sparkov's generator     | pipe      | `trans_date` and `trans_time`                          |
| Sparkov as it is shared | comma     | an index column first, `trans_date_trans_time` joined  |
| PaySim                  | comma     | `step` (hours), `nameOrig` (the card), no places       |

Arrow reads a text file fast, and stops at the first value that doesn't fit. Only then is the file gone
through line by line, to say which line it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from course.cases.fraud_columns import COLUMNS, NUMBERS, FraudFileError, in_time_order
from course.cases.fraud_forms import PAYSIM, PLACE, TextForm, find_fault, recognise
from course.cases.fraud_write import files_in

HOUR = 3_600
LABELS = ("category", "merchant")


def read(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a file of transactions.

    Args:
        path: the file; its form is recognised by its content.
        columns: which of `COLUMNS`, and in what order; by default all.

    Returns:
        Those columns, sorted by `unix_time`; rows of one second stay in the file's order.

    Raises:
        FraudFileError: there is no such file, or it is of no form that we know, or a value doesn't fit.
    """
    path = Path(path)
    wanted = _wanted(columns)
    if not path.is_file():
        why = (
            "is a folder; expected a file (read_folder reads folders)"
            if path.is_dir()
            else "there is no such file"
        )
        raise FraudFileError(f"{path}: {why}")
    with open(path, "rb") as file:
        start = file.read(4)
    if not start:
        raise FraudFileError(f"{path}: the file is empty; expected a header and transactions")
    if start == b"PAR1":
        table = _read_parquet(path, {*wanted, "unix_time"})
    elif path.suffix == ".parquet":
        raise FraudFileError(f"{path}: not Parquet; it begins with {start!r}, expected b'PAR1'")
    else:
        table = _read_text(path, recognise(path))
    return in_time_order(table)[wanted]


def read_folder(folder: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """All transactions of a folder that `write` filled, sorted by `unix_time`. Arguments and errors as in `read`."""
    folder = Path(folder)
    wanted = _wanted(columns)
    files = files_in(folder) if folder.is_dir() else []
    if not files:
        raise FraudFileError(
            f"{folder}: found no part-*.parquet, part-*.csv or transactions.*; expected a folder of them"
        )
    tables = [read(path, list({*wanted, "unix_time"})) for path in files]
    return in_time_order(_join(tables))[wanted]


def _wanted(columns: Sequence[str] | None) -> list[str]:
    wanted = list(COLUMNS if columns is None else columns)
    if unknown := [name for name in wanted if name not in COLUMNS]:
        raise FraudFileError(
            f"no column is called {', '.join(unknown)}; expected some of {', '.join(COLUMNS)}"
        )
    return wanted


def _join(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table under the other. Files may know different shops, so their labels are made the same first."""
    for name in set(LABELS) & set(tables[0].columns):
        labels = reduce(pd.Index.union, (table[name].cat.categories for table in tables))
        tables = [table.assign(**{name: table[name].cat.set_categories(labels)}) for table in tables]
    return pd.concat(tables, ignore_index=True)


def _read_parquet(path: Path, wanted: set[str]) -> pd.DataFrame:
    """One thread reads: a worker's share of the cores is one, and the serial program gets no more."""
    try:
        with pa.parquet.ParquetFile(path) as file:
            known = file.schema_arrow.names
            if missing := [name for name in COLUMNS if name in wanted and name not in known]:
                raise FraudFileError(f"{path}: missing column {', '.join(missing)}; found {', '.join(known)}")
            table = file.read([name for name in COLUMNS if name in wanted], use_threads=False)
    except pa.ArrowException as error:
        raise FraudFileError(f"{path}: damaged or unfinished Parquet: {error}") from None
    try:
        return _typed(table.to_pandas(use_threads=False))
    except (ValueError, TypeError) as error:
        raise FraudFileError(f"{path}: {error}") from None


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the types that `make` gives; another program's Parquet may hold others."""
    for name in table.columns:
        if name in LABELS and not isinstance(table[name].dtype, pd.CategoricalDtype):
            table[name] = table[name].astype("category")
        if name in NUMBERS and table[name].dtype != NUMBERS[name]:
            values = pd.to_numeric(table[name]).to_numpy()
            table[name] = values.astype(NUMBERS[name])
            if not np.array_equal(table[name], values, equal_nan=True):
                raise ValueError(
                    f"{name} is {values.dtype}, and not every value fits {np.dtype(NUMBERS[name])}"
                )
    _check(table, "amt", "is_fraud")
    return table


def _read_text(path: Path, form: TextForm) -> pd.DataFrame:
    try:
        raw = pa.csv.read_csv(
            path,
            read_options=pa.csv.ReadOptions(use_threads=False),
            parse_options=pa.csv.ParseOptions(delimiter=form.separator, newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                column_types={name: kind.arrow for name, kind in form.columns.items()},
                include_columns=list(form.columns),
                null_values=[""],
            ),
        )
        if any(raw[name].null_count for name, kind in form.columns.items() if kind is not PLACE):
            raise ValueError("a value is missing")
        table = raw.to_pandas(use_threads=False)
        return _from_paysim(table) if form is PAYSIM else _from_sparkov(table)
    except (pa.ArrowException, ValueError) as error:
        raise FraudFileError(find_fault(path, form) or f"{path}: {error}") from None


def _from_sparkov(raw: pd.DataFrame) -> pd.DataFrame:
    """The generator puts `fraud_` before every merchant's name, honest or not: it says nothing, so it goes."""
    _check(raw, "amt", "is_fraud")
    names = raw["merchant"].cat.categories
    if len(names) and names.str.startswith("fraud_").all():
        raw["merchant"] = raw["merchant"].cat.rename_categories(names.str.removeprefix("fraud_").tolist())
    return raw[list(COLUMNS)]


def _from_paysim(raw: pd.DataFrame) -> pd.DataFrame:
    """Account C123 is card 123. Step 5 is the hour that begins 5 x 3600 seconds after 1970. A row's number names it.
    There are no places, so no speed is ever too high."""
    _check(raw, "amount", "isFraud")
    if not raw["nameOrig"].str.fullmatch(r"C\d+").all():
        raise ValueError("nameOrig: expected C and a number")
    rows = pd.Series(np.arange(1, len(raw) + 1)).astype(str)
    table = pd.DataFrame(
        {
            "unix_time": raw["step"] * HOUR,
            "trans_num": "paysim-" + rows.str.zfill(9),
            "cc_num": raw["nameOrig"].str.slice(1).astype(np.int64),
            "category": raw["type"],
            "amt": raw["amount"],
            "is_fraud": raw["isFraud"],
            "merchant": raw["nameDest"],
        }
    )
    return table.assign(merch_lat=np.nan, merch_long=np.nan)[list(COLUMNS)]


def _check(raw: pd.DataFrame, amount: str, truth: str) -> None:
    """What Arrow lets pass though it makes no sense; in a text file, `find_fault` then says where it is."""
    if amount in raw and not np.isfinite(raw[amount]).all():
        raise ValueError(f"{amount} is not a finite number everywhere")
    if truth in raw and not raw[truth].isin((0, 1)).all():
        raise ValueError(f"{truth} is not 0 or 1 everywhere")
