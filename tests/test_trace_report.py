"""What a learner reads of a traced run: in the panel of a check, in a notebook, in the terminal, as JSON."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from made_timelines import program, timeline
from recorded_traces import TRACES, read
from test_report import FACTS, blocks, speedup_verdict

from grader import causes
from grader.model import Finding
from grader.report import trace_page, trace_panel
from grader.report.asjson import check_json
from grader.report.panel import Panel
from grader.report.text import render
from grader.report.trace_text import as_json, as_text
from grader.report.trace_words import alike_in_words, in_seconds
from grader.tracing.bill import SECONDS
from grader.tracing.diagnosis import NO_SERIAL, Diagnosis, of_timeline, typical
from grader.tracing.timeline import Task

OWN = Finding("gain too small", "Workers help a little.", "", "Look at what is sent.")


def told(fault: str = "skew", serial: float | None = None) -> Diagnosis:
    return of_timeline(fault, read(TRACES / f"{fault}.json.gz"), serial)


def words_of(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_a_speedup_that_is_not_yet_enough_shows_where_the_time_went() -> None:
    verdict = speedup_verdict(
        outcome="not yet", points=0, diagnosis=told(), blocks=blocks(9, 1.1), facts=FACTS
    )
    html = Panel(verdict)._repr_html_()
    assert "Where the time went" in words_of(html)
    assert html.count("<svg") == 5  # the check's own two, the timeline, the factors, the seconds
    assert "Numbers of the bill" in html
    assert repr(Panel(verdict)) == "0.0"
    assert "all of it" in render(verdict)
    (check,) = check_json("11_fraud", [verdict], 10)["checks"]
    assert check["why"]["findings"][0]["cause"] == "skew"


def test_other_verdicts_show_no_bill() -> None:
    assert "Where the time went" not in Panel(speedup_verdict())._repr_html_()
    assert check_json("11_fraud", [speedup_verdict()], 10)["checks"][0]["why"] is None


def test_the_largest_loss_comes_first_in_the_panel_with_its_share_and_what_to_try() -> None:
    first, second = causes.with_losses((OWN,), told())
    assert first.cause == "skew"
    assert re.search(r"took \d\.\d\d s and lost \d\.\d\d s so: \d+ % of all that it lost", first.evidence)
    assert first.try_next
    assert second == OWN


def test_no_bound_by_computing_is_told_of_a_run_that_mostly_waited() -> None:
    works = program(("run", 0.6), ("wait", 0.4))
    waits = program(("run", 0.2), ("wait", 0.8))
    worked, waited = (as_text(of_timeline("x", timeline(one), None)) for one in (works, waits))
    assert "on any number of cores" in worked.replace("\n  ", " ")
    assert "that is no bound for waiting" in waited.replace("\n  ", " ")
    assert "times as fast at most" not in waited


def test_what_one_process_did_alone_is_said_before_the_loss() -> None:
    alone = Finding("one busy process", "One process did it.", "", "Spread it.")
    assert [one.cause for one in causes.with_losses((alone, OWN), told())] == [alone.cause, "skew", OWN.cause]


def test_neighbours_are_no_cause_of_a_mark_that_is_free_of_them() -> None:
    one = told()
    first = dataclasses.replace(one.losses[0], cause="neighbours")
    assert causes.with_losses((OWN,), dataclasses.replace(one, losses=(first,))) == (OWN,)


def test_without_a_loss_the_findings_stay_as_they_are() -> None:
    assert causes.with_losses((OWN,), told("clean")) == (OWN,)
    assert causes.with_losses((OWN,), None) == (OWN,)


def test_the_json_has_every_part_and_says_why_there_is_no_speedup() -> None:
    data = json.loads(json.dumps(as_json(told()), allow_nan=False))
    assert list(data["bill"]["seconds"]) == list(SECONDS)
    assert data["bill"]["speedup"] is None
    assert data["bill"]["reason"] == NO_SERIAL
    assert as_json(told(serial=1.0))["bill"]["reason"] == ""
    assert [one["name"] for one in data["what_if"]] == [
        "balance",
        "no pickling",
        "no start-up",
        "twice the cores",
    ]
    assert all(one["refused"] or one["seconds"] > 0 for one in data["what_if"])
    assert data["span"] <= data["work"] + 1e-9


def test_of_several_runs_all_forms_say_how_far_they_lie_apart() -> None:
    skew, clean, skew_again = told("skew"), told("clean"), told("skew")
    one = typical([skew, clean, skew_again])
    assert one.alike == tuple(sorted(run.bill.wall for run in (skew, clean, skew_again)))
    apart = alike_in_words(one.alike)
    assert in_seconds(one.alike[0]) in apart
    assert in_seconds(one.alike[-1]) in apart
    page = trace_page.page("x", one.timeline, one.bill, one.losses, alike=one.alike)
    assert all(apart in words_of(said) for said in (page, trace_panel.panel(one)))
    assert apart in " ".join(as_text(one).split())
    check = speedup_verdict(outcome="not yet", points=0, diagnosis=one, blocks=blocks(9, 1.1), facts=FACTS)
    assert apart in " ".join(render(check).split())
    assert apart in words_of(Panel(check)._repr_html_())
    assert as_json(one)["alike"] == list(one.alike)
    assert typical([skew]).alike == ()
    assert "such runs" not in as_text(skew)


@pytest.mark.parametrize("fault", ["skew", "clean", "no_workers", "more_workers_than_cores"])
def test_the_text_fits_a_terminal_and_adds_up(fault: str) -> None:
    said = as_text(told(fault))
    assert max(map(len, said.splitlines())) <= 80
    assert "all of it" in said
    assert ("Try:" in said) == bool(told(fault).losses)


def test_a_notebook_shows_the_pictures_and_every_loss() -> None:
    one = told("big_results", serial=1.0)
    html = trace_panel.panel(one)
    assert html.count("<svg") == 3
    assert all(loss.evidence.split(",")[0] in words_of(html) for loss in one.losses)
    assert "Speedup" in words_of(html)


def test_a_hostile_name_is_no_markup() -> None:
    one = told()
    lane = dataclasses.replace(
        one.timeline.workers[0], name="<script>", tasks=(Task("<img src=x onerror=alert(1)>", 0.0, 9.0, 9.0),)
    )
    timeline = dataclasses.replace(one.timeline, workers=(lane, *one.timeline.workers[1:]))
    html = trace_panel.panel(of_timeline("<b>", timeline))
    assert "<img src=x" not in html
    assert "<script>" not in html


def test_a_picture_that_fails_costs_nobody_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.report.gantt.picture", lambda *_: 1 / 0)
    html = trace_panel.panel(told())
    assert "could not be drawn" in html
    assert "Numbers of the bill" in html
