"""What a learner, a marker, nbgrader and a script read in the report of a verdict."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest

from grader.model import Bars, Block, Estimate, Finding, MachineFacts, Verdict
from grader.report import panel, plot, words
from grader.report.asjson import check_json
from grader.report.panel import HintPanel, Panel
from grader.report.text import render

FACTS = MachineFacts(4, 2, None, 2, 2.0, ("forkserver", "fork", "spawn"), 0.4, None, "Linux", "3.13")
FINDING = Finding(
    "tail", "One task is longer.", "Worker 1: 0.31 s, worker 2: 0.24 s.", "Start the `largest` first."
)


def blocks(count: int, speedup: float, void: tuple[int, ...] = ()) -> tuple[Block, ...]:
    """Blocks around `speedup` on a machine whose reach is 1.92; those numbered in `void` (from 0) are void."""
    made = []
    for number in range(count):
        serial = 0.6 + 0.01 * (number % 5)
        reach = 1.2 if number in void else 1.92
        made.append(Block(serial, serial / (speedup + 0.02 * (number % 3 - 1)), reach, reach))
    return tuple(made)


def speedup_verdict(**changes: object) -> Verdict:
    """A speedup check that is met on 12 clean blocks, two more being void."""
    met = Verdict(
        lab="11_fraud",
        check="speedup",
        asked="Reach 60 % of the gain.",
        outcome="met",
        provisional=False,
        points=4,
        max_points=4,
        reason="Every clean block is over the bar.",
        findings=(FINDING,),
        estimate=Estimate(1.84, 1.76, 1.93, 1.92, 0.913, 12, 2, 31.2, "wall"),
        blocks=blocks(14, 1.84, void=(3, 9)),
        bars=Bars(),
        facts=FACTS,
    )
    return dataclasses.replace(met, **changes)  # type: ignore[arg-type]


def answer_verdict(**changes: object) -> Verdict:
    """An answer that is wrong."""
    wrong = Verdict(
        lab="11_fraud",
        check="answer",
        asked="The same alerts.",
        outcome="not yet",
        provisional=False,
        points=0,
        max_points=6,
        reason="37 of 412 alerts are missing.",
        findings=(Finding("last chunk", "The last chunk is lost.", "All in part-007.", "Look at line 12."),),
    )
    return dataclasses.replace(wrong, **changes)  # type: ignore[arg-type]


UNKNOWN = Estimate(math.nan, math.nan, math.inf, math.nan, math.nan, 0, 0, math.nan, "wall")
BROKEN_BLOCKS = (Block(0, 0, math.nan, 1), Block(math.inf, 1, 2, 2), Block(1, math.nan, -2, 0))


def html_of(verdict: Verdict) -> str:
    return Panel(verdict)._repr_html_()


def words_of(markup: str) -> str:
    """The markup's text without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", markup))


def pictures_of(markup: str) -> list[str]:
    return re.findall(r"<svg.*?</svg>", markup, flags=re.DOTALL)


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


# The number that nbgrader reads


@pytest.mark.parametrize(
    ("points", "most", "read"),
    [(4, 4, "4.0"), (7.5, 10, "7.5"), (0, 4, "0.0"), (9, 4, "4.0"), (-1, 4, "0.0"), (math.nan, 4, "0.0")],
)
def test_nbgrader_reads_the_points_and_never_more_than_there_are(
    points: float, most: float, read: str
) -> None:
    assert repr(Panel(speedup_verdict(points=points, max_points=most))) == read


def test_infinite_points_or_a_broken_verdict_still_give_a_number() -> None:
    assert float(repr(Panel(speedup_verdict(points=math.inf)))) == 0.0
    assert float(repr(Panel(None))) == 0.0  # type: ignore[arg-type]
    assert "points" in Panel(None)._repr_html_()  # type: ignore[arg-type]


# The panel, outcome by outcome


def test_a_met_speedup_is_told_in_words_pictures_and_numbers() -> None:
    shown = html_of(speedup_verdict())
    said = words_of(shown)
    assert "✓" in said
    assert "speedup: 4 of 4 points" in said
    for part in (
        "Reach 60 % of the gain.",
        "Every clean block is over the bar.",
        FINDING.what,
        FINDING.evidence,
    ):
        assert part in said
    assert "Median speedup 1.84 (interval 1.76 to 1.93)" in said
    assert "reached 1.92" in said
    assert "91 % of the reachable gain" in said
    assert "12 clean blocks, 2 void blocks, measured in 31 s, by the wall clock, on 2 usable cores" in said
    assert "<code>largest</code>" in shown
    assert shown.index("Try next") > shown.index("Evidence")
    assert len(pictures_of(shown)) == 2
    assert shown.count("<tr>") == 15
    assert shown.count("no: void") == 2
    assert "<details>" in shown


