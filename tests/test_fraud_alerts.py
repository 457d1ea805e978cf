"""The serial baseline: each rule, what declining does to the history, and that parts give what the whole gives."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from course.cases import fraud
from course.cases.fraud import Reason, Rules

NOON = 1_735_732_800  # 1 January 2025, 12:00 UTC
HOUR = 3_600
DEFAULT = Rules()
HOME = (40.0, -75.0)
FAR = (34.0, -118.0)  # some 3,800 km from home


def buy(
    at: int, amt: float = 20.0, *, card: int = 1, shop: str = "A", place: tuple[float, float] = HOME
) -> dict[str, Any]:
    return {
        "unix_time": NOON + at,
        "amt": amt,
        "cc_num": card,
        "merchant": shop,
        "merch_lat": place[0],
        "merch_long": place[1],
    }


def table_of(*purchases: dict[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame(purchases)
    table["trans_num"] = [f"{number:032x}" for number in range(len(table))]
    return table.assign(category="misc_pos", is_fraud=np.int8(0))[list(fraud.COLUMNS)]


def alerted(*purchases: dict[str, Any], rules: Rules = DEFAULT) -> dict[int, Reason]:
    """The number of each alerted purchase, and why."""
    alerts = fraud.find_alerts(table_of(*purchases), rules)
    return {int(n, 16): Reason(r) for n, r in zip(alerts["trans_num"], alerts["reasons"], strict=True)}


def test_an_ordinary_day_raises_no_alert() -> None:
    assert alerted(*(buy(at * HOUR) for at in range(5))) == {}


def test_a_large_amount_is_alerted_and_one_cent_less_is_not() -> None:
    rules = Rules(sum_1h=1e9, sum_24h=1e9)
    assert alerted(buy(0, 1_500.0), rules=rules) == {0: Reason.LARGE_AMOUNT}
    assert alerted(buy(0, 1_499.99), rules=rules) == {}


@pytest.mark.parametrize(("hours", "night"), [(10.99, False), (11, True), (16.99, True), (17, False)])
def test_three_hundred_is_much_from_23_to_5_o_clock(hours: float, night: bool) -> None:
    assert alerted(buy(int(hours * HOUR), 300.0)) == ({0: Reason.LARGE_AT_NIGHT} if night else {})


def test_the_fourth_purchase_within_an_hour_is_alerted_and_after_exactly_an_hour_is_not() -> None:
    assert alerted(buy(0), buy(10), buy(20), buy(HOUR - 1)) == {3: Reason.COUNT_1H}
    assert alerted(buy(0), buy(10), buy(20), buy(HOUR)) == {}


def test_a_declined_purchase_does_not_count_in_the_windows() -> None:
    """Were the declined ones counted, number 6 would be the fourth within its hour."""
    found = alerted(buy(0), buy(10), buy(20), buy(1_800), buy(2_400), buy(3_000), buy(HOUR + 30))
    assert found == dict.fromkeys((3, 4, 5), Reason.COUNT_1H)


def test_much_money_within_an_hour_or_a_day_is_alerted() -> None:
    assert alerted(buy(0, 250.0), buy(60, 250.0)) == {1: Reason.SUM_1H}
    assert alerted(buy(0, 250.0), buy(60, 249.99)) == {}
    assert alerted(*(buy(at * 2 * HOUR, 295.0) for at in range(6))) == {5: Reason.SUM_24H}


def test_many_purchases_within_a_day_are_alerted() -> None:
    found = alerted(*(buy(at * 1_500, 5.0) for at in range(20)))
    assert found == {19: Reason.COUNT_24H}


def test_the_thirteenth_shop_within_a_day_is_alerted_and_the_same_shop_again_is_not() -> None:
    shops = [buy(at * 1_500, 5.0, shop=f"S{at}") for at in range(12)]
    assert alerted(*shops, buy(12 * 1_500, 5.0, shop="S12")) == {12: Reason.MERCHANTS_24H}
    assert alerted(*shops, buy(12 * 1_500, 5.0, shop="S3")) == {}


def test_impossible_travel_is_alerted_and_a_flight_is_not() -> None:
    assert alerted(buy(0), buy(HOUR, place=FAR)) == {1: Reason.SPEED}
    assert alerted(buy(0), buy(6 * HOUR, place=FAR)) == {}


def test_a_declined_place_is_not_the_last_place() -> None:
    """The owner, at home all the time, isn't declined because of the thief."""
    assert alerted(buy(0), buy(HOUR, place=FAR), buy(HOUR + 60)) == {1: Reason.SPEED}


def test_next_door_is_never_too_fast_and_an_unknown_place_neither() -> None:
    assert alerted(buy(0), buy(0, place=(40.9, -75.0))) == {}
    nowhere = (float("nan"), float("nan"))
    assert alerted(buy(0), buy(60, place=nowhere), buy(120, place=FAR)) == {}


def test_an_amount_far_above_the_running_mean_is_alerted_again_because_it_does_not_raise_the_mean() -> None:
    usual = [buy(day * 24 * HOUR, 30.0) for day in range(5)]
    twice = [buy(5 * 24 * HOUR, 140.0), buy(6 * 24 * HOUR, 140.0)]
    assert alerted(*usual, *twice) == dict.fromkeys((5, 6), Reason.UNUSUAL_AMOUNT)
    assert alerted(*usual[1:], *twice) == {}  # too little is known of the card
    assert alerted(*usual, buy(5 * 24 * HOUR, 134.99)) == {}  # 4.5 times the mean is 135


