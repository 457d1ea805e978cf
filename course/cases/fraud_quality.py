"""How good alerts are, against the truth of the table: right, complete, in time, and in money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Fraudulent transactions of one card belong to one fraud case until the card is quiet for so many seconds.
CASE_GAP = 86_400


@dataclass(frozen=True)
class Quality:
    """What a bank asks of its alerts. A share of nothing is NaN.

    Args:
        transactions: how many were scored.
        alerts: how many were alerted, and so declined.
        alert_rate: alerts / transactions.
        precision: the share of the alerts that were fraud.
        recall: the share of the fraudulent transactions that were alerted.
        cases: how many frauds there were: runs of fraudulent transactions on one card.
        cases_caught: the share of them with at least one alert.
        median_delay: seconds from a caught case's first transaction to its first alert.
        money_stopped: the sum of the fraudulent transactions that were alerted.
        money_lost: the sum of the fraudulent ones that weren't.
        honest_declined: how many honest transactions were declined.
    """

    transactions: int
    alerts: int
    alert_rate: float
    precision: float
    recall: float
    cases: int
    cases_caught: float
    median_delay: float
    money_stopped: float
    money_lost: float
    honest_declined: int


def quality(alerts: pd.DataFrame, table: pd.DataFrame) -> Quality:
    """Compare `alerts` (their `trans_num`) with `is_fraud` of the `table` that was scored."""
    frauds = table.loc[table["is_fraud"].to_numpy() == 1, ["unix_time", "trans_num", "cc_num", "amt"]]
    frauds = frauds.sort_values(["cc_num", "unix_time"], ignore_index=True)
    caught = frauds["trans_num"].isin(alerts["trans_num"]).to_numpy()
    case = _cases(frauds)
    started = frauds["unix_time"].groupby(case).min()
    noticed = frauds["unix_time"][caught].groupby(case[caught]).min()
    delays = noticed - started[noticed.index]
    hits = int(caught.sum())
    return Quality(
        transactions=len(table),
        alerts=len(alerts),
        alert_rate=_share(len(alerts), len(table)),
        precision=_share(hits, len(alerts)),
        recall=_share(hits, len(frauds)),
        cases=len(started),
        cases_caught=_share(len(noticed), len(started)),
        median_delay=float(delays.median()),
        money_stopped=float(frauds["amt"][caught].sum()),
        money_lost=float(frauds["amt"][~caught].sum()),
        honest_declined=len(alerts) - hits,
    )


def _cases(frauds: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The number of each row's fraud case; the rows are sorted by card and time."""
    card, time = frauds["cc_num"].to_numpy(), frauds["unix_time"].to_numpy()
    new = np.ones(len(frauds), dtype=bool)
    new[1:] = (card[1:] != card[:-1]) | (time[1:] - time[:-1] > CASE_GAP)
    return np.cumsum(new)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
