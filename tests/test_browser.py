"""The fraud lab in a learner's browser, from the start page to Validate, and in formgrader before a marker.

What the pages look like is kept as pictures in pytest's temporary folder: `*/pictures*/`.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab_server import (
    CHROMIUM,
    QUIET,
    REPOSITORY,
    Learning,
    needs_chromium,
    started,
    started_by_instructor,
)
from nbgrader_course import LAB, MEMO, NOTEBOOK, WRONG, copy_of_the_repository, reference, write_into

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the server is started as on POSIX"),
    needs_chromium,
]
MINUTES = 180_000  # milliseconds, for what measures


@dataclass
class Solved:
    """The lab with the reference in it, run and saved, as it stands in the learner's browser."""

    server: Learning
    page: Page
    pictures: Path


def panel_of(page: Page, check: str) -> Locator:
    """The panel of a check, scrolled into view: JupyterLab draws only the cells in view."""
    cell = page.locator(".jp-CodeCell").filter(has=page.get_by_text(f'check("{check}")', exact=True))
    cell.scroll_into_view_if_needed()
    panel = page.locator(f'section[aria-label^="Check {check}"]')
    panel.scroll_into_view_if_needed()
    return panel


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def solved(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solved]:
    """Start page, lab, the reference typed in, a memo, Run All Cells."""
    place, pictures = tmp_path_factory.mktemp("browser"), tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COREWISE_SMALL", "1")
        with started(place / "work", REPOSITORY, place / "home") as server:
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.goto(f"{server.url}?token={server.token}")
            solve(page)
            yield Solved(server, page, pictures)
            page.close()


def solve(page: Page) -> None:
    page.locator(".jp-MarkdownViewer").get_by_role("link", name="11 · Fraud").click(timeout=60_000)
    lab = page.locator(".jp-NotebookPanel")
    put_into(
        page,
        lab.locator(".jp-CodeCell").filter(has_text="%%module scorer"),
        f"%%module scorer\n{reference()}",
    )
    put_into(page, lab.locator(".jp-MarkdownCell").filter(has_text="YOUR ANSWER HERE"), MEMO)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator('section[aria-label^="Check speedup"]').wait_for(timeout=MINUTES, state="attached")
    page.get_by_role("button", name="| Idle").wait_for(timeout=MINUTES)
    page.keyboard.press("Control+s")


def put_into(page: Page, cell: Locator, text: str) -> None:
    """Replace what a cell says, as by pasting: a cell of prose opens on Enter."""
    cell.first.click(timeout=60_000)
    page.keyboard.press("Enter")
    editor = page.locator(".jp-Cell.jp-mod-active .cm-content")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def barriers(page: Page, context: str) -> list[str]:
    """What axe finds in a part of the page: rule, place and why."""
    from axe_playwright_python.sync_playwright import Axe

    violations = Axe().run(page, context=context).response["violations"]
    return [
        f"{v['id']}: {node['target']} {node['failureSummary']}" for v in violations for node in v["nodes"]
    ]


