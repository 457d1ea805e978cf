"""The fraud case: card transactions, the bank's rules, and how good the alerts are.

    from course.cases import fraud

    table = fraud.make(1_000_000, seed=1)     # a year of transactions, with planted fraud
    fraud.write(table, folder, parts=16)      # files that share no card
    table = fraud.read_folder(folder)
    alerts = fraud.find_alerts(table)         # the baseline: serial, one card after the other
    fraud.quality(alerts, table)

**An alerted transaction is declined**, so it never enters its card's history: what is judged next depends on
what was decided before. That is why rolling windows over the columns don't give these alerts.

The history belongs to one card alone, so tables that share no card can be scored apart, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from itertools import chain, count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.cases.fraud_columns import COLUMNS, FraudFileError, in_time_order
from course.cases.fraud_make import make
from course.cases.fraud_quality import Quality, quality
from course.cases.fraud_read import read, read_folder
from course.cases.fraud_write import write

__all__ = [
    "COLUMNS",
    "FraudFileError",
    "Prepared",
    "Quality",
    "Reason",
    "Rules",
    "find_alerts",
    "in_order",
    "make",
    "prepare",
    "quality",
    "read",
    "read_folder",
    "score",
    "write",
]

HOUR = 3_600
DAY = 86_400
EARTH_KM = 6_371.0
# Rows turned into Python objects at once: few enough to stay in the cache, many enough to cost nothing.
CHUNK = 100_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Reason(IntFlag):
    """Why a transaction was alerted. Several may hold at once; in pandas: `alerts["reasons"] & Reason.SPEED.value`."""

    LARGE_AMOUNT = 1
    LARGE_AT_NIGHT = 2
    COUNT_1H = 4
    SUM_1H = 8
    COUNT_24H = 16
    SUM_24H = 32
    MERCHANTS_24H = 64
    SPEED = 128
    UNUSUAL_AMOUNT = 256


@dataclass(frozen=True)
class Rules:
    """Thresholds; each is reached "at least". Money is in the table's currency.

    A window holds the transaction at hand and those accepted on its card less than 1 or 24 hours before it.
    """

    large_amount: float = 1_500.0
    night_amount: float = 300.0  # from 23 to 5 o'clock, UTC
    count_1h: int = 4
    sum_1h: float = 500.0
    count_24h: int = 20
    sum_24h: float = 1_500.0
    merchants_24h: int = 13  # different ones
    speed_kmh: float = 900.0  # since the last accepted transaction, in a straight line
    speed_min_km: float = 150.0  # nearer than this, no speed is too high
    unusual_factor: float = 4.5  # times the running mean of the card's accepted amounts ...
    unusual_amount: float = 100.0  # ... when it is no small sum ...
    unusual_after: int = 5  # ... and so many, one or more, were accepted before
    mean_weight: float = 0.1  # of the newest amount in that (exponentially weighted) mean


@dataclass(frozen=True)
class Prepared:
    """What `score` needs: card after card, each card by time; all that needs no history is worked out.

    Args:
        order: the position in the table of each row here.
        card: number of the card.
        unix_time: seconds.
        cents: the amount in hundredths, whole, so that sums are exact.
        shop: number of the merchant.
        x, y, z: the place, in km from the middle of the Earth. NaN where it isn't known: never too fast.
        flags: the reasons that need no history.
    """

    order: Ints
    card: Ints
    unix_time: Ints
    cents: Ints
    shop: Ints
    x: Floats
    y: Floats
    z: Floats
    flags: Ints

    def rows(self) -> Iterator[tuple[int, int, int, int, int, float, float, float, int]]:
        """(position, card, unix_time, cents, shop, x, y, z, flags) of each row, as Python's own numbers."""
        columns = (self.card, self.unix_time, self.cents, self.shop, self.x, self.y, self.z, self.flags)
        starts = range(0, len(self.card), CHUNK)
        return chain.from_iterable(
            zip(count(start), *(column[start : start + CHUNK].tolist() for column in columns), strict=False)
            for start in starts
        )


def find_alerts(table: pd.DataFrame, rules: Rules = Rules()) -> pd.DataFrame:
    """The transactions that the rules alert and so decline: the serial baseline.

    Args:
        table: `COLUMNS` (is_fraud and category aren't looked at), in any order. Of rows of one card in the same
            second, the one that stands first happened first.

    Returns:
        `unix_time`, `trans_num`, `cc_num`, `reasons` (a sum of `Reason`), ordered by (unix_time, trans_num).
    """
    table = in_time_order(table)
    prepared = prepare(table, rules)
    found, reasons = score(prepared, rules)
    alerts = table[["unix_time", "trans_num", "cc_num"]].iloc[prepared.order[found]]
    return in_order([alerts.assign(reasons=np.asarray(reasons, dtype=np.int64))])


