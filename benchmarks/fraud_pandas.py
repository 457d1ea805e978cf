"""The fraud rules as one writes them in pandas: for reading first, and with as few loops as is exact.

`CardHistory` is a second, independent writing of the rules, so agreeing with it means something.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from course.cases.fraud import DAY, EARTH_KM, HOUR, Reason, Rules, in_order, prepare


class CardHistory:
    """What was accepted on one card, and the rules against it."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.hour: deque[Any] = deque()
        self.day: deque[Any] = deque()
        self.accepted = 0
        self.mean = 0.0
        self.last: Any = None

    def judge(self, row: Any) -> Reason:
        """The reasons to alert this transaction; without one, it becomes history."""
        for window, seconds in ((self.hour, HOUR), (self.day, DAY)):
            while window and window[0].unix_time <= row.unix_time - seconds:
                window.popleft()
        rules, cents = self.rules, round(row.amt * 100)
        night = not 5 <= row.unix_time // HOUR % 24 < 23
        fired = {
            Reason.LARGE_AMOUNT: row.amt >= rules.large_amount,
            Reason.LARGE_AT_NIGHT: night and row.amt >= rules.night_amount,
            Reason.COUNT_1H: len(self.hour) + 1 >= rules.count_1h,
            Reason.SUM_1H: _cents(self.hour) + cents >= rules.sum_1h * 100,
            Reason.COUNT_24H: len(self.day) + 1 >= rules.count_24h,
            Reason.SUM_24H: _cents(self.day) + cents >= rules.sum_24h * 100,
            Reason.MERCHANTS_24H: len({row.merchant, *(old.merchant for old in self.day)})
            >= rules.merchants_24h,
            Reason.SPEED: self.last is not None and _too_fast(self.last, row, rules),
            Reason.UNUSUAL_AMOUNT: self.accepted >= rules.unusual_after
            and row.amt >= rules.unusual_amount
            and cents >= rules.unusual_factor * self.mean,
        }
        reasons = Reason(sum(reason for reason, holds in fired.items() if holds))
        if not reasons:
            self.hour.append(row)
            self.day.append(row)
            self.mean = self.mean + rules.mean_weight * (cents - self.mean) if self.accepted else float(cents)
            self.accepted += 1
            self.last = row
        return reasons


def _cents(rows: deque[Any]) -> int:
    return sum(round(row.amt * 100) for row in rows)


def _too_fast(before: Any, row: Any, rules: Rules) -> bool:
    far = math.dist(_place(before), _place(row))
    return far >= rules.speed_min_km and far >= rules.speed_kmh / HOUR * (row.unix_time - before.unix_time)


def _place(row: Any) -> tuple[float, float, float]:
    lat, long = math.radians(row.merch_lat), math.radians(row.merch_long)
    flat = EARTH_KM * math.cos(lat)
    return flat * math.cos(long), flat * math.sin(long), EARTH_KM * math.sin(lat)


def find_alerts_by_group(table: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """`fraud.find_alerts`, as a group a card and a loop over its rows."""
    found, reasons = [], []
    for _, rows in table.groupby("cc_num", sort=False):
        history = CardHistory(rules)
        for row in rows.itertuples():
            if why := history.judge(row):
                found.append(row.Index)
                reasons.append(int(why))
    alerts = table.loc[found, ["unix_time", "trans_num", "cc_num"]]
    return in_order([alerts.assign(reasons=np.array(reasons, dtype=np.int64))])


def suspect_cards(table: pd.DataFrame, rules: Rules) -> NDArray[np.int64]:
    """The cards (`cc_num`) on which a rule might fire if nothing was ever declined. Where none fires, nothing *is*
    declined; so all alerts are on these cards. The table is sorted by time."""
    if table.empty:
        return np.empty(0, dtype=np.int64)
    rows = prepare(table, rules)
    at = np.arange(len(table))
    first = np.searchsorted(rows.card, rows.card)  # of each row's card
    spent = np.concatenate([[0], np.cumsum(rows.cents)])
    moment = rows.card * (np.ptp(rows.unix_time) + DAY + 1) + rows.unix_time
    hour, day = (np.searchsorted(moment, moment - seconds, side="right") for seconds in (HOUR, DAY))
    mean = (
        pd.Series(rows.cents).groupby(rows.card).ewm(alpha=rules.mean_weight, adjust=False).mean().to_numpy()
    )
    before = np.maximum(at - 1, first)
    places = np.column_stack([rows.x, rows.y, rows.z])
    far = np.linalg.norm(places - places[before], axis=1)
    fires = (
        (rows.flags > 0)
        | (at - hour + 1 >= rules.count_1h)
        | (spent[at + 1] - spent[hour] >= rules.sum_1h * 100)
        | (at - day + 1 >= min(rules.count_24h, rules.merchants_24h))  # each merchant needs a transaction
        | (spent[at + 1] - spent[day] >= rules.sum_24h * 100)
        | ((far >= rules.speed_min_km) & (far >= rules.speed_kmh / HOUR * np.diff(rows.unix_time, prepend=0)))
        | ((at - first >= rules.unusual_after) & (rows.cents >= rules.unusual_factor * mean[before] * 0.999))
    )
    cards: NDArray[np.int64] = table["cc_num"].to_numpy()[rows.order[fires]]
    return np.unique(cards)
