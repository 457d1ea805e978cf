"""Writing transactions: one file, or parts that share no card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from course.cases.fraud_columns import CUSTOMER, TRANSACTION, FraudFileError, in_time_order
from course.cases.fraud_make import dates

Format = Literal["parquet", "csv"]
WHOLE = "transactions"
_QUICKLY: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}


def write(
    table: pd.DataFrame,
    folder: Path,
    *,
    parts: int | Sequence[float] | None = None,
    format: Format = "parquet",
    compressed: bool = True,
) -> list[Path]:
    """Write the table to `folder`, which is made if need be and afterwards holds this table alone.

    Args:
        table: what `make` or `read` gives.
        folder: a file appears there under its name only when it is whole. Files that an earlier `write` left
            there are replaced or removed; others aren't touched.
        parts: None writes one file, `transactions.*`. A number writes `part-000.*` and so on: a card's
            transactions are all in one of them, chosen by a hash of `cc_num`. Their sizes differ as cards do.
            Several numbers write as many parts, and each says how large its part's share of the cards is, beside
            the others'.
        format: "parquet", or "csv" as Sparkov's generator writes it (separated by `|`).
        compressed: parquet files as small as can be; else they are written faster, and several times as large.

    Returns:
        The files, by name. Each is sorted by `unix_time`.
    """
    shares = [1.0] * parts if isinstance(parts, int) else None if parts is None else list(parts)
    if shares is not None and not (shares and min(shares) > 0):
        raise ValueError(f"write(parts={parts}): expected at least 1, shares above 0, or None for one file")
    save = {
        "parquet": _save_parquet if compressed else partial(_save_parquet, **_QUICKLY),
        "csv": _save_csv,
    }.get(format)
    if save is None:
        raise ValueError(f"write(format={format!r}): expected 'parquet' or 'csv'")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = in_time_order(table)

    def written_to(stem: str, rows: NDArray[np.int64] | None) -> Path:
        path = folder / f"{stem}.{format}"
        unfinished = folder / f"{stem}.{format}.unfinished"
        try:
            save(table if rows is None else table.iloc[rows], unfinished)
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        return path

    # One file after the other. Threads would save a third of the time, but a Ctrl-C between two lines of their pool's
    # code would now and then leave it locked, and this process waiting for ever.
    written = [written_to(*file) for file in _files(table, shares)]
    for old in set(files_in(folder)) - set(written):
        old.unlink()
    return written


def files_in(folder: Path) -> list[Path]:
    """The files in `folder` that `write` names so, by name."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix in (".parquet", ".csv") and (path.stem == WHOLE or path.stem.startswith("part-"))
    )


def part_of(cc_num: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.int64]:
    """Which part each card belongs to: a hash (the finalizer of splitmix64), the same on every machine.

    The range of the hash is cut into as many pieces as there are shares, each as long as its share.
    """
    mixed = cc_num.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    place = ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(
        np.float64
    ) / 2.0**53  # 0 <= place < 1
    ends = np.cumsum(shares) / np.sum(shares)
    return np.searchsorted(ends[:-1], place, side="right").astype(np.int64)


def _files(
    table: pd.DataFrame, shares: Sequence[float] | None
) -> Iterator[tuple[str, NDArray[np.int64] | None]]:
    """Name and rows of each file (None: all of them), sorted by time as the table is."""
    if shares is None:
        yield WHOLE, None
        return
    part = part_of(table["cc_num"].to_numpy(), shares)
    order = np.argsort(part, kind="stable")
    ends = np.cumsum(np.bincount(part, minlength=len(shares)))
    for number, rows in enumerate(np.split(order, ends[:-1])):
        yield f"part-{number:03d}", rows


def _save_parquet(rows: pd.DataFrame, path: Path, **how: Any) -> None:
    # One thread: starting more for each of many small files costs a third of the time.
    table = pa.Table.from_pandas(rows, preserve_index=False, nthreads=1)
    pa.parquet.write_table(table, path, **{"compression": "zstd", **how})


def _save_csv(rows: pd.DataFrame, path: Path) -> None:
    """Sparkov's columns in Sparkov's order, as far as the table has them; dates and times from `unix_time`."""
    day, time = dates(rows["unix_time"].to_numpy())
    columns = {"trans_date": day, "trans_time": time}
    for name in set(rows.columns) - columns.keys():
        values = pa.array(rows[name])
        columns[name] = values.cast(pa.string()) if pa.types.is_dictionary(values.type) else values
    table = pa.table({name: columns[name] for name in (*CUSTOMER, *TRANSACTION) if name in columns})
    options = pa.csv.WriteOptions(include_header=False, delimiter="|", quoting_style="none")
    with open(path, "wb") as file:
        file.write(("|".join(table.column_names) + "\n").encode())
        try:
            pa.csv.write_csv(table, file, options)
        except pa.ArrowInvalid as error:
            raise FraudFileError(f"{path}: a value can't stand between '|' unquoted: {error}") from None
