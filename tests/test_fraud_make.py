"""Made transactions: the same for the same seed, skewed, lifelike, and with fraud in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from course.cases import fraud
from course.cases.fraud_columns import CUSTOMER, TRANSACTION


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return fraud.make(200_000, seed=1)


def test_the_same_seed_makes_the_same_table_and_another_seed_another() -> None:
    first, again, other = (fraud.make(3_000, seed=seed) for seed in (5, 5, 6))
    pd.testing.assert_frame_equal(first, again)
    assert not first["trans_num"].isin(other["trans_num"]).any()


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 99, 100, 101, 7_919])
def test_every_size_has_as_many_rows_as_asked_and_the_same_types(rows: int, year: pd.DataFrame) -> None:
    table = fraud.make(rows, seed=2)
    assert len(table) == rows
    assert list(table.columns) == list(fraud.COLUMNS)
    assert [str(kind) for kind in table.dtypes] == [str(kind) for kind in year.dtypes]


def test_rows_are_sorted_by_time_within_one_year(year: pd.DataFrame) -> None:
    assert year["unix_time"].is_monotonic_increasing
    years = pd.to_datetime(year["unix_time"], unit="s").dt.year
    assert set(years) == {2025}


def test_transaction_numbers_are_distinct_words_of_32_hex_digits(year: pd.DataFrame) -> None:
    assert year["trans_num"].is_unique
    assert year["trans_num"].str.fullmatch("[0-9a-f]{32}").all()


def test_a_few_cards_are_very_active(year: pd.DataFrame) -> None:
    per_card = year["cc_num"].value_counts()
    assert per_card.head(len(per_card) // 100).sum() > 0.1 * len(year)
    assert per_card.max() > 20 * per_card.median()


def test_people_shop_by_day_and_near_home() -> None:
    table = fraud.make(20_000, seed=3, full=True)
    honest = table[table["is_fraud"] == 0]
    hours = pd.to_datetime(honest["unix_time"], unit="s").dt.hour
    assert (hours.between(12, 17).sum()) > 5 * (hours.between(0, 5).sum())
    away = np.hypot(honest["lat"] - honest["merch_lat"], honest["long"] - honest["merch_long"])
    assert away.median() < 0.5  # degrees
    assert (away > 5).any()  # travellers, who are honest too


def test_planted_fraud_comes_in_bursts_far_away_and_in_large_sums(year: pd.DataFrame) -> None:
    bad = year[year["is_fraud"] == 1]
    assert 0.003 < len(bad) / len(year) < 0.01
    assert bad.groupby("cc_num").size().median() >= 5
    assert bad["amt"].median() > 2 * year["amt"].median()
    assert (bad["amt"] < 3).any()  # the card is tried out first


def test_card_numbers_are_none_that_a_bank_issues(year: pd.DataFrame) -> None:
    assert year["cc_num"].between(9 * 10**15, 10**16 - 1).all()


def test_the_number_of_cards_can_be_chosen() -> None:
    assert fraud.make(5_000, seed=1, cards=3)["cc_num"].nunique() == 3
    assert fraud.make(5_000, seed=1, cards=1)["cc_num"].nunique() == 1


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_the_full_table_has_sparkovs_columns_in_sparkovs_order(rows: int) -> None:
    table = fraud.make(rows, seed=4, full=True)
    assert list(table.columns) == [*CUSTOMER, *TRANSACTION]
    moments = pd.to_datetime(table["trans_date"] + " " + table["trans_time"], format="%Y-%m-%d %H:%M:%S")
    assert (moments.astype("datetime64[s]").astype("int64") == table["unix_time"]).all()
    assert table.groupby("cc_num")["ssn"].nunique().le(1).all()


@pytest.mark.parametrize(("rows", "cards"), [(-1, None), (10, 0)])
def test_a_senseless_size_is_refused(rows: int, cards: int | None) -> None:
    with pytest.raises(ValueError, match="expected rows >= 0 and cards >= 1"):
        fraud.make(rows, seed=1, cards=cards)