def test_a_wrong_answer_says_what_is_wrong_and_what_to_try_without_a_plot() -> None:
    shown = html_of(answer_verdict())
    said = words_of(shown)
    assert "✗ not yet" in words_of(shown).replace("  ", " ")
    for part in ("answer: 0 of 6 points", "37 of 412 alerts", "The last chunk is lost.", "Look at line 12."):
        assert part in said
    assert "Measured" not in said
    assert not pictures_of(shown)


def test_a_fault_that_was_told_before_is_told_in_two_lines() -> None:
    wrong = answer_verdict(outcome="not yet", points=0.0, reason="The answer is wrong.")
    assert "The answer is wrong." in render(wrong, ["Another one."])
    assert render(wrong, ["The answer is wrong."]).splitlines()[1:] == ["  Found: the same as above."]
    assert not render(speedup_verdict()).endswith("\n")
    met = answer_verdict(outcome="met", reason="Right.")
    assert "Right." in render(met, ["Right."])


def test_serial_code_sees_its_median_below_the_bar() -> None:
    serial = speedup_verdict(
        outcome="not yet",
        points=0,
        blocks=blocks(12, 1.0),
        estimate=Estimate(1.0, 0.96, 1.03, 1.92, 0.0, 12, 0, 20, "wall"),
    )
    assert "The median, 1.00, is below the bar to pass, 1.55." in words_of(html_of(serial))


def test_cannot_tell_before_any_block_shows_its_cause_and_what_the_marker_should_know() -> None:
    early = speedup_verdict(
        outcome="cannot tell", estimate=None, blocks=(), reason="One core.", for_marker="too few cores"
    )
    said = words_of(html_of(early))
    assert "? cannot tell" in said
    assert "4 of 4 points" in said
    assert "One core." in said
    assert "For the marker: too few cores" in re.sub(" +", " ", said)
    assert "<svg" not in html_of(early)


def test_preview_and_provisional_are_said_in_words() -> None:
    said = words_of(html_of(speedup_verdict(preview=True, provisional=True)))
    assert "met (provisional, preview)" in said
    assert "Preview: a short look" in said
    assert "Provisional:" in said


def test_our_own_fault_names_its_log(tmp_path: Path) -> None:
    log = tmp_path / "grader.log"
    fault = speedup_verdict(outcome="cannot tell", estimate=None, blocks=(), log=log)
    assert "grader.log" in html_of(fault)
    assert "grader.log" in render(fault).replace("\n    ", "")


def test_an_open_interval_is_said_to_be_open() -> None:
    one = Estimate(1.8, 0.0, math.inf, 1.92, 0.87, 1, 0, 6, "cpu")
    said = words_of(html_of(speedup_verdict(estimate=one, blocks=blocks(1, 1.8))))
    assert "its interval is still open" in said
    assert "In the one clean block the speedup was" in said
    drawn = plot.pictures(speedup_verdict(estimate=one, blocks=blocks(1, 1.8)), "x")[1]
    assert "interval of the median" not in drawn
    assert "interval of the median" in plot.pictures(speedup_verdict(), "x")[1]


def test_the_median_of_void_blocks_is_compared_with_no_bar() -> None:
    said = words_of(html_of(speedup_verdict(blocks=blocks(4, 1.84, void=(0, 1, 2, 3)))))
    assert "There is no clean block. The 4 void blocks say nothing about the size of the gain" in said


def test_what_the_reason_says_is_not_said_again_as_evidence() -> None:
    again = Finding("wrong answer", "37 of 412 alerts are missing.", "", "Look.")
    assert words_of(html_of(answer_verdict(findings=(again,)))).count("37 of 412") == 1
    assert "Evidence" not in words_of(html_of(answer_verdict(findings=(again,))))


