"""The self-test of module 00: right answers are called right, common wrong ones are told what is wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest

from course import diagnostic
from course.diagnostic import QUESTIONS, ask, summary

Said = Callable[..., str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Ask a function under the name of a question; what was printed."""
    monkeypatch.setattr(diagnostic, "_results", {})

    def asked(name: str, answer: Any) -> str:
        answer.__name__ = name
        ask(answer)
        return capsys.readouterr().out

    return asked


def amounts(lines: list[str]) -> list[float]:
    found = []
    for line in lines:
        try:
            found.append(float(line))
        except ValueError:
            continue
    return found


def chunks(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def totals(sales: list[tuple[str, int]]) -> dict[str, int]:
    sums: defaultdict[str, int] = defaultdict(int)
    for branch, amount in sales:
        sums[branch] += amount
    return sums


class Tally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def add(self, name: str, number: int) -> None:
        self.counts[name] += number

    def get(self, name: str) -> int:
        return self.counts[name]

    def merge(self, other: Tally) -> None:
        self.counts.update(other.counts)


class Shared(Tally):
    counts: Counter[str] = Counter()  # noqa: RUF012  (the flaw that is tried)

    def __init__(self) -> None: ...


class Renamed(Tally):
    def merge(self, other: Tally) -> None:
        self.counts = other.counts


RIGHT: dict[str, Any] = {
    "amounts": amounts,
    "chunks": chunks,
    "totals": totals,
    "has_duplicate": lambda numbers: len(set(numbers)) < len(numbers),
    "Tally": Tally,
    "centred": lambda table: table - table.mean(axis=0),
    "by_merchant": lambda table: table.groupby("merchant")["amt"].sum(),
    "with_region": lambda sales, branches: sales.merge(branches, on="branch", how="left"),
}


def in_place(table: Any) -> Any:
    table -= table.mean(axis=0)
    return table


WRONG = [
    ("amounts", lambda lines: [float(line) for line in lines], "raised ValueError"),
    ("amounts", lambda lines: None, "it gives None"),
    ("chunks", lambda items, size: [items[:size], items[size:]], "it gives [[1, 2], [3, 4, 5]]"),
    (
        "chunks",
        lambda items, size: [items[i * size : (i + 1) * size] for i in range(len(items) // size)],
        "[5]",
    ),
    ("totals", lambda sales: dict(sales), "'north': 6"),
    ("has_duplicate", lambda numbers: False, "should give True"),
    ("has_duplicate", lambda numbers: any(n in numbers[:i] for i, n in enumerate(numbers)), "With a set"),
    ("Tally", Shared, "another Tally"),
    ("Tally", Renamed, "After merging, get('fuel')"),
    ("centred", in_place, "changes the table"),
    ("centred", lambda table: table - table.mean(), "should give"),
    ("by_merchant", lambda table: table.groupby("merchant").sum(), "gives a DataFrame"),
    ("with_region", lambda sales, branches: sales.merge(branches, on="branch"), "2 came out"),
    ("with_region", lambda sales, branches: pd.concat([sales, branches]), "Three sales went in"),
]


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_right_answer_is_called_right(said: Said, name: str) -> None:
    assert said(name, RIGHT[name]) == f"{name}: right.\n"


def test_sorting_first_is_quick_enough(said: Said) -> None:
    def by_sorting(numbers: list[int]) -> bool:
        ordered = sorted(numbers)
        return any(one == other for one, other in pairwise(ordered))

    assert "right" in said("has_duplicate", by_sorting)


@pytest.mark.parametrize(("name", "answer", "what"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong_and_what_to_read(
    said: Said, name: str, answer: Any, what: str
) -> None:
    told = said(name, answer)
    assert told.startswith(f"{name}: not yet. ")
    assert what in told
    assert f"Read up: {QUESTIONS[name].read}" in told


def test_an_unwritten_answer_is_no_wrong_one(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    def unwritten(lines: list[str]) -> None:
        raise NotImplementedError

    assert "not answered yet" in said("amounts", unwritten)
    summary()
    told = capsys.readouterr().out
    assert "amounts not answered" in told
    assert "Right: 0 of 8. You made no guess." in told
    assert "Brush up" not in told


def test_the_summary_says_by_subject_what_to_brush_up(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    for name, answer in RIGHT.items():
        said(name, answer)
    said("centred", in_place)
    summary(5)
    told = capsys.readouterr().out
    assert "NumPy           centred brush up" in told
    assert "pandas          by_merchant right; with_region right" in told
    assert "Right: 7 of 8. You guessed 5." in told
    assert told.count("\n- ") == 1
    said("centred", RIGHT["centred"])
    summary(8)
    assert "Nothing to brush up" in capsys.readouterr().out


def test_another_name_is_told_the_questions(said: Said) -> None:
    assert "The questions: amounts, chunks" in said("chunk", chunks)