def in_order(alerts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Alerts of one or more tables as one table, ordered by (unix_time, trans_num)."""
    whole = pd.concat(list(alerts), ignore_index=True)
    return whole.sort_values(["unix_time", "trans_num"], ignore_index=True)


def prepare(table: pd.DataFrame, rules: Rules) -> Prepared:
    """Work out, column by column, what needs no history. The table is sorted by time."""
    card = pd.factorize(table["cc_num"].to_numpy())[0]
    order = np.argsort(card, kind="stable")  # stable: each card stays sorted by time
    times = table["unix_time"].to_numpy()
    cents = np.rint(table["amt"].to_numpy() * 100).astype(np.int64)
    merchant = table["merchant"]
    known = isinstance(merchant.dtype, pd.CategoricalDtype)
    shop = (merchant.cat.codes.to_numpy() if known else pd.factorize(merchant)[0]).astype(np.int64)
    lat, long = (np.radians(table[name].to_numpy()) for name in ("merch_lat", "merch_long"))
    hour = times // HOUR % 24
    night = (hour >= 23) | (hour < 5)
    flags = (cents >= rules.large_amount * 100) * Reason.LARGE_AMOUNT.value
    flags += (night & (cents >= rules.night_amount * 100)) * Reason.LARGE_AT_NIGHT.value
    return Prepared(
        order=order,
        card=card[order],
        unix_time=times[order],
        cents=cents[order],
        shop=shop[order],
        x=(EARTH_KM * np.cos(lat) * np.cos(long))[order],
        y=(EARTH_KM * np.cos(lat) * np.sin(long))[order],
        z=(EARTH_KM * np.sin(lat))[order],
        flags=flags[order],
    )


def score(prepared: Prepared, rules: Rules) -> tuple[list[int], list[int]]:
    """Judge each transaction by its card's accepted history.

    One tight loop, and longer than we like for that reason: the state of the card at hand lives in local names,
    which Python reads faster than anything else.

    Returns:
        The positions in `prepared` of the alerted rows, and the reasons of each.
    """
    count_1h, count_24h, merchants_24h = rules.count_1h, rules.count_24h, rules.merchants_24h
    sum_1h, sum_24h = round(rules.sum_1h * 100), round(rules.sum_24h * 100)
    unusual, factor, after = round(rules.unusual_amount * 100), rules.unusual_factor, rules.unusual_after
    weight = rules.mean_weight
    speed, near = rules.speed_kmh / HOUR, rules.speed_min_km**2
    anywhere = 2 * EARTH_KM / speed  # seconds after which no place on Earth is too far
    found: list[int] = []
    reasons: list[int] = []
    current = -1
    for position, card, now, cents, shop, x, y, z, flags in prepared.rows():
        if card != current:
            current = card
            # What was accepted. The windows begin at `hour` and at `day`, and hold so many cents.
            times: list[int] = []
            amounts: list[int] = []
            shops: list[int] = []
            accepted = hour = day = in_hour = in_day = 0
            mean = last_x = last_y = last_z = 0.0
        while hour < accepted and times[hour] <= now - HOUR:
            in_hour -= amounts[hour]
            hour += 1
        while day < accepted and times[day] <= now - DAY:
            in_day -= amounts[day]
            day += 1
        if accepted - hour + 1 >= count_1h:
            flags |= Reason.COUNT_1H.value
        if in_hour + cents >= sum_1h:
            flags |= Reason.SUM_1H.value
        if accepted - day + 1 >= count_24h:
            flags |= Reason.COUNT_24H.value
        if in_day + cents >= sum_24h:
            flags |= Reason.SUM_24H.value
        if accepted - day + 1 >= merchants_24h and len({shop, *shops[day:]}) >= merchants_24h:
            flags |= Reason.MERCHANTS_24H.value
        if cents >= unusual and accepted >= after and cents >= factor * mean:
            flags |= Reason.UNUSUAL_AMOUNT.value
        if accepted and (gap := now - times[-1]) < anywhere:
            far = (x - last_x) ** 2 + (y - last_y) ** 2 + (z - last_z) ** 2
            if far >= near and far >= (speed * gap) ** 2:
                flags |= Reason.SPEED.value
        if flags:
            found.append(position)
            reasons.append(flags)
            continue
        mean = mean + weight * (cents - mean) if accepted else float(cents)
        accepted += 1
        times.append(now)
        amounts.append(cents)
        shops.append(shop)
        in_hour += cents
        in_day += cents
        last_x, last_y, last_z = x, y, z
    return found, reasons
