"""`author lint`: a lesson as it should be passes, and each fault is named with its cell and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_lessons
from tiny_checkout import REPOSITORY, corewise, make
from tiny_lessons import CHECK, ONE, add, code, markdown, module, named, question, quiz

from grader.author import lint
from grader.errors import LearnerError

Page = Any
Change = Callable[[Page], None]


def faults(checkout: Path, chosen: str | None = None) -> list[tuple[str, str]]:
    """Rule and cell of each fault."""
    return [(fault.rule, fault.cell) for fault in lint.lint(chosen, checkout).faults]


def test_the_lessons_of_this_course_follow_its_style() -> None:
    found = lint.lint(None, REPOSITORY)
    assert not found.faults, lint.report(found)


def test_a_lesson_as_it_should_be_has_no_fault(tmp_path: Path) -> None:
    found = lint.lint(None, module(tmp_path))
    assert not found.faults, lint.report(found)
    assert lint.report(found) == "2 lessons read: no fault."


def sets(name: str, source: str) -> Change:
    """Changes what a cell says."""

    def change(page: Page) -> None:
        named(page, name).source = source

    return change


def tells(**facts: Any) -> Change:
    """Changes what the lesson says about itself."""
    return lambda page: page.metadata["corewise"].update(facts)


def inserts(after: str, *cells: Any) -> Change:
    return lambda page: add(page, after, *cells)


def untag(name: str) -> Change:
    return lambda page: named(page, name).metadata.pop("tags")


def both(*changes: Change) -> Change:
    def change(page: Page) -> None:
        for one in changes:
            one(page)

    return change


TITLE = "# One thing\n\n**About {} minutes.** *You need: Python functions.*"
GUESSES = [
    cell
    for number in range(8)
    for cell in (
        markdown(f"predict-{number}", "And now?", "checkpoint"),
        code(f"guess-{number}", "guess = None"),
    )
]
PLAIN = [code(f"run-{number}", "print(guess)") for number in range(6)]
OWN = "def own(x):\n    return x\n\n"
FROM = "from multiprocessing import Pool, Process\n"

#: What is wrong -> the change that makes it so, rule and cell of what is found.
ONE_FAULT: dict[str, tuple[Change, str, str]] = {
    "too many cells": (inserts("guess", *GUESSES), "length", ""),
    "too many minutes": (both(tells(minutes=45), sets("title", TITLE.format(45))), "minutes", ""),
    "no objective": (tells(objectives=[]), "objectives", ""),
    "objectives in one text": (tells(objectives="learn"), "objectives", ""),
    "prerequisites in one text": (tells(prerequisites="learn"), "facts", ""),
    "a prerequisite that is not there": (tells(prerequisites=["01_first/07_none"]), "prerequisites", ""),
    "a prerequisite that comes later": (tells(prerequisites=[CHECK]), "prerequisites", ""),
    "itself as prerequisite": (tells(prerequisites=[ONE]), "prerequisites", ""),
    "its own module as prerequisite": (tells(prerequisites=["01_first"]), "prerequisites", ""),
    "minutes that differ": (sets("title", TITLE.format(25)), "first cell", "title"),
    "no minutes in the first cell": (sets("title", "# One\n\n*You need: time.*"), "first cell", "title"),
    "no needs": (sets("title", "# One\n\n**About 20 minutes.**"), "first cell", "title"),
    "a level left out": (sets("question", "### The question"), "heading order", "question"),
    "a second title": (sets("question", "# The question"), "heading order", "question"),
    "a heading without words": (sets("question", "##\n\nHello."), "heading order", "question"),
    "a checkpoint without a guess": (inserts("predict", markdown("no", "No.")), "checkpoints", "predict"),
    "no checkpoint for long": (inserts("guess", *PLAIN), "checkpoints", "predict"),
    "no checkpoint at all": (untag("predict"), "checkpoints", "title"),
    "no key points": (untag("points"), "key points", "points"),
    "key points that are no list": (sets("points", "## Key points\n\nMany."), "key points", "points"),
    "a random id": (inserts("guess", code("a1b2c3d4", "1")), "cell ids", "a1b2c3d4"),
    "a picture without words": (sets("question", "## Look\n\n![](a.png)"), "alt texts", "question"),
    "an img without words": (sets("question", '## Look\n\n<img src="a.png">'), "alt texts", "question"),
    "an img with empty words": (
        sets("question", '## Look\n\n<img alt="" src="a.png">'),
        "alt texts",
        "question",
    ),
    "no Python": (sets("guess", "def f(:"), "syntax", "guess"),
    "plt.show": (sets("picture", "plt.plot([1])\nplt.show()"), "pictures", "picture"),
    "a figure not shown": (sets("picture", "figure, axes = plt.subplots()"), "pictures", "picture"),
    "a figure shown without words": (
        sets("picture", "figure, axes = plt.subplots()\nshow(figure, '')"),
        "pictures",
        "picture",
    ),
    "an Image without words": (sets("picture", "Image('a.png')"), "pictures", "picture"),
    "processes that it keeps to itself": (tells(starts_processes=False), "starting processes", "pool"),
    "a cell's function in a pool": (
        sets("pool", FROM + OWN + "with Pool(2) as pool:\n    pool.imap_unordered(own, [1])"),
        "worker functions",
        "pool",
    ),
    "a cell's function in a pool that has no name": (
        sets("pool", FROM + OWN + "Pool(2).map(own, [1])"),
        "worker functions",
        "pool",
    ),
    "a cell's function as a process": (
        sets("pool", FROM + OWN + "Process(target=own, args=(1,)).start()"),
        "worker functions",
        "pool",
    ),
    "a lambda in a pool": (
        sets("pool", FROM + "with Pool(2) as pool:\n    pool.map(lambda x: x, [1])"),
        "worker functions",
        "pool",
    ),
    "a part of a cell's function": (
        sets("pool", FROM + OWN + "with Pool(2) as pool:\n    pool.map(functools.partial(own, 1), [1])"),
        "worker functions",
        "pool",
    ),
    "a cell's function to begin with": (
        sets("pool", FROM + OWN + "pool = Pool(2, initializer=own)"),
        "worker functions",
        "pool",
    ),
    "a definition tag for nothing": (sets("turnip", "A turnip is a root."), "definitions", "turnip"),
    "a definition without its tag": (untag("turnip"), "definitions", "turnip"),
    "a term defined twice": (
        inserts("turnip", markdown("again", "> **Turnip**: a root.", "definition")),
        "definitions",
        "again",
    ),
    "a term used before": (sets("question", "## Turnips\n\nTwo turnips a day."), "first uses", "question"),
}


@pytest.mark.parametrize("name", ONE_FAULT)
def test_each_fault_of_a_lesson_is_found_and_no_other(tmp_path: Path, name: str) -> None:
    change, rule, cell = ONE_FAULT[name]
    (fault,) = lint.lint(None, module(tmp_path, one=change)).faults
    assert (fault.rule, fault.file, fault.cell) == (rule, f"course/{ONE}.ipynb", cell), fault
    assert fault.what
    assert fault.try_next


QUIZ_FAULTS: dict[str, tuple[Change, str]] = {
    "no quiz": (untag("quiz"), ""),
    "two questions": (sets("quiz", quiz(question(), question())), "quiz"),
    "seven questions": (sets("quiz", quiz(*[question()] * 7)), "quiz"),
    "questions of somewhere else": (
        sets("quiz", quiz(*[question()] * 3).replace("display_quiz([", "display_quiz('q.json'); print([")),
        "quiz",
    ),
    "no call": (sets("quiz", quiz(*[question()] * 3).replace("\ndisplay_quiz(", "\nprint(")), "quiz"),
    "an answer without feedback": (
        sets("quiz", quiz(question(), question(), question()).replace("It is a root.", " ", 1)),
        "quiz",
    ),
    "no right answer": (
        sets("quiz", quiz(question(), question(), question()).replace("True", "False", 1)),
        "quiz",
    ),
    "no answers": (sets("quiz", quiz(question(), question(), question(answers=[]))), "quiz"),
}


@pytest.mark.parametrize("name", QUIZ_FAULTS)
def test_each_fault_of_a_quiz_is_found(tmp_path: Path, name: str) -> None:
    change, cell = QUIZ_FAULTS[name]
    (fault,) = lint.lint(None, module(tmp_path, check=change)).faults
    assert (fault.rule, fault.file, fault.cell) == ("quiz", f"course/{CHECK}.ipynb", cell), fault


FINE: dict[str, Change] = {
    "threads take a cell's function": sets(
        "pool", OWN + "with ThreadPoolExecutor(2) as pool:\n    print(list(pool.map(own, [1])))"
    ),
    "so does map": sets("pool", OWN + "print(list(map(own, [1])))"),
    "a cell that shows the mistake": both(
        sets("pool", FROM + OWN + "with Pool(2) as pool:\n    pool.map_async(own, [1]).get(timeout=3)"),
        lambda page: named(page, "pool").metadata.update(tags=["wrong-on-purpose"]),
    ),
    "await and shell commands": sets("guess", "%matplotlib inline\nimport asyncio\nawait asyncio.sleep(0)"),
    "the result of a line magic": sets("guess", "weighed = %memit -o sum([1])\nweighed"),
    "a heading in a block of code": sets("question", "## Look\n\n```\n# a comment\n![](a.png)\n```"),
    "a term in a heading, in code, for instructors": sets("question", "## Turnips\n\n`turnip` is a name."),
    "another cell magic": inserts("guess", code("time", "%%time\nsum(range(10))")),
    "a sentence as prerequisite": tells(prerequisites=["A little pandas."]),
    "a picture of text": sets("picture", 'HTML(f\'<img alt="{says}" src="{data}">\')'),
}


@pytest.mark.parametrize("name", FINE)
def test_what_is_fine_is_no_fault(tmp_path: Path, name: str) -> None:
    found = lint.lint(None, module(tmp_path, one=FINE[name]))
    assert not found.faults, lint.report(found)


def test_outputs_and_another_form_are_found(tmp_path: Path) -> None:
    path = module(tmp_path) / "course" / f"{ONE}.ipynb"
    page = json.loads(path.read_text(encoding="utf-8"))
    page["cells"][4]["execution_count"] = 3
    path.write_text(json.dumps(page), encoding="utf-8")
    assert faults(tmp_path) == [("outputs", "guess"), ("canonical form", "")]


def test_metadata_that_is_not_there_is_said_rule_by_rule(tmp_path: Path) -> None:
    module(tmp_path, one=lambda page: page.metadata.pop("corewise"))
    found = faults(tmp_path)
    assert {rule for rule, _ in found} == {
        "minutes",
        "objectives",
        "facts",
        "first cell",
        "starting processes",
    }


def test_what_is_no_notebook_is_a_fault_and_stops_nothing(tmp_path: Path) -> None:
    module(tmp_path, check=untag("quiz"))
    (tmp_path / "course/01_first/01_one.ipynb").write_text("{", encoding="utf-8")
    assert ("notebook", "") in faults(tmp_path)
    assert ("quiz", "") in faults(tmp_path)


@pytest.mark.parametrize(
    "names", [("01_one",), ("02_one", "03_check_yourself"), ("one", "02_check_yourself")]
)
def test_a_module_is_numbered_and_ends_with_its_check_yourself(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    for name in names:
        made = tiny_lessons.check_yourself() if "check" in name else tiny_lessons.lesson()
        made.metadata["corewise"]["prerequisites"] = []
        tiny_lessons.write(tmp_path, f"01_first/{name}", made)
    # Where the quiz comes first, it uses a word that the lesson has not explained yet.
    assert {rule for rule, _ in faults(tmp_path)} - {"first uses"} == {"files"}


def test_a_term_that_another_module_defines_later_is_found(tmp_path: Path) -> None:
    module(tmp_path, one=sets("question", "## The question\n\nA pumpkin."))
    for name in ("01_one", "02_check_yourself"):
        made = tiny_lessons.check_yourself() if "check" in name else tiny_lessons.lesson()
        if name == "01_one":
            named(made, "turnip").source = "> **pumpkin**: a fruit."
        tiny_lessons.write(tmp_path, f"02_second/{name}", made)
    assert [(one.rule, one.file) for one in lint.lint(None, tmp_path).faults] == [
        ("first uses", f"course/{ONE}.ipynb")
    ]


def test_a_word_of_everyday_english_may_be_used_before_where_its_lesson_says_so(tmp_path: Path) -> None:
    early = sets("question", "## The question\n\nTwo turnips a day.")
    module(tmp_path, one=both(early, tells(plain_words=["Turnip"])))
    assert faults(tmp_path) == []


def test_one_module_or_one_notebook_can_be_chosen(tmp_path: Path) -> None:
    module(tmp_path, one=untag("points"), check=untag("quiz"))
    assert faults(tmp_path, "01_first") == [("key points", "points"), ("quiz", "")]
    assert faults(tmp_path, "course/01_first") == faults(tmp_path, "01_first")
    assert faults(tmp_path, f"{CHECK}.ipynb") == [("quiz", "")]
    for wrong in ("02_none", "none.ipynb"):
        with pytest.raises(LearnerError, match="There is no"):
            lint.lint(wrong, tmp_path)


def test_a_draft_outside_the_course_is_read_too(tmp_path: Path) -> None:
    draft = module(tmp_path / "drafts", one=untag("points")) / "course/01_first/01_one.ipynb"
    (tmp_path / "checkout").mkdir()
    (fault,) = lint.lint(str(draft), tmp_path / "checkout").faults
    assert (fault.rule, fault.file) == ("key points", str(draft))


def test_a_check_of_a_lab_has_three_hints(tmp_path: Path) -> None:
    lab = tmp_path / "solutions/primes/lab.toml"
    lab.parent.mkdir(parents=True)
    toml = (REPOSITORY / "tests/labs/primes/lab.toml").read_text(encoding="utf-8")
    lab.write_text(toml.replace('"Use chunks.", ', ""), encoding="utf-8")
    (fault,) = lint.lint(None, tmp_path).faults
    assert (fault.rule, fault.file, fault.cell) == ("hints", "solutions/primes/lab.toml", "speedup")


@pytest.mark.slow
def test_the_command_says_it_in_words_and_in_json_and_by_its_exit_code(tmp_path: Path) -> None:
    checkout = module(make(tmp_path / "checkout"), one=untag("points"))
    run = corewise(checkout, "author", "lint")
    assert (run.returncode, run.stderr) == (1, "")
    assert run.stdout.splitlines() == [
        f"course/{ONE}.ipynb, points: It doesn't end with its key points.",
        "    End with a markdown list, tagged `key-points`.",
        "2 lessons read: 1 fault.",
    ]
    told = json.loads(corewise(checkout, "author", "lint", "01_first", "--json").stdout)
    assert (told["schema"], told["ok"], len(told["files"])) == (1, False, 2)
    assert [(one["rule"], one["cell"]) for one in told["faults"]] == [("key points", "points")]
    run = corewise(checkout, "author", "lint", f"{CHECK}.ipynb")
    assert (run.returncode, run.stdout) == (0, "1 lesson read: no fault.\n")
    run = corewise(checkout, "author", "lint", "07_none")
    assert run.returncode == 1
    assert "There is no module '07_none'." in run.stderr
