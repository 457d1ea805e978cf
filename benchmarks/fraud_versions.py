"""The fraud job, from files to ordered alerts, written in several ways.

A version takes the files and the number of workers, and yields (rows scored, alerts) as they come. All of
them must find the same alerts. What workers run is at the top level of this module, so that every start method
can import it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import joblib
import pandas as pd
from joblib.externals.loky import get_reusable_executor

from benchmarks.ctrl_c import deaf_to_ctrl_c, noted_ctrl_c
from benchmarks.fraud_pandas import find_alerts_by_group, suspect_cards
from benchmarks.workers import quiet_pool
from course.cases import fraud

Scored = Iterator[tuple[int, pd.DataFrame]]
Version = Callable[[list[Path], int], Scored]
RULES = fraud.Rules()


def score_file(path: Path) -> tuple[int, pd.DataFrame]:
    """A worker's task: read one part and score it. Only the path and the alerts travel."""
    return score_table(fraud.read(path))


def score_table(table: pd.DataFrame) -> tuple[int, pd.DataFrame]:
    """A worker's task: score rows that were sent to it."""
    return len(table), fraud.find_alerts(table, RULES)


def serial(files: list[Path], workers: int) -> Scored:
    return map(score_file, files)


def own_part(files: list[Path], workers: int) -> Scored:
    """Workers read their own part; the biggest go first, so that no long one is left for the end."""
    with quiet_pool(workers) as pool:
        yield from pool.imap_unordered(score_file, _biggest_first(files))


def with_joblib(files: list[Path], workers: int) -> Scored:
    parallel = joblib.Parallel(
        n_jobs=workers, return_as="generator_unordered", pre_dispatch="all", batch_size=1
    )
    try:
        with deaf_to_ctrl_c():  # this call starts the workers
            scored = parallel(joblib.delayed(score_file)(path) for path in _biggest_first(files))
        yield from scored
    finally:
        with noted_ctrl_c():
            get_reusable_executor().shutdown(wait=True, kill_workers=True)  # joblib would keep them for later


def one_card_a_task(files: list[Path], workers: int) -> Scored:
    yield from _pickled(_cards(files), workers)


def hundred_cards_a_task(files: list[Path], workers: int) -> Scored:
    cards = _cards(files)
    yield from _pickled([pd.concat(cards[i : i + 100]) for i in range(0, len(cards), 100)], workers)


def two_halves(files: list[Path], workers: int) -> Scored:
    """As many cards to each half, the busy ones all in one: equal in number, not in work."""
    cards = sorted(_cards(files), key=len)
    middle = len(cards) // 2
    yield from _pickled([pd.concat(half) for half in (cards[:middle], cards[middle:]) if half], workers)


def pandas_groupby(files: list[Path], workers: int) -> Scored:
    """The plain way in pandas: a group a card, and a loop over its rows."""
    for path in files:
        table = fraud.read(path)
        yield len(table), find_alerts_by_group(table, RULES)


def pandas_candidates(files: list[Path], workers: int) -> Scored:
    """Vectorised as far as that is exact. If no rule would fire although nothing was declined, nothing is declined:
    such a card needs no loop. The other cards do."""
    for path in files:
        table = fraud.read(path)
        suspects = table[table["cc_num"].isin(suspect_cards(table, RULES))]
        yield len(table), fraud.find_alerts(suspects, RULES)


def _biggest_first(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda path: path.stat().st_size, reverse=True)


def _cards(files: list[Path]) -> list[pd.DataFrame]:
    return [rows for path in files for _, rows in fraud.read(path).groupby("cc_num", sort=False)]


def _pickled(tables: list[pd.DataFrame], workers: int) -> Scored:
    with quiet_pool(workers) as pool:
        yield from pool.map(score_table, tables)