@pytest.mark.parametrize("estimate", [UNKNOWN, None])
@pytest.mark.parametrize("broken", [BROKEN_BLOCKS, ()])
def test_numbers_that_are_not_numbers_break_no_form_and_are_not_shown(
    estimate: Estimate | None, broken: tuple[Block, ...]
) -> None:
    odd = speedup_verdict(estimate=estimate, blocks=broken)
    for shown in (words_of(html_of(odd)), render(odd)):
        assert "could not be drawn" not in shown
        assert not re.search(r"\b(nan|inf)\b", shown)
    json.dumps(check_json("11_fraud", [odd], 4), allow_nan=False)


def test_a_plot_that_fails_leaves_the_words_and_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> list[str]:
        raise RuntimeError("no fonts")

    monkeypatch.setattr(panel, "pictures", failing)
    shown = html_of(speedup_verdict())
    assert "The plot could not be drawn" in shown
    assert "<table" in shown


# A page that isn't ours


def test_what_the_learner_printed_is_escaped_everywhere() -> None:
    nasty = "<script>alert('x')</script>\x1b[31m\x00 \ud800 & \"quotes\""
    finding = Finding("cause", nasty, nasty, nasty)
    verdict = answer_verdict(
        asked=nasty,
        reason=nasty,
        findings=(finding, finding),
        for_marker=nasty,
        check=nasty,
        log=Path("<script>"),
    )
    for shown in (html_of(verdict), HintPanel(nasty, 1, 3, nasty)._repr_html_()):
        assert "<script" not in shown
        assert "&lt;script&gt;" in shown
        assert "\x1b" not in shown
        shown.encode("utf-8")
    assert "\x1b" not in render(verdict)
    json.dumps(check_json("11_fraud", [verdict], 6), ensure_ascii=False).encode("utf-8")


def test_a_flood_of_text_is_cut() -> None:
    assert len(html_of(answer_verdict(reason="x" * 1_000_000))) < 20_000


def test_no_identifier_appears_twice_even_when_one_result_is_shown_twice() -> None:
    result = Panel(speedup_verdict())
    page = result._repr_html_() + result._repr_html_() + html_of(speedup_verdict())
    identifiers = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert identifiers
    assert max(identifiers.values()) == 1
    assert set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page)) == {
        pair
        for pair in re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', page)
        if (pair[0] or pair[1]) in identifiers
    }


def test_a_panel_brings_no_script_no_style_sheet_no_heading_and_nothing_from_elsewhere() -> None:
    shown = html_of(speedup_verdict())
    assert not re.search(r"<(script|style|link|h[1-6]|img|iframe)\b", shown)
    assert not re.search(r'(?<!xmlns=)(?<!xmlns:xlink=)"https?://', shown)


def test_dollars_are_not_read_as_formulas() -> None:
    shown = html_of(answer_verdict(reason="costs $5, saves $6"))
    assert 'class="mathjax_ignore tex2jax_ignore"' in shown


def test_each_picture_is_well_formed_and_tells_the_result_to_a_screen_reader() -> None:
    times, speedups = (ElementTree.fromstring(svg) for svg in pictures_of(html_of(speedup_verdict())))
    assert times.get("role") == speedups.get("role") == "img"
    assert "serial 0.615 s, parallel 0.334 s" in times.get("aria-label", "")
    assert "median 1.84, interval 1.76 to 1.93, bar to pass 1.55" in speedups.get("aria-label", "")
    assert "reach 1.92" in speedups.get("aria-label", "")


def test_the_whole_panel_is_a_named_region_and_its_table_has_headers() -> None:
    shown = html_of(speedup_verdict())
    assert 'aria-label="Check speedup: met, 4 of 4 points"' in shown
    assert shown.count('scope="col"') == 8
    assert shown.count('scope="row"') == 14
    assert "<caption" in shown


@pytest.mark.parametrize("count", [1, 60])
def test_pictures_stay_small_and_take_the_colour_of_the_page(count: int) -> None:
    drawn = plot.pictures(speedup_verdict(blocks=blocks(count, 1.84)), "x")
    assert sum(len(svg) for svg in drawn) < 60_000
    for svg in drawn:
        assert "currentColor" in svg
        assert "#000000" not in svg
        assert "#ffffff" not in svg


def test_the_same_verdict_is_drawn_the_same_way() -> None:
    assert plot.pictures(speedup_verdict(), "x") == plot.pictures(speedup_verdict(), "x")


def test_times_are_drawn_from_zero() -> None:
    times = plot.pictures(speedup_verdict(), "x")[0]
    assert ">0.0</text>" in times
    assert "time (seconds)" in times


