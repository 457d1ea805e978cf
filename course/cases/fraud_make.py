"""Making a year of card transactions with planted fraud, column by column.

    ordinary rows: times from a yearly rhythm, cards by activity, shops near home
  + episodes:      short runs of one card; some are fraud, some only look like it
  = one table, sorted by time

There is no loop over rows: a million rows take well under a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from course.cases.fraud_columns import COLUMNS, CUSTOMER, TRANSACTION
from course.cases.fraud_people import CATEGORIES, CITIES, SHOPS_PER_CITY, World, customers, make_world

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

YEAR_START = 1_735_689_600  # 1 January 2025, 00:00 UTC
DAYS = 365
DAY = 86_400
ROWS_PER_CARD = 100
# The spread of log activity between cards: the busiest hundredth makes about a sixth of all rows.
ACTIVITY_SPREAD = 1.4
# No card is busier than so many times the mean: some 4,000 transactions a year, as a firm's card may have.
BUSIEST = 40
# How busy each hour of a day and each day of a week is, in any unit.
HOURS = (2, 1, 1, 1, 1, 2, 5, 9, 11, 12, 13, 15, 17, 14, 13, 14, 16, 19, 19, 15, 11, 8, 5, 3)
WEEKDAYS = (9, 9, 10, 11, 14, 16, 12)


@dataclass(frozen=True)
class Episode:
    """A kind of run of transactions on one card.

    Args:
        share: of all rows.
        rows: fewest and most rows of a run.
        gap: mean seconds between them.
        factor: how many times the ordinary amount is paid, from and to.
        tests: how many rows at the start are tiny amounts that try the card out.
        far: in another city, while the card's ordinary rows go on at home.
    """

    share: float
    rows: tuple[int, int]
    gap: float
    factor: tuple[float, float]
    tests: int = 0
    far: bool = False
    fraud: bool = False


EPISODES = (
    Episode(share=0.0020, rows=(8, 14), gap=90, factor=(5, 14), tests=3, fraud=True),  # tested, then emptied
    Episode(share=0.0015, rows=(5, 10), gap=600, factor=(3, 10), far=True, fraud=True),  # a cloned card
    Episode(share=0.0025, rows=(12, 24), gap=180, factor=(1, 4), fraud=True),  # many shops in a short time
    Episode(share=0.0005, rows=(15, 25), gap=2_400, factor=(0.8, 2), fraud=True),  # many shops, unhurried
    Episode(share=0.0040, rows=(3, 8), gap=6 * 3_600, factor=(0.7, 2), far=True),  # a traveller
    Episode(share=0.0060, rows=(5, 9), gap=2_400, factor=(0.7, 2)),  # a busy day in town
    Episode(share=0.0010, rows=(1, 1), gap=1, factor=(5, 20)),  # a new fridge
)


@dataclass(frozen=True)
class Draft:
    """Rows in the making, as arrays of one length. `card` and `shop` are positions in the `World`."""

    unix_time: Ints
    card: Ints
    shop: Ints
    amt: Floats
    is_fraud: NDArray[np.int8]


def make(rows: int, *, seed: int, cards: int | None = None, full: bool = False) -> pd.DataFrame:
    """A year of transactions with planted fraud, sorted by `unix_time`.

    Args:
        rows: how many; 0 gives an empty table with the right types.
        seed: the same seed gives the same table.
        cards: how many cards there are; by default one for each 100 rows. Cards differ much in activity.
        full: all of Sparkov's columns (those of the customer too) instead of the ones that scoring needs.

    Returns:
        `COLUMNS`, or with `full` Sparkov's `CUSTOMER + TRANSACTION`. `is_fraud` is the planted truth.
    """
    if rows < 0 or (cards is not None and cards < 1):
        raise ValueError(f"make(rows={rows}, cards={cards}): expected rows >= 0 and cards >= 1")
    rng = np.random.default_rng(seed)
    world = make_world(rng, cards if cards is not None else max(1, rows // ROWS_PER_CARD))
    activity = _activity(rng, len(world.cc_num))
    planted = [_plant(rng, world, activity, rows, kind) for kind in EPISODES]
    usual = _ordinary(rng, world, activity, rows - sum(len(draft.card) for draft in planted))
    draft = _sorted([usual, *planted])
    table = _as_table(rng, world, draft)
    return _with_customers(rng, world, draft, table) if full else table


def _activity(rng: np.random.Generator, cards: int) -> Floats:
    """Each card's share of the ordinary rows: log-normal, so a few cards have very much."""
    activity = rng.lognormal(0.0, ACTIVITY_SPREAD, cards)
    activity = np.minimum(activity, BUSIEST * activity.mean())
    shares: Floats = activity / activity.sum()
    return shares


def _ordinary(rng: np.random.Generator, world: World, activity: Floats, rows: int) -> Draft:
    counts = rng.multinomial(rows, activity)
    card = rng.permutation(np.repeat(np.arange(len(activity), dtype=np.int32), counts)).astype(np.int64)
    shop = _usual_shop(rng, world, card, world.home_city[card])
    return Draft(_times(rng, rows), card, shop, _amounts(rng, world, card, shop), np.zeros(rows, np.int8))


