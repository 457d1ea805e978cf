"""Pages made from the lessons: the glossary and the start page's map say what the notebooks say, or CI tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_lessons
from tiny_checkout import REPOSITORY, make
from tiny_lessons import ONE, add, markdown, module, named

from grader import coursemap
from grader.author import build, pages
from grader.coursemap import Course, LabPage
from grader.errors import LearnerError

START = f"# Corewise\n\n{pages.BEGIN}\nold\n{pages.END}\n\nMore.\n"
FRAUD = LabPage("11_fraud", "Fraud: a | b", 90, {"answer": 6.0}, (ONE, "Patience."))


def course(checkout: Path, *labs: LabPage) -> Course:
    return coursemap.of([*coursemap.read(checkout).lessons], labs)


def test_the_glossary_is_in_alphabetical_order_and_says_where_each_word_is_explained(tmp_path: Path) -> None:
    def define(page: object) -> None:
        both = "> **zucchini**: a fruit.\n> **Beet**: a root,\n> red inside."
        add(page, "turnip", markdown("more", f"Two more:\n\n{both}", "definition"))

    made = pages.glossary(course(module(tmp_path, one=define)))
    link = "([01.1 · One thing](01_first/01_one.ipynb))"
    assert made.splitlines()[-3:] == [
        f"- **Beet**: a root, red inside. {link}",
        f"- **turnip**: a root that grows in fields. {link}",
        f"- **zucchini**: a fruit. {link}",
    ]
    assert "# Glossary" in made
    assert "There are none yet." in pages.glossary(Course(()))


def test_the_map_has_a_line_for_each_page_with_what_it_needs_and_its_minutes(tmp_path: Path) -> None:
    assert pages.course_map(course(module(tmp_path), FRAUD)).splitlines() == [
        "| page | you need | minutes |",
        "| --- | --- | --- |",
        "| **01 · First** | | **30** |",
        "| [01.1 · One thing](01_first/01_one.ipynb) | | 20 |",
        "| [01.2 · Check yourself](01_first/02_check_yourself.ipynb) | [01.1](01_first/01_one.ipynb) | 10 |",
        "| **Cases** | | |",
        "| [Lab 11 · Fraud: a \\| b](../labs/11_fraud/11_fraud.ipynb) "
        "| [01.1](01_first/01_one.ipynb); Patience | 90 |",
    ]


def test_a_need_may_be_a_module_or_a_lab(tmp_path: Path) -> None:
    lab = LabPage("12_more", "More", 90, {}, ("01_first", "labs/11_fraud"))
    line = pages.course_map(course(module(tmp_path), FRAUD, lab)).splitlines()[-1]
    assert line.endswith("| module 01; [lab 11](../labs/11_fraud/11_fraud.ipynb) | 90 |")


def test_a_lab_of_a_module_needs_its_lessons_unless_it_says_more(tmp_path: Path) -> None:
    lab = LabPage("01_first", "First", 30, {})
    line = pages.course_map(course(module(tmp_path), lab)).splitlines()[-1]
    assert line == "| [Lab 01 · First](../labs/01_first/01_first.ipynb) | the lessons above | 30 |"


def test_only_what_stands_between_the_markers_changes(tmp_path: Path) -> None:
    made = pages.with_map(START, course(module(tmp_path)))
    assert made.startswith("# Corewise\n\n<!--")
    assert made.endswith(f"{pages.END}\n\nMore.\n")
    assert "old" not in made
    assert pages.with_map(made, course(tmp_path)) == made


@pytest.mark.parametrize("start", ["# Corewise\n", f"{pages.END}\n{pages.BEGIN}\n", START + START])
def test_a_start_page_without_its_place_for_the_map_says_how_to_mend_it(start: str) -> None:
    with pytest.raises(LearnerError) as raised:
        pages.with_map(start, Course(()))
    assert pages.BEGIN in raised.value.try_next


def test_the_canonical_form_keeps_what_a_lesson_says_about_itself() -> None:
    page = tiny_lessons.lesson()
    page.metadata["widgets"] = {"state": {}}
    made = json.loads(build.canonical(json.dumps(page), Path("one.ipynb")))
    assert set(made["metadata"]) == {"corewise", "kernelspec", "language_info"}
    assert made["metadata"]["corewise"]["minutes"] == 20
    assert made["cells"][2]["metadata"] == {"tags": ["definition"]}


@pytest.mark.slow
def test_a_lesson_that_changes_makes_its_pages_anew(tmp_path: Path) -> None:
    checkout = module(make(tmp_path / "checkout"))
    start = checkout / "course" / "START.md"
    start.write_text(START, encoding="utf-8")
    wrote = {change.path.name for change in build.build(checkout)}
    assert {"START.md", "GLOSSARY.md", "README.md"} <= wrote
    assert build.check(checkout) == ()
    page = tiny_lessons.lesson()
    named(page, "turnip").source = "> **beet**: red."
    named(page, "title").source = named(page, "title").source.replace("One", "Another")
    tiny_lessons.write(checkout, ONE, page)
    assert [(change.path.name, change.source) for change in build.check(checkout)] == [
        ("START.md", "the notebooks' metadata"),
        ("GLOSSARY.md", "the lessons' definitions"),
        ("README.md", "the notebooks' metadata, course/agendas.toml"),
    ]


def test_the_pages_of_this_course_are_what_its_lessons_say() -> None:
    this, folder = coursemap.read(REPOSITORY), REPOSITORY / "course"
    start = (folder / "START.md").read_text(encoding="utf-8")
    assert pages.with_map(start, this) == start, "Type:  corewise author build"
    made = (folder / "GLOSSARY.md").read_text(encoding="utf-8")
    assert pages.glossary(this) == made, "Type:  corewise author build"
