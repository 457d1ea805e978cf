"""The fraud lab in a learner's browser, from the start page to Validate, and in formgrader before a marker.

What the pages look like is kept as pictures in pytest's temporary folder: `*/pictures*/`.
"""

from __future__ import annotations

import os
import re
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

    def panel(self, check: str) -> Locator:
        """The panel of a check, scrolled into view: JupyterLab draws only the cells in view."""
        cell = self.page.locator(".jp-CodeCell").filter(
            has=self.page.get_by_text(f'check("{check}")', exact=True)
        )
        cell.scroll_into_view_if_needed()
        panel = self.page.locator(f'section[aria-label^="Check {check}"]')
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

    answer, speedup = solved.panel("answer"), solved.panel("speedup")
    expect(answer).to_have_attribute("aria-label", "Check answer: met, 6 of 6 points")
    expect(speedup).to_have_attribute("aria-label", re.compile("Check speedup: (met|cannot tell)"))
    for label in ("Plot of times", "Plot of speedups"):
        expect(solved.panel("speedup").locator(f'svg[aria-label^="{label}"]')).to_be_visible()
    expect(solved.page.locator(".jp-Dialog")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_bars_anyone_from_the_start_page_and_the_panels(solved: Solved, theme: str) -> None:
    from playwright.sync_api import expect

    page = solved.page
    page.emulate_media(color_scheme=theme)  # the course's settings follow the system
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", str(theme == "light").lower())
    for check in ("answer", "speedup"):
        solved.panel(check).screenshot(path=solved.pictures / f"{check}-{theme}.png")
        page.screenshot(path=solved.pictures / f"lab-{check}-{theme}.png")
        assert barriers(page, f'section[aria-label^="Check {check}"]') == []
    page.get_by_role("tab", name="START.md").click()
    page.locator(".jp-MarkdownViewer h1").wait_for()
    page.screenshot(path=solved.pictures / f"start-{theme}.png")
    assert barriers(page, ".jp-MarkdownViewer .jp-RenderedMarkdown") == []
    page.get_by_role("tab", name=NOTEBOOK).click()


def test_at_twice_the_size_nothing_of_a_panel_is_cut_off(solved: Solved, browser: Browser) -> None:
    """A zoom of 200 % is half the width with twice the pixels."""
    solved.panel("speedup")
    shown = {
        check: solved.panel(check).evaluate("panel => panel.outerHTML") for check in ("answer", "speedup")
    }
    page = browser.new_page(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    page.goto(f"{solved.server.url}lab/tree/labs/{LAB}/{NOTEBOOK}?token={solved.server.token}&reset")
    page.locator(".jp-NotebookPanel").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    page.screenshot(path=solved.pictures / "lab-zoomed.png")
    page.set_content(f"<body style='font-family:sans-serif'>{''.join(shown.values())}</body>")
    page.locator("summary").click()
    page.screenshot(path=solved.pictures / "panels-zoomed.png", full_page=True)
    wider = page.evaluate(
        "[...document.querySelectorAll('section,svg,p,li')].filter(e => e.scrollWidth > innerWidth)"
    )
    assert wider == []
    page.close()


def test_validate_says_success(solved: Solved) -> None:
    from playwright.sync_api import expect

    solved.page.locator(".jp-NotebookPanel").get_by_role("button", name="Validate").click()
    dialog = solved.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Success! Your notebook passes all the tests.", timeout=MINUTES)
    dialog.get_by_role("button", name="Ok").click()


def test_formgrader_autogrades_a_submission_and_shows_its_panels(browser: Browser, tmp_path: Path) -> None:

    course = copy_of_the_repository(tmp_path / "course")
    handed_in = course / "submitted" / "ada" / LAB
    handed_in.mkdir(parents=True)
    (handed_in / NOTEBOOK).write_bytes((course / "labs" / LAB / NOTEBOOK).read_bytes())
    write_into(handed_in / NOTEBOOK, (WRONG / "serial.py").read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COREWISE_SMALL", "1")
        with started_by_instructor(course, tmp_path / "home") as server:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(f"{server.url}formgrader/manage_assignments?token={server.token}")
            page.screenshot(path=tmp_path / "formgrader.png")
            raise AssertionError(page.content()[:3000])
