"""From peaks to a ruling on memory: what is met, what is not yet, what can't be told, and when one round is enough."""

from __future__ import annotations

import pytest

from grader.measure.copies import Ruling, Twin, allowed, footprint, growth, rule, too_poor_to_weigh
from grader.weights import Curve, MemoryBars, Weighing

MIB = 1024 * 1024
PAYLOAD = 64 * MIB
BARS = MemoryBars()


def weighing(workers: int, copies: float, samples: int = 50) -> Weighing:
    """`copies` copies beyond a twin of 50 MiB."""
    peak = 50 * MIB + round(copies * PAYLOAD)
    curve = Curve(((0.0, 10 * MIB), (0.5, peak), (1.0, 60 * MIB)), samples, workers + 1, "PSS")
    return Weighing(workers, curve, 50 * MIB, PAYLOAD)


def one(two: float, four: float, samples: int = 50) -> tuple[Weighing, ...]:
    return weighing(2, two, samples), weighing(4, four, samples)


def twins(*peaks: int) -> list[Twin]:
    return [Twin(workers, tuple(peak * MIB for peak in peaks), workers + 1) for workers in (2, 4)]


def test_copies_are_the_peak_beyond_the_twin_in_payloads() -> None:
    assert weighing(2, 1.5).copies == pytest.approx(1.5)
    lighter_than_the_twin = Weighing(2, Curve(((0.0, 10 * MIB),), 9, 1, "PSS"), 50 * MIB, PAYLOAD)
    assert lighter_than_the_twin.copies == 0.0


@pytest.mark.parametrize(
    ("two", "four"),
    [(1.0, 1.0), (1.15, 1.17), (0.5, 1.0)],  # the last one streams: at no time is there a copy and a half
)
def test_one_round_that_is_clearly_below_the_bars_is_met(two: float, four: float) -> None:
    assert rule([one(two, four)], BARS) == Ruling("met", "shared")


@pytest.mark.parametrize(
    ("two", "four", "cause"),
    [
        (4.1, 5.5, "payload copied"),
        (2.0, 4.0, "payload copied"),
        (2.0, 2.0, "held more than once"),
        (3.0, 2.8, "held more than once"),
    ],
)
def test_two_rounds_refuse_where_both_are_clear(two: float, four: float, cause: str) -> None:
    assert rule([one(two, four)], BARS) is None
    assert rule([one(two, four), one(two, four)], BARS) == Ruling("not yet", cause)


def test_one_look_that_counts_pages_twice_refuses_nobody() -> None:
    spike, plain = one(1.0, 2.0), one(1.0, 1.0)
    assert rule([spike], BARS) is None
    assert rule([spike, plain], BARS) is None
    assert rule([spike, plain, plain], BARS) == Ruling("met", "shared")


@pytest.mark.parametrize(("two", "four"), [(1.4, 1.4), (1.6, 1.6), (1.0, 1.2), (1.0, 1.3)])
def test_near_a_bar_three_rounds_rule_by_their_median(two: float, four: float) -> None:
    near = one(two, four)
    assert rule([near], BARS) is None
    assert rule([near, one(1.0, 1.0)], BARS) is None
    met = rule([near, one(1.0, 1.0), one(1.0, 1.0)], BARS)
    refused = rule([near, one(4.0, 5.0), one(4.0, 5.0)], BARS)
    assert met is not None
    assert refused is not None
    assert (met.outcome, refused.outcome) == ("met", "not yet")


def test_one_round_that_is_off_among_three_decides_nothing() -> None:
    ruling = rule([one(1.4, 1.4), one(3.0, 3.0), one(1.2, 1.2)], BARS)
    assert ruling is not None
    assert ruling.outcome == "met"


def test_exactly_at_the_bars_is_met() -> None:
    at = one(1.25, 1.5)
    ruling = rule([at, at, at], BARS)
    assert ruling is not None
    assert ruling.outcome == "met"


def test_what_returned_before_it_was_weighed_three_times_cannot_be_told() -> None:
    ruling = rule([one(1.0, 1.0, samples=2)], BARS)
    assert ruling is not None
    assert (ruling.outcome, ruling.cause) == ("cannot tell", "too short to weigh")


def test_a_lab_sets_its_own_bars() -> None:
    loose = rule([one(2.0, 3.0)], MemoryBars(copies=4.0, growth=2.0))
    assert loose is not None
    assert loose.outcome == "met"


@pytest.mark.parametrize(
    ("payload", "peaks", "cause"),
    [
        (64 * MIB, (50, 51), ""),
        (16 * MIB, (50, 51), ""),
        (15 * MIB, (50, 50), "payload too small to weigh"),
        (
            64 * MIB,
            (50, 70),
            "payload too small to weigh",
        ),  # the twin alone differs by a third of the payload
        (64 * MIB, (0, 0), "memory not readable"),
        (64 * MIB, (), "memory not readable"),
    ],
)
def test_where_memory_cannot_be_weighed_the_cause_is_there_beforehand(
    payload: int, peaks: tuple[int, ...], cause: str
) -> None:
    ruling = too_poor_to_weigh(payload, twins(*peaks))
    assert (ruling.cause if ruling else "") == cause
    assert ruling is None or ruling.outcome == "cannot tell"


def test_the_footprint_shows_the_median_weighing_of_each_number_of_workers() -> None:
    shown = footprint([one(1.0, 1.3), one(1.4, 1.1), one(1.2, 1.2)], BARS)
    assert [round(w.copies, 2) for w in shown.weighings] == [1.2, 1.2]
    assert (shown.rounds, shown.payload) == (3, PAYLOAD)


def test_with_more_workers_the_bar_is_what_growth_allows() -> None:
    shown = footprint([one(1.1, 1.2)], BARS)
    assert allowed(shown, shown.weighings[0]) == 1.5
    assert allowed(shown, shown.weighings[1]) == pytest.approx(1.35)
    heavy = footprint([one(4.0, 5.0)], BARS)
    assert allowed(heavy, heavy.weighings[1]) == 1.5


def test_the_first_copy_is_no_growth() -> None:
    assert growth(one(0.4, 1.0)) == pytest.approx(0.0)
    assert growth(one(1.2, 1.5)) == pytest.approx(0.3)
