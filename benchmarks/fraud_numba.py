"""The scoring loop of the fraud case, compiled by numba. Needs numba; nothing else here imports this module early."""

from __future__ import annotations

import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd

from benchmarks.fraud_versions import RULES, Scored
from course.cases import fraud
from course.cases.fraud import DAY, HOUR


def compile_seconds() -> float:
    """Compile the loop now, on a table of one row, and say how long that took."""
    began = time.perf_counter()
    _alerts(fraud.make(1, seed=0))
    return time.perf_counter() - began


def compiled(files: list[Path], workers: int) -> Scored:
    """One process, one thread: the serial program with its loop compiled."""
    for path in files:
        table = fraud.read(path)
        yield len(table), _alerts(table)


def _alerts(table: pd.DataFrame) -> pd.DataFrame:
    rows = fraud.prepare(table, RULES)
    shops = int(rows.shop.max(initial=-1)) + 2  # the last is for an unknown shop, whose number is -1
    limits = (
        RULES.count_1h, RULES.count_24h, RULES.merchants_24h, round(RULES.sum_1h * 100), round(RULES.sum_24h * 100),
        round(RULES.unusual_amount * 100), RULES.unusual_factor, RULES.unusual_after, RULES.mean_weight,
        RULES.speed_kmh / HOUR, RULES.speed_min_km**2,
    )  # fmt: skip
    columns = (rows.card, rows.unix_time, rows.cents, rows.shop, rows.x, rows.y, rows.z)
    reasons = _score(*columns, rows.flags, shops, limits)
    found = np.flatnonzero(reasons)
    alerts = table[["unix_time", "trans_num", "cc_num"]].iloc[rows.order[found]]
    return fraud.in_order([alerts.assign(reasons=reasons[found])])


@numba.njit
def _score(card, unix_time, cents, shop, x, y, z, flags, shops, limits):  # type: ignore[no-untyped-def]
    """The reasons of each row, 0 where it is accepted. As `fraud.score`, with arrays for lists: `kept` holds the
    positions of the accepted rows of the card at hand, `visits` how often each shop is in the day's window."""
    count_1h, count_24h, merchants_24h, sum_1h, sum_24h, unusual, factor, after, weight, speed, near = limits
    reasons = flags.copy()
    kept = np.empty(len(card), dtype=np.int64)
    visits = np.zeros(shops, dtype=np.int64)
    accepted = hour = day = in_hour = in_day = different = 0
    mean = 0.0
    for i in range(len(card)):
        if i == 0 or card[i] != card[i - 1]:
            for k in range(day, accepted):
                visits[shop[kept[k]]] = 0
            accepted = hour = day = in_hour = in_day = different = 0
            mean = 0.0
        now = unix_time[i]
        while hour < accepted and unix_time[kept[hour]] <= now - HOUR:
            in_hour -= cents[kept[hour]]
            hour += 1
        while day < accepted and unix_time[kept[day]] <= now - DAY:
            in_day -= cents[kept[day]]
            visits[shop[kept[day]]] -= 1
            different -= visits[shop[kept[day]]] == 0
            day += 1
        why = reasons[i]
        why |= 4 * (accepted - hour + 1 >= count_1h)
        why |= 8 * (in_hour + cents[i] >= sum_1h)
        why |= 16 * (accepted - day + 1 >= count_24h)
        why |= 32 * (in_day + cents[i] >= sum_24h)
        why |= 64 * (different + (visits[shop[i]] == 0) >= merchants_24h)
        why |= 256 * (cents[i] >= unusual and accepted >= after and cents[i] >= factor * mean)
        if accepted:
            last = kept[accepted - 1]
            gap = now - unix_time[last]
            far = (x[i] - x[last]) ** 2 + (y[i] - y[last]) ** 2 + (z[i] - z[last]) ** 2
            why |= 128 * (far >= near and far >= (speed * gap) ** 2)
        reasons[i] = why
        if why == 0:
            mean = mean + weight * (cents[i] - mean) if accepted else float(cents[i])
            kept[accepted] = i
            accepted += 1
            in_hour += cents[i]
            in_day += cents[i]
            different += visits[shop[i]] == 0
            visits[shop[i]] += 1
    return reasons