def test_run_all_shows_both_verdicts_and_the_plot(solved: Solved) -> None:
    from playwright.sync_api import expect

    page = solved.page
    expect(panel_of(page, "answer")).to_have_attribute("aria-label", "Check answer: met, 6 of 6 points")
    speedup = panel_of(page, "speedup")
    expect(speedup).to_have_attribute("aria-label", re.compile("Check speedup: (met|cannot tell)"))
    for label in ("Plot of times", "Plot of speedups"):
        expect(speedup.locator(f'svg[aria-label^="{label}"]')).to_be_visible()
    expect(page.locator(".jp-Dialog")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_anyone_from_the_start_page_and_the_panels(solved: Solved, theme: str) -> None:
    from playwright.sync_api import expect

    page = solved.page
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")  # JupyterLab follows the system
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", str(theme == "light").lower())
    for check in ("answer", "speedup"):
        panel_of(page, check)
        page.screenshot(path=solved.pictures / f"{check}-{theme}.png")
        assert barriers(page, f'section[aria-label^="Check {check}"]') == []
    page.get_by_role("tab", name="START.md").click()
    page.locator(".jp-MarkdownViewer h1").wait_for()
    page.screenshot(path=solved.pictures / f"start-{theme}.png")
    assert barriers(page, ".jp-MarkdownViewer .jp-RenderedMarkdown") == []
    page.get_by_role("tab", name=NOTEBOOK).click()


def test_at_twice_the_size_nothing_of_a_panel_is_cut_off(solved: Solved, browser: Browser) -> None:
    """A zoom of 200 % is half the width with twice the pixels."""
    page = browser.new_page(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    page.goto(f"{solved.server.url}lab/tree/labs/{LAB}/{NOTEBOOK}?token={solved.server.token}&reset")
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
    page.keyboard.press("Control+b")  # puts the list of files away
    for check in ("answer", "speedup"):
        panel = panel_of(page, check)
        page.screenshot(path=solved.pictures / f"{check}-zoomed.png")
        assert panel.evaluate(TOO_WIDE) == []
    page.close()


#: What in a panel is wider than the panel.
TOO_WIDE = """panel => [...panel.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > panel.getBoundingClientRect().right + 1)
    .map(e => e.outerHTML.slice(0, 100))"""


def test_validate_says_success(solved: Solved) -> None:
    from playwright.sync_api import expect

    solved.page.locator(".jp-NotebookPanel").get_by_role("button", name="Validate").click()
    dialog = solved.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.", timeout=MINUTES)
    dialog.get_by_role("button", name="Ok").click()


def test_formgrader_marks_a_submission_and_shows_its_panels(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    place, pictures = tmp_path_factory.mktemp("marker"), tmp_path_factory.mktemp("pictures")
    course = copy_of_the_repository(place / "course")
    handed_in = course / "submitted/ada" / LAB / NOTEBOOK
    handed_in.parent.mkdir(parents=True)
    shutil.copyfile(course / "labs" / LAB / NOTEBOOK, handed_in)
    write_into(handed_in, (WRONG / "serial.py").read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COREWISE_SMALL", "1")
        with started_by_instructor(course, place / "home") as server:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{server.url}formgrader/manage_assignments?token={server.token}")
            press(page, "tr:has-text('11_fraud') .assign a", "Successfully created the student version")
            page.goto(f"{server.url}formgrader/manage_submissions/{LAB}")
            press(page, ".autograde a", "Successfully autograded")
            page.screenshot(path=pictures / "submissions.png")
            press(page, ".generate-feedback a", "Successfully generated feedback")
            look_at_the_submission(page, server, pictures)
            page.goto((course / "feedback/ada" / LAB / f"{LAB}.html").as_uri())
            page.screenshot(path=pictures / "feedback.png", full_page=True)
            assert barriers(page, 'section[aria-label^="Check"]') == []
            page.close()


def press(page: Page, button: str, said: str) -> None:
    """Press a button of formgrader and wait until its dialog says so."""
    from playwright.sync_api import expect

    page.locator(button).click(timeout=60_000)
    dialog = page.locator(".modal.in")
    expect(dialog).to_contain_text(said, timeout=MINUTES)
    dialog.get_by_role("button", name="OK").click()
    expect(dialog).to_have_count(0)


def look_at_the_submission(page: Page, server: Learning, pictures: Path) -> None:
    from playwright.sync_api import expect

    page.goto(f"{server.url}formgrader/gradebook/{LAB}/{LAB}")
    page.get_by_role("link", name="Submission #1").click()
    answer, speedup = (
        page.locator(f'section[aria-label^="Check {check}"]') for check in ("answer", "speedup")
    )
    expect(answer).to_have_attribute("aria-label", "Check answer: met, 6 of 6 points", timeout=60_000)
    expect(speedup).to_have_attribute("aria-label", "Check speedup: not yet, 0 of 4 points")
    expect(speedup.locator('svg[aria-label^="Plot of speedups"]')).to_be_visible()
    speedup.scroll_into_view_if_needed()
    page.screenshot(path=pictures / "submission.png")
    assert barriers(page, 'section[aria-label^="Check"]') == []