def test_void_blocks_are_explained_and_absent_when_there_are_none() -> None:
    assert all("hollow: void block" in svg for svg in plot.pictures(speedup_verdict(), "x"))
    assert not any("hollow" in svg for svg in plot.pictures(speedup_verdict(blocks=blocks(5, 1.8)), "x"))


def test_the_users_plot_settings_neither_change_nor_matter() -> None:
    plain = plot.pictures(speedup_verdict(), "x")
    with matplotlib.rc_context({"font.size": 40, "svg.fonttype": "path", "axes.facecolor": "black"}):
        before = dict(matplotlib.rcParams)
        assert plot.pictures(speedup_verdict(), "x") == plain
        assert dict(matplotlib.rcParams) == before


@pytest.mark.slow
def test_drawing_writes_nothing_to_stderr_and_leaves_pyplot_alone(tmp_path: Path) -> None:
    script = (
        "import sys; from grader.report.panel import Panel\n"
        "from tests_report import speedup_verdict\n"
        "assert '<svg' in Panel(speedup_verdict())._repr_html_()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    (tmp_path / "tests_report.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("colour", [*panel.ACCENTS.values(), panel.HINT_ACCENT])
def test_accents_stand_out_on_light_and_dark_and_carry_white_text(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 4.5
    assert contrast(colour, "#111111") >= 3


@pytest.mark.parametrize("colour", [plot.SERIAL_COLOUR, plot.PARALLEL_COLOUR])
def test_marks_in_the_plot_stand_out_on_light_and_dark(colour: str) -> None:
    assert min(contrast(colour, "#ffffff"), contrast(colour, "#111111")) >= 3


# The bars, the terminal, JSON, hints


def test_the_bar_to_pass_never_falls_below_the_floor() -> None:
    assert words.bar_to_pass(Bars(), 1.92) == pytest.approx(1.552)
    assert words.bar_to_pass(Bars(), 1.1) == pytest.approx(1.15)
    assert words.lower_bar(Bars(), 1.92) == pytest.approx(1.368)
    assert words.bar_to_pass(None, 1.92) is None


@pytest.mark.parametrize(
    "verdict",
    [speedup_verdict(), answer_verdict(reason="word " * 60), answer_verdict(reason="x" * 300)],
    ids=["speedup", "long words", "one long word"],
)
def test_the_text_form_fits_a_terminal_of_80_columns(verdict: Verdict) -> None:
    assert max(map(len, render(verdict).splitlines())) <= 80


def test_the_text_form_says_what_the_panel_says_in_the_same_order() -> None:
    said = " ".join(render(speedup_verdict()).split())
    parts = ("speedup: met, 4 of 4 points", "Asked:", "Found:", "Measured:", FINDING.what, "Try next:")
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert "P = bar to pass" in said


def test_the_text_form_keeps_the_lines_of_quoted_code() -> None:
    finding = Finding("wrong", "Look here.", "scorer.py:\n    return total", "")
    assert "        return total" in render(answer_verdict(findings=(finding,))).splitlines()


def test_json_has_exactly_the_documented_fields() -> None:
    made = check_json("11_fraud", [answer_verdict(), speedup_verdict()], 10)
    assert list(made) == ["schema", "lab", "points", "max_points", "checks"]
    assert (made["schema"], made["lab"], made["points"], made["max_points"]) == (1, "11_fraud", 4.0, 10.0)
    answer, speedup = made["checks"]
    fields = (
        "name verdict provisional reason points max_points measured blocks memory why findings for_marker log"
    )
    assert list(answer) == list(speedup) == fields.split()
    assert answer["measured"] is None
    figures = "speedup low high reach gain blocks void seconds clock wall"
    assert list(speedup["measured"]) == figures.split()
    assert speedup["findings"] == [
        {"cause": "tail", "what": FINDING.what, "evidence": FINDING.evidence, "try": FINDING.try_next}
    ]


def test_json_gives_null_for_what_is_not_a_finite_number() -> None:
    measured = check_json("11_fraud", [speedup_verdict(estimate=UNKNOWN)], 4)["checks"][0]["measured"]
    assert measured["speedup"] is None
    assert measured["high"] is None


def test_a_hint_names_its_step_in_both_forms() -> None:
    hint = HintPanel("Speed", 2, 3, "Use `pool.map`.")
    assert repr(hint) == "Speed, step 2 of 3: Use `pool.map`."
    assert "step 2 of 3" in hint._repr_html_()
    assert "<code>pool.map</code>" in hint._repr_html_()