def test_cards_know_nothing_of_each_other() -> None:
    assert alerted(*(buy(at, card=at) for at in range(10))) == {}


def test_several_reasons_add_up() -> None:
    assert alerted(buy(0), buy(60, 1_600.0, place=FAR)) == {
        1: Reason.LARGE_AMOUNT | Reason.SUM_1H | Reason.SUM_24H | Reason.SPEED
    }


def test_alerts_are_ordered_by_time_and_then_by_number() -> None:
    alerts = fraud.find_alerts(fraud.make(50_000, seed=7))
    assert list(alerts.columns) == ["unix_time", "trans_num", "cc_num", "reasons"]
    keys = list(zip(alerts["unix_time"], alerts["trans_num"], strict=True))
    assert keys == sorted(keys)
    assert alerts["reasons"].min() > 0


def test_no_rows_and_no_alerts_give_an_empty_table_of_the_same_types() -> None:
    some, none, quiet = (fraud.find_alerts(fraud.make(rows, seed=7)) for rows in (20_000, 0, 1))
    assert len(some) > len(none) == len(quiet) == 0
    assert list(none.dtypes) == list(quiet.dtypes) == list(some.dtypes)


def test_the_order_of_the_rows_does_not_matter_and_the_table_stays_as_it_was() -> None:
    table = fraud.make(20_000, seed=8)
    shuffled = table.sample(frac=1.0, random_state=1)
    before = shuffled.copy()
    pd.testing.assert_frame_equal(fraud.find_alerts(shuffled), fraud.find_alerts(table))
    pd.testing.assert_frame_equal(shuffled, before)


@pytest.mark.parametrize("parts", [1, 2, 7, 32])
def test_parts_scored_apart_give_exactly_the_alerts_of_the_whole(parts: int, tmp_path: Path) -> None:
    table = fraud.make(40_000, seed=9, cards=50)
    files = fraud.write(table, tmp_path, parts=parts)
    apart = fraud.in_order(fraud.find_alerts(fraud.read(path)) for path in reversed(files))
    pd.testing.assert_frame_equal(apart, fraud.find_alerts(table))


def test_chunks_of_rows_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    table = fraud.make(5_000, seed=10)
    whole = fraud.find_alerts(table)
    monkeypatch.setattr(fraud, "CHUNK", 7)
    pd.testing.assert_frame_equal(fraud.find_alerts(table), whole)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "rules",
    [
        Rules(),
        Rules(count_1h=2, sum_1h=120.0, count_24h=3, sum_24h=200.0, merchants_24h=3, unusual_factor=1.5),
        replace(
            Rules(), speed_kmh=5.0, speed_min_km=5.0, unusual_after=1, unusual_amount=0.0, mean_weight=0.9
        ),
    ],
)
def test_a_second_writing_of_the_rules_finds_the_same_alerts(
    seed: int, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    other = importlib.import_module("benchmarks.fraud_pandas")
    table = fraud.make(2_000, seed=seed, cards=8)
    expected = other.find_alerts_by_group(table, rules)
    pd.testing.assert_frame_equal(fraud.find_alerts(table, rules), expected)
    assert expected["cc_num"].isin(other.suspect_cards(table, rules)).all()


def test_the_default_rules_catch_most_of_the_planted_fraud_at_a_bearable_price() -> None:
    table = fraud.make(300_000, seed=11)
    alerts = fraud.find_alerts(table)
    found = fraud.quality(alerts, table)
    assert 0.005 < found.alert_rate < 0.015
    assert found.recall > 0.7
    assert found.precision > 0.3
    assert found.cases_caught > 0.9
    assert table["cc_num"].isin(alerts["cc_num"]).mean() > 0.5  # no shortcut past the quiet cards pays


def test_quality_of_a_case_worked_out_by_hand() -> None:
    day = 24 * HOUR
    table = table_of(
        buy(0, 1.0), buy(60, 2.0), buy(120, 300.0),  # a fraud, noticed at its third transaction
        buy(200, 5.0, card=2),  # honest
        buy(3 * day, 40.0), buy(3 * day + 50, 50.0),  # another on the same card, never noticed
        buy(300, 7.0, card=3),  # a third, noticed at once
    )  # fmt: skip
    table["is_fraud"] = np.array([1, 1, 1, 0, 1, 1, 1], dtype=np.int8)
    alerts = table.iloc[[2, 3, 6]][["unix_time", "trans_num", "cc_num"]].assign(reasons=1)
    found = fraud.quality(alerts, table)
    assert (found.transactions, found.alerts, found.cases, found.honest_declined) == (7, 3, 3, 1)
    assert found.alert_rate == pytest.approx(3 / 7)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 6)
    assert found.cases_caught == pytest.approx(2 / 3)
    assert found.median_delay == pytest.approx(60)
    assert (found.money_stopped, found.money_lost) == pytest.approx((307.0, 93.0))


def test_quality_of_nothing_is_not_a_number() -> None:
    nothing = fraud.make(0, seed=1)
    found = fraud.quality(fraud.find_alerts(nothing), nothing)
    assert found.alerts == found.cases == 0
    assert np.isnan([found.precision, found.recall, found.median_delay]).all()
