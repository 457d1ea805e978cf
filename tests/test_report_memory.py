"""What a learner, a marker and a script read in the report of a memory check."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from test_report import contrast, html_of, pictures_of, words_of

from grader import causes_memory
from grader.measure.copies import Ruling
from grader.model import Verdict
from grader.report import memory
from grader.report.asjson import check_json
from grader.report.text import WIDTH, render
from grader.weights import Curve, Footprint, MemoryBars, Weighing

MIB = 1024 * 1024


def footprint(two: int = 333, four: int = 449, unit: str = "PSS", rounds: int = 1) -> Footprint:
    """Peaks in MiB, beside twins of 68 and 100, for a payload of 64."""

    def weighing(workers: int, peak: int, idle: int) -> Weighing:
        points = tuple((n / 20, (idle + (peak - idle) * min(n, 40 - n) // 20) * MIB) for n in range(41))
        return Weighing(workers, Curve(points, 41, workers + 1, unit), idle * MIB, 64 * MIB)  # type: ignore[arg-type]

    return Footprint(64 * MIB, (weighing(2, two, 68), weighing(4, four, 100)), MemoryBars(), rounds)


def copied(shown: Footprint | None = None) -> Verdict:
    """Each worker has got its own."""
    shown = shown or footprint()
    findings = causes_memory.of_memory(Ruling("not yet", "payload copied"), shown)
    return Verdict(
        lab="06_shared",
        check="memory",
        asked="At most 1.5 copies.",
        outcome="not yet",
        provisional=False,
        points=0,
        max_points=4,
        reason=findings[0].what,
        findings=findings,
        memory=shown,
    )


def test_the_panel_has_the_verdict_then_a_picture_for_2_and_4_workers_then_what_to_try() -> None:
    shown = html_of(copied())
    assert len(pictures_of(shown)) == 2
    said = words_of(shown)
    parts = (
        "memory: 0 of 4 points",
        "With 4 workers the processes held 5.45 copies of the 64 MiB, with 2 workers 4.14",
        "With 2 workers: lower is better",
        "With 4 workers: lower is better",
        "What to see:",
        "Try next:",
        "Numbers of the weighings",
    )
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert "The plot could not be drawn" not in said


def test_each_picture_has_its_words_and_each_line_its_height() -> None:
    two, four = pictures_of(html_of(copied()))
    for picture, peak, bar, idle in ((two, 333, 164, 68), (four, 449, 196, 100)):
        ElementTree.fromstring(picture)
        label = re.search(r'aria-label="([^"]*)"', picture)
        assert label
        for height in (peak, bar, idle):
            assert f"{height} MiB" in label[1]
            assert f"{height} MiB" in words_of(picture)


def test_the_curve_can_be_told_from_the_page_in_light_and_dark() -> None:
    assert contrast(memory.COLOUR, "#ffffff") >= 3
    assert contrast(memory.COLOUR, "#111111") >= 3


def test_the_caption_says_on_which_side_of_the_bar_each_curve_is() -> None:
    assert memory.picture_in_words(footprint()).count("goes above the bar") == 2
    shared = memory.picture_in_words(footprint(132, 165))
    assert shared.count("stays below the bar") == 2
    assert "1.00 copies at its peak, 1.50 allowed" in shared
    assert "1.02 copies at its peak, 1.25 allowed" in shared


def test_it_is_said_in_what_was_weighed_and_how_often() -> None:
    assert "Weighed once, by PSS" in memory.in_words(footprint())
    assert "The median of 3 weighings, by USS" in memory.in_words(footprint(unit="USS", rounds=3))


def test_the_text_form_draws_both_curves_on_one_scale_in_80_columns() -> None:
    said = render(copied())
    assert max(map(len, said.splitlines())) <= WIDTH
    two, four = (line for line in said.splitlines() if " workers [" in line)
    assert two.endswith("333 MiB")
    assert four.endswith("449 MiB")
    assert max(re.findall(r"\d", four.partition("[")[2].partition("]")[0])) == "9"
    assert max(re.findall(r"\d", two.partition("[")[2].partition("]")[0])) == "7"


def test_json_has_bytes_and_copies_by_the_number_of_workers() -> None:
    (check,) = check_json("06_shared", [copied()], 4)["checks"]
    assert check["memory"] == {
        "payload": 64 * MIB,
        "unit": "PSS",
        "rounds": 1,
        "peaks": {"2": 333 * MIB, "4": 449 * MIB},
        "idle": {"2": 68 * MIB, "4": 100 * MIB},
        "copies": {"2": 4.141, "4": 5.453},
    }


@pytest.mark.parametrize("points", [(), ((0.0, 5 * MIB),)], ids=["none", "one"])
def test_a_curve_with_next_to_no_points_is_shown_all_the_same(points: tuple[tuple[float, int], ...]) -> None:
    weighings = tuple(Weighing(workers, Curve(points, len(points), 1, "PSS"), 0, MIB) for workers in (2, 4))
    odd = copied(Footprint(MIB, weighings, MemoryBars()))
    assert len(pictures_of(html_of(odd))) == 2
    assert "memory: not yet" in render(odd)
