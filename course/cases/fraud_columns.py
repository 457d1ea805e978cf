"""Names and types of the fraud case's columns, as Sparkov's generator publishes them.

A Sparkov row is the customer's columns followed by the transaction's. Scoring needs only `COLUMNS`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

CUSTOMER = (
    "ssn", "cc_num", "first", "last", "gender", "street", "city", "state", "zip",
    "lat", "long", "city_pop", "job", "dob", "acct_num", "profile",
)  # fmt: skip
TRANSACTION = (
    "trans_num", "trans_date", "trans_time", "unix_time", "category", "amt", "is_fraud",
    "merchant", "merch_lat", "merch_long",
)  # fmt: skip

# The types of what `make` gives and `read` gives. Of the others, trans_num is text, category and merchant are
# categories.
NUMBERS: dict[str, npt.DTypeLike] = {
    "unix_time": np.int64,  # seconds since 1970, UTC
    "cc_num": np.int64,
    "amt": np.float64,
    "is_fraud": np.int8,
    "merch_lat": np.float64,  # degrees
    "merch_long": np.float64,
}
COLUMNS = (
    "unix_time", "trans_num", "cc_num", "category", "amt", "is_fraud", "merchant", "merch_lat", "merch_long",
)  # fmt: skip


class FraudFileError(ValueError):
    """A file that isn't what the fraud case reads or may write. The message names the file, the line if there
    is one, what was found and what was expected."""


def in_time_order(table: pd.DataFrame) -> pd.DataFrame:
    """The table sorted by `unix_time`. Rows of one second keep their order; a sorted table comes back as it is."""
    times = table["unix_time"].to_numpy()
    if bool((times[1:] >= times[:-1]).all()):
        return table
    return table.iloc[np.argsort(times, kind="stable")].reset_index(drop=True)