def _times(rng: np.random.Generator, rows: int) -> Ints:
    """Sorted moments of the year that follow the busy hours and weekdays. Nothing has to be sorted: sums of
    exponential gaps, divided by their total, are sorted uniform numbers (Devroye 1986, chapter V)."""
    first_weekday = (YEAR_START // DAY + 3) % 7  # 1 January 1970 was a Thursday
    days = np.resize(np.roll(WEEKDAYS, -first_weekday), DAYS)
    busy = np.concatenate([[0.0], np.cumsum(np.outer(days, HOURS).ravel())])
    gaps = np.cumsum(rng.standard_exponential(rows + 1))
    hours = np.interp(gaps[:-1] / gaps[-1], busy / busy[-1], np.arange(len(busy)))
    times: Ints = YEAR_START + (hours * 3_600).astype(np.int64)
    return times


def _usual_shop(rng: np.random.Generator, world: World, card: Ints, city: Ints) -> Ints:
    """A shop of the city; each card goes most often to its own few favourites."""
    rank = (rng.random(len(card)) ** 3 * SHOPS_PER_CITY).astype(np.int64)
    return city * SHOPS_PER_CITY + (world.favourite[card] + rank) % SHOPS_PER_CITY


def _amounts(rng: np.random.Generator, world: World, card: Ints, shop: Ints) -> Floats:
    """Log-normal amounts in dollars, not yet rounded."""
    level = world.shop_level[shop] + world.card_level[card]
    return np.exp(level + 0.5 * rng.standard_normal(len(card)))


def _plant(rng: np.random.Generator, world: World, activity: Floats, rows: int, kind: Episode) -> Draft:
    """Episodes of one kind on cards chosen by activity: a card that is used more is stolen more."""
    low, high = kind.rows
    episodes = int(rows * kind.share / ((low + high) / 2))
    sizes = rng.integers(low, high + 1, episodes)
    episode = np.repeat(np.arange(episodes), sizes)
    first = np.cumsum(sizes) - sizes
    step = np.arange(len(episode)) - first[episode]
    chosen = rng.choice(len(activity), episodes, p=activity)
    card = chosen[episode]
    shift = rng.integers(1, len(CITIES), episodes) if kind.far else np.zeros(episodes, np.int64)
    city = ((world.home_city[chosen] + shift) % len(CITIES))[episode]
    if kind.fraud:  # a thief has no favourites, and goes from shop to shop
        shop = (
            city * SHOPS_PER_CITY
            + (rng.integers(0, SHOPS_PER_CITY, episodes)[episode] + step) % SHOPS_PER_CITY
        )
    else:
        shop = _usual_shop(rng, world, card, city)
    amt = _amounts(rng, world, card, shop) * rng.uniform(*kind.factor, len(card))
    amt = np.where(step < kind.tests, rng.uniform(0.5, 3.0, len(card)), amt)
    return Draft(
        _episode_times(rng, episode, first, kind), card, shop, amt, np.full(len(card), kind.fraud, np.int8)
    )


def _episode_times(rng: np.random.Generator, episode: Ints, first: Ints, kind: Episode) -> Ints:
    start = rng.permutation(_times(rng, len(first)))
    waits = np.cumsum(rng.exponential(kind.gap, len(episode)).astype(np.int64) + 1)
    times = start[episode] + waits - waits[first[episode]]
    before_new_year: Ints = np.minimum(times, YEAR_START + DAYS * DAY - 1)
    return before_new_year


def _sorted(drafts: list[Draft]) -> Draft:
    """All rows in one draft, by time."""
    times = np.concatenate([draft.unix_time for draft in drafts])
    order = np.argsort(times, kind="stable")
    return Draft(
        times[order],
        np.concatenate([draft.card for draft in drafts])[order],
        np.concatenate([draft.shop for draft in drafts])[order],
        np.concatenate([draft.amt for draft in drafts])[order],
        np.concatenate([draft.is_fraud for draft in drafts])[order],
    )


def _as_table(rng: np.random.Generator, world: World, draft: Draft) -> pd.DataFrame:
    category = pd.CategoricalDtype(list(CATEGORIES))
    merchant = pd.CategoricalDtype(world.shop_name)
    columns = {
        "unix_time": draft.unix_time,
        "trans_num": random_hex(rng, len(draft.card)),
        "cc_num": world.cc_num[draft.card],
        "category": pd.Categorical.from_codes(world.shop_category[draft.shop], dtype=category),
        "amt": np.round(draft.amt, 2),
        "is_fraud": draft.is_fraud,
        "merchant": pd.Categorical.from_codes(draft.shop.astype(np.int16), dtype=merchant),
        "merch_lat": world.shop_lat[draft.shop],
        "merch_long": world.shop_long[draft.shop],
    }
    return pd.DataFrame(columns, columns=list(COLUMNS))


def random_hex(rng: np.random.Generator, rows: int) -> pd.Series[str]:
    """Random words of 32 hexadecimal digits. One long text and the offsets of its words: no loop over rows."""
    text = pa.py_buffer(rng.bytes(16 * rows).hex().encode())
    offsets = pa.py_buffer(np.arange(rows + 1, dtype=np.int64) * 32)
    words: pd.Series[str] = pa.LargeStringArray.from_buffers(rows, offsets, text).to_pandas()
    return words


def dates(unix_time: Ints) -> tuple[pa.Array, pa.Array]:
    """Sparkov's `trans_date` and `trans_time` (Arrow dates and times, UTC) of `unix_time`."""
    moments = pa.array(unix_time).cast(pa.timestamp("s"))
    return moments.cast(pa.date32()), moments.cast(pa.time32("s"))


def _with_customers(
    rng: np.random.Generator, world: World, draft: Draft, table: pd.DataFrame
) -> pd.DataFrame:
    holders = customers(rng, world).drop(columns="cc_num").iloc[draft.card].reset_index(drop=True)
    day, time = (moment.cast(pa.string()).to_pandas() for moment in dates(draft.unix_time))
    whole = pd.concat([table, holders], axis=1).assign(trans_date=day, trans_time=time)
    return whole[[*CUSTOMER, *TRANSACTION]]
