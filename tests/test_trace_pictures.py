"""What a reader sees in the pictures and the page of a traced run."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, replace
from xml.etree import ElementTree

import numpy as np
import pytest
from test_report import contrast, words_of
from traced_runs import bill_of, convoy, pool, program, restless

from grader.report import columns, curve, gantt, trace_page, trace_words, waterfall
from grader.report.trace_words import PARTS
from grader.tracing.bill import SECONDS, bill
from grader.tracing.timeline import Lane, Span, Task, Timeline

LARGEST = 300_000  # bytes of one picture
HOSTILE = '<script>alert("x")</script> $\\frac{$ & \x1b[31m\x00 \ud800 id="a" url(#b)'
MEASURED = ((1, 0.97), (2, 1.81))


@dataclass(frozen=True)
class Reason:
    cause: str = "big-arguments"
    share: float = 0.71
    seconds: float = 0.5
    evidence: str = "412 MB went to workers."
    what: str = "Much goes to the workers."
    try_next: str = "Let each worker `read` its own part."


def said_of(svg: str) -> str:
    """The text alternative."""
    return ElementTree.fromstring(svg).get("aria-label", "")


def colours(svg: str) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}", svg))


# The timeline


def test_the_timeline_names_its_lanes_states_and_slowest_task() -> None:
    run = pool(2, 12)
    said = words_of(gantt.picture(run, "x"))
    for part in ("program", "worker 1", "worker 2", "work, on a core", "start-up", "slowest task: score("):
        assert part in said
    assert "seconds since the run began" in said


def test_the_timeline_starts_at_zero() -> None:
    assert re.search(r">0(\.0+)?</text>", gantt.picture(pool(), "x"))


def test_the_text_alternative_says_what_each_of_a_few_workers_did() -> None:
    said = said_of(gantt.picture(pool(2, 12), "x"))
    assert said.startswith("Timeline of 2 workers over 2.00 s. Worker 1: ")
    assert re.search(r"Worker 2: \d+ % working on a core, \d+ % waiting for a queue", said)
    assert "The slowest of 12 tasks: score(" in said


def test_the_text_alternative_of_many_workers_is_no_list_of_them() -> None:
    said = said_of(gantt.picture(pool(64, 640), "x"))
    assert said.startswith("Timeline of 64 workers over 2.00 s. On average: ")
    assert "Most work: worker" in said
    assert len(said) < 600


def test_shares_of_the_time_add_up_to_all_of_it() -> None:
    run = convoy()
    for lane in run.workers:
        assert sum(trace_words.shares([lane], run.wall).values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "run",
    [pool(64, 10_000, 20.0), restless(64, changes=2000), restless(512, changes=150)],
    ids=["64 workers, 10,000 tasks", "64 restless", "512 restless"],
)
def test_a_timeline_stays_small_whatever_the_run(run: Timeline) -> None:
    svg = gantt.picture(run, "x")
    assert len(svg) < LARGEST
    ElementTree.fromstring(svg)


def test_work_on_a_core_and_work_without_one_look_different_without_colour() -> None:
    edges, codes = columns.columns(pool(2, 2, core=0.3))
    assert columns.OFF in codes[1]
    assert columns.CORE not in codes[1]
    _, codes = columns.columns(pool(2, 2, core=0.9))
    assert columns.OFF not in codes[1]
    assert len(edges) == columns.COLUMNS + 1
    looks = [(look.hatch, look.height, look.filled) for look in gantt.LOOKS]
    assert len(set(looks)) == len(looks)


def test_a_column_shows_the_state_that_took_most_of_it() -> None:
    third = 2.0 / 3
    lane = Lane(
        "worker 1", (Span("run", 0.0, third, third), Span("lock", third, 1.9), Span("wait", 1.9, 2.0))
    )
    _, (_, codes) = columns.columns(Timeline(2.0, program(2.0), (lane,), 2.0))
    counted = Counter(codes.tolist())
    assert counted[columns.CORE] == pytest.approx(columns.COLUMNS / 3, abs=1)
    assert counted[columns.WAIT] == pytest.approx(columns.COLUMNS / 20, abs=1)
    assert set(counted) == {columns.CORE, columns.LOCK, columns.WAIT}


def test_nothing_is_drawn_where_a_worker_was_not_there_and_a_short_life_is_still_seen() -> None:
    lane = Lane("worker 1", (Span("run", 5.0, 5.0001, 0.0001),))
    _, (_, codes) = columns.columns(Timeline(10.0, program(10.0), (lane,), 2.0))
    assert np.count_nonzero(codes != columns.ABSENT) in (1, 2)


def test_the_program_that_waits_for_its_workers_is_not_said_to_lack_a_core() -> None:
    _, codes = columns.columns(Timeline(2.0, program(2.0), (), 2.0))
    assert set(codes[0].tolist()) == {columns.WAIT}


def test_pickling_by_another_thread_is_seen_while_the_program_waits_for_it() -> None:
    _, codes = columns.columns(convoy())
    share = np.count_nonzero(codes[0] == columns.PICKLE) / columns.COLUMNS
    assert share == pytest.approx(0.3, abs=0.01)


def test_starts_of_tasks_are_marked_only_where_they_can_be_told_apart() -> None:
    assert "start of a task" in gantt.picture(pool(2, 12), "x")
    assert "start of a task" not in gantt.picture(pool(2, 5000), "x")


def test_an_entry_of_many_tasks_names_its_longest_and_frames_nothing() -> None:
    run = pool(2, 4)
    many = Task("score(7)", 0.2, 1.8, 1.5, items=900, longest=0.4)
    run = replace(run, workers=(replace(run.workers[0], tasks=(many,)), replace(run.workers[1], tasks=())))
    svg = gantt.picture(run, "x")
    assert "slowest task: score(7), 0.40 s, worker 1" in words_of(svg)
    assert ">slowest task<" not in svg
    assert "The slowest of 900 tasks" in said_of(svg)


@pytest.mark.parametrize(
    "run",
    [
        Timeline(1.0, program(1.0), (), 2.0),
        Timeline(0.0, Lane("program", ()), (), 2.0),
        Timeline(
            0.0, Lane("program", ()), (Lane("worker 1", ()), Lane("worker 2", (Span("run", 0.0, 0.0),))), 2.0
        ),
    ],
    ids=["no workers", "nothing", "no time"],
)
def test_runs_without_workers_or_time_still_have_their_pictures(run: Timeline) -> None:
    for svg in (gantt.picture(run, "x"), *waterfall.pictures(bill(run), "y")):
        ElementTree.fromstring(svg)
        assert not re.search(r"\b(nan|inf)\b", said_of(svg))
    assert "<svg" in trace_page.page("nothing", run, bill(run), [])
    assert "no workers" in said_of(gantt.picture(run, "x")) or run.workers


@pytest.mark.parametrize("look", gantt.LOOKS, ids=lambda look: look.label)
def test_each_state_stands_out_on_light_and_dark(look: gantt.Look) -> None:
    assert min(contrast(look.colour, "#ffffff"), contrast(look.colour, "#111111")) >= 3


def test_states_are_hatched_so_that_they_differ_without_colour() -> None:
    svg = gantt.picture(convoy(), "x")
    assert svg.count("<pattern") >= 3
    assert "fill: url(#x" in svg


# The bill


def test_the_waterfall_goes_from_the_workers_to_the_speedup() -> None:
    rows = waterfall.factors(bill_of(8, 8.0, 2.0))
    assert [row.name for row in rows] == ["workers", *trace_words.FACTORS, "speedup"]
    assert (rows[0].end, rows[-1].end) == (8, pytest.approx(4))
    for row, after in itertools.pairwise(rows[:-1]):
        assert row.end == after.start


def test_without_a_serial_time_the_waterfall_ends_before_the_scaling_and_says_why() -> None:
    svg = waterfall.pictures(bill_of(serial=None), "x")[0]
    for said in (words_of(svg), said_of(svg)):
        assert "the time of a serial run is not known" in said
    assert "not known" in words_of(svg)
    assert "speedup of" not in said_of(svg)


def test_the_text_alternative_of_the_waterfall_has_its_figures() -> None:
    said = said_of(waterfall.pictures(bill_of(8, 8.0, 2.0), "x")[0])
    assert said.startswith("Waterfall from 8 workers to a speedup of 4.00: load balance x 0.69 leaves 5.50;")
    assert "communication x 0.80 leaves 4.40; scaling x 0.91 leaves 4.00." in said


def test_workers_that_needed_less_than_the_serial_run_are_a_gain_in_both_pictures() -> None:
    gained = bill_of(2, 3.0, 1.4, scaling=-0.1, pickling=0.2)
    gained = replace(gained, scaling=1.1, load_balance=1.0, communication=0.974, speedup=2.143)
    assert [row.kind for row in waterfall.factors(gained)] == ["left", "lost", "lost", "gained", "left"]
    rows = waterfall.seconds(gained)
    assert (rows[-1].name, rows[-1].kind, rows[-1].end) == ("scaling", "gained", pytest.approx(1.4))
    factors, seconds = waterfall.pictures(gained, "x")
    assert "scaling x 1.10 makes 2.14" in said_of(factors)
    assert "scaling 0.10 s gained (7 %)" in said_of(seconds)
    assert "gained" in words_of(seconds)


def test_the_seconds_come_largest_first_and_add_up_to_the_measured_time() -> None:
    parts = bill_of(4, 4.0, 2.0, pickling=0.5, tail=0.7, start_up=0.01, lock_wait=0.015)
    shown = trace_words.parts_of(parts)
    assert [name for name, _ in shown] == ["work", "tail", "pickling", "the rest"]
    assert sum(value for _, value in shown) == pytest.approx(2.0)
    assert waterfall.seconds(parts)[-1].end == pytest.approx(2.0)
    assert "tail 0.70 s (35 %)" in said_of(waterfall.pictures(parts, "x")[1])


def test_a_bill_with_every_loss_has_a_row_for_each() -> None:
    everything = bill_of(4, 4.0, 12.0, **dict.fromkeys(SECONDS[1:], 0.9))
    said = words_of(waterfall.pictures(everything, "x")[1])
    for name in SECONDS:
        assert PARTS[name][0] in said


def test_every_part_of_a_bill_has_a_name_and_a_meaning() -> None:
    assert set(PARTS) == set(SECONDS)


def test_seconds_read_well_from_microseconds_to_hours() -> None:
    said = [trace_words.in_seconds(value) for value in (0.0, 0.00012, 0.0456, 0.5, 1.234, 12.34, 3600.4)]
    assert said == ["0.00 s", "0.12 ms", "45.6 ms", "0.50 s", "1.23 s", "12.3 s", "3600 s"]
    assert [trace_words.percent(share) for share in (0, 0.001, 0.123, -0.001, 1)] == [
        "0 %", "under 1 %", "12 %", "0 %", "100 %",
    ]  # fmt: skip


# The speedup over the workers


def test_the_curve_is_predicted_only_beyond_what_was_measured() -> None:
    beyond = curve.picture(MEASURED, 0.93, (0.9, 0.95), 1.92, 16, "x")
    assert "predicted beyond 2 workers" in words_of(beyond)
    within = curve.picture(MEASURED, 0.93, (0.9, 0.95), None, 2, "x")
    assert "predicted" not in words_of(within)
    assert "reach" not in words_of(within)


def test_the_text_alternative_of_the_curve_has_its_figures() -> None:
    said = said_of(curve.picture(MEASURED, 0.93, (0.9, 0.95), 1.92, 16, "x"))
    assert said == curve.in_words(MEASURED, 0.93, (0.9, 0.95), 1.92, 16)
    assert "Measured: 0.97 with 1 worker, 1.81 with 2 workers." in said
    assert "a parallel part of 93 % (interval 90 % to 95 %)" in said
    assert "with 16 workers it is at 7.80 (interval 6.40 to 9.14), which is predicted, not measured." in said
    assert "The reach of this machine is 1.92." in said


def test_amdahls_curve_is_amdahls_law() -> None:
    assert curve.amdahl(0.5, np.array([1.0, 2.0, 1e9])) == pytest.approx([1, 4 / 3, 2])
    assert curve.amdahl(1.0, 64) == pytest.approx(64)
    assert curve.amdahl(0.0, 64) == pytest.approx(1)


@pytest.mark.parametrize(
    ("measured", "fraction", "interval"),
    [
        ((), 0.5, (0.4, 0.6)),
        (((1, 1.0),), float("nan"), (float("nan"), float("inf"))),
        (((2, 0.8),), -0.3, (1.2, -1)),
    ],
    ids=["nothing measured", "nothing known", "out of bounds"],
)
def test_a_curve_of_little_is_still_drawn(
    measured: tuple[tuple[int, float], ...], fraction: float, interval: tuple[float, float]
) -> None:
    svg = curve.picture(measured, fraction, interval, float("inf"), 1, "x")
    assert not re.search(r"\b(nan|inf)\b", words_of(svg) + said_of(svg))


# A page that isn't ours, and one that is


def every_picture(prefix: str) -> list[str]:
    return [
        gantt.picture(convoy(), f"{prefix}t"),
        *waterfall.pictures(bill_of(scaling=-0.2, tail=0.3), f"{prefix}b"),
        curve.picture(MEASURED, 0.93, (0.9, 0.95), 1.92, 16, f"{prefix}c"),
    ]


def test_no_identifier_appears_twice_and_each_that_is_used_is_there() -> None:
    page = "".join([*every_picture("one"), *every_picture("two")])
    identifiers = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert max(identifiers.values()) == 1
    used = {one or other for one, other in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page)}
    assert used == set(identifiers)


def test_pictures_take_the_colour_of_the_page_and_bring_no_style_sheet_or_script() -> None:
    for svg in every_picture("x"):
        assert "currentColor" in svg
        assert not re.search(r"<(script|style|image)\b", svg)
        for colour in colours(svg):
            assert min(contrast(colour, "#ffffff"), contrast(colour, "#111111")) >= 3


def test_the_same_run_is_drawn_the_same_way() -> None:
    assert every_picture("x") == every_picture("x")


def test_hostile_names_are_text_and_nothing_else() -> None:
    run = pool(2, 6, name=HOSTILE)
    svg = gantt.picture(run, "x")
    hostile = Reason(HOSTILE, 0.5, 1.0, HOSTILE, HOSTILE, HOSTILE)
    page = trace_page.page(HOSTILE, run, bill(run), [hostile])
    for shown in (svg, page):
        assert "<script" not in shown
        assert "\x1b" not in shown
        assert "\x00" not in shown
        shown.encode("utf-8")
    ElementTree.fromstring(svg)
    assert "&lt;script&gt;" in page


def test_the_page_says_the_bill_the_findings_and_the_numbers_in_this_order() -> None:
    run = pool(2, 12)
    page = trace_page.page("my_script.py", run, bill(run, serial=3.0), [Reason(), Reason(cause="tail")])
    said = words_of(page)
    parts = (
        "Where the time went: my_script.py",
        "Speedup 1.50 = 2 workers x load balance",
        "Big arguments: 71 % of the loss, 0.50 s",
        "Much goes to the workers. 412 MB went to workers.",
        "Try: Let each worker read its own part.",
        "Each lane is one process",
        "The bill in seconds",
        "objects turned into bytes and back",
        "The program and 2 workers",
        "Traced on 2 usable cores, start method forkserver.",
    )
    places = [re.sub(r"\s+([.:])", r"\1", said).index(part) for part in parts]
    assert places == sorted(places)
    assert page.count("<svg") == 3
    assert page.count('<th scope="row">') == len(SECONDS) + 1 + 3


def test_the_page_stands_alone_and_runs_nothing() -> None:
    run = pool()
    page = trace_page.page(
        "a", run, bill(run), [Reason()], curve.picture(MEASURED, 0.9, (0.8, 0.95), None, 8, "z")
    )
    assert not re.search(r"<(script|link|img|iframe|object)\b|@import|\son\w+=", page)
    assert not re.search(r'(?<!xmlns=)(?<!xmlns:xlink=)"https?://', page)
    assert "default-src 'none'" in page
    assert "prefers-color-scheme: dark" in page
    assert page.count("<svg") == 4
    identifiers = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert max(identifiers.values()) == 1


def test_the_pages_landmarks_and_headings_are_in_order() -> None:
    run = pool()
    page = trace_page.page("a", run, bill(run), [Reason()])
    assert '<html lang="en">' in page
    landmarks = re.findall(r"<(header|main|footer)>", page)
    assert landmarks == ["header", "main", "footer"]
    headings = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))


def test_a_page_without_findings_says_so() -> None:
    run = pool()
    assert "Nothing stands out" in trace_page.page("a", run, bill(run), [])


@pytest.mark.parametrize("serial", [None, 3.0])
def test_the_bill_is_one_line(serial: float | None) -> None:
    said = trace_words.bill_in_words(bill_of(2, serial))
    assert "\n" not in said
    assert "2 workers x load balance" in said
    assert ("scaling is not known: the time of a serial run is not known" in said) == (serial is None)
