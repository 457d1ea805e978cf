"""The page PROGRESS in a learner's browser: from the start page to what comes next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from lab_server import CHROMIUM, QUIET, REPOSITORY, needs_chromium, started

from grader import record
from grader.model import Verdict

pytestmark = [
    pytest.mark.slow,
    needs_chromium,
    pytest.mark.skipif(os.name != "posix", reason="the server is stopped as POSIX does it"),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_start_page_leads_to_the_progress_page_and_that_to_what_is_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import expect, sync_playwright

    monkeypatch.setenv(
        "PYTHONPATH", str(REPOSITORY)
    )  # the kernel takes this package, wherever another is installed
    with started(tmp_path / "work", REPOSITORY, tmp_path / "home") as server, sync_playwright() as playwright:
        met = Verdict("11_fraud", "answer", "The same alerts?", "met", False, 6.0, 6.0, "Right.")
        record.keep(server.folder, met)
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = chromium.new_context(
            color_scheme="dark" if theme == "dark" else "light", viewport={"width": 1100, "height": 1400}
        ).new_page()
        page.goto(f"{server.url}?token={server.token}")
        start = page.locator(".jp-MarkdownViewer")
        start.get_by_role("link", name="PROGRESS").click(timeout=60_000)
        notebook = page.locator(".jp-NotebookPanel")
        notebook.locator(".jp-CodeCell").first.click(timeout=60_000)
        page.get_by_role("button", name="| Idle").wait_for(timeout=60_000)
        page.keyboard.press("Shift+Enter")
        panel = notebook.locator('section[aria-label="Where you are"]')
        expect(panel).to_contain_text("answer: met, 6 of 6 points, 1 try", timeout=60_000)
        page.screenshot(path=tmp_path / f"{theme}.png")
        found = Axe().run(page, context='section[aria-label="Where you are"]').response["violations"]
        assert [violation["id"] for violation in found] == []
        panel.get_by_role("link", name="Open it").click()
        expect(page.locator(".lm-TabBar-tabLabel").filter(has_text=".ipynb")).to_have_count(2, timeout=60_000)
        expect(page.locator(".jp-Dialog")).to_have_count(0)
        chromium.close()
