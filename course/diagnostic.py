"""A self-test of what the course builds on: small questions, each answered by a function of the learner's own.

    ask(chunks)        tries the learner's `chunks` on a few inputs and says at once what came of it
    summary(guess)     by subject: what is right, what to brush up and where, what was not answered

Nothing is graded, and nothing is kept longer than the notebook's kernel lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Question:
    """One question. `try_out` gives "" when the answer is right, else what is wrong, in words; it may raise."""

    subject: str
    try_out: Callable[[Any], str]
    read: str


#: How each question that was tried ended: "" when right, else what is wrong.
_results: dict[str, str] = {}


def ask(answer: Any) -> None:
    """Try a function or class on the question of the same name, and print what came of it."""
    name = getattr(answer, "__name__", type(answer).__name__)
    if name not in QUESTIONS:
        print(f"There is no question {name!r}. The questions: {', '.join(QUESTIONS)}.")
        return
    question = QUESTIONS[name]
    _results.pop(name, None)
    try:
        wrong = question.try_out(answer)
    except NotImplementedError:
        print(
            f"{name}: not answered yet. Write it in place of the line with NotImplementedError; run the cell."
        )
        return
    except Exception as error:  # whatever a learner's code raises is an answer too
        wrong = f"it raised {type(error).__name__}: {error}"
    _results[name] = wrong
    print(f"{name}: not yet. {wrong}\nRead up: {question.read}" if wrong else f"{name}: right.")


def summary(guess: int | None = None) -> None:
    """Print what is right and what to brush up, by subject, beside the learner's own guess."""
    right = [name for name, wrong in _results.items() if not wrong]
    for subject in dict.fromkeys(question.subject for question in QUESTIONS.values()):
        names = [name for name, question in QUESTIONS.items() if question.subject == subject]
        said = "; ".join(f"{name} {_state(name)}" for name in names)
        print(f"{subject:16s}{said}")
    print(f"\nRight: {len(right)} of {len(QUESTIONS)}. ", end="")
    print("You made no guess." if guess is None else f"You guessed {guess}.")
    to_read = dict.fromkeys(QUESTIONS[name].read for name, wrong in _results.items() if wrong)
    if to_read:
        print("\nBrush up:", *to_read, sep="\n- ")
    elif len(right) == len(QUESTIONS):
        print("Nothing to brush up: go on with the lab.")
    else:
        print("Answer the others, then run this cell again.")


def _state(name: str) -> str:
    if name not in _results:
        return "not answered"
    return "brush up" if _results[name] else "right"


def _unlike(call: str, wanted: Any, got: Any) -> str:
    """What to say when `got` isn't `wanted`; "" when it is. Long values are cut."""
    return "" if _equal(wanted, got) else f"{call} should give {wanted!r:.200}; it gives {got!r:.200}."


def _equal(wanted: Any, got: Any) -> bool:
    try:
        return bool(wanted == got)
    except ValueError:  # an array has no single truth
        return False


def _first(*said: str) -> str:
    return next((one for one in said if one), "")


def _try_amounts(amounts: Any) -> str:
    lines = ["12.50", " 7 ", "", "n/a", "-3"]
    return _first(
        _unlike(f"amounts({lines})", [12.5, 7.0, -3.0], _as_list(amounts(list(lines)))),
        _unlike("amounts([])", [], _as_list(amounts([]))),
    )


def _try_chunks(chunks: Any) -> str:
    def parts(items: list[int], size: int) -> Any:
        got = _as_list(chunks(list(items), size))
        return [_as_list(part) for part in got] if isinstance(got, list) else got

    cases: list[tuple[list[int], int, list[list[int]]]] = [
        ([1, 2, 3, 4], 2, [[1, 2], [3, 4]]),
        ([1, 2, 3, 4, 5], 2, [[1, 2], [3, 4], [5]]),
        ([1, 2], 5, [[1, 2]]),
        ([], 3, []),
    ]
    return _first(
        *(_unlike(f"chunks({items}, {size})", wanted, parts(items, size)) for items, size, wanted in cases)
    )


def _try_totals(totals: Any) -> str:
    sales = [("north", 5), ("south", 2), ("north", 1)]
    return _first(
        _unlike(f"totals({sales})", {"north": 6, "south": 2}, totals(list(sales))),
        _unlike("totals([]), called after it,", {}, totals([])),
    )


class _Looked(int):
    """A whole number that counts how often such numbers are hashed or compared."""

    looks = 0

    def __hash__(self) -> int:
        _Looked.looks += 1
        return int.__hash__(self)

    def __eq__(self, other: object) -> bool:
        _Looked.looks += 1
        return int.__eq__(self, other)  # type: ignore[arg-type]

    def __lt__(self, other: int) -> bool:
        _Looked.looks += 1
        return int.__lt__(self, other)


def _try_has_duplicate(has_duplicate: Any) -> str:
    wrong = _first(
        _unlike("has_duplicate([3, 1, 3])", True, has_duplicate([3, 1, 3])),
        _unlike("has_duplicate([3, 1, 2])", False, has_duplicate([3, 1, 2])),
        _unlike("has_duplicate([])", False, has_duplicate([])),
    )
    if wrong:
        return wrong
    many = 1_000
    numbers = [_Looked(number) for number in range(many)]
    _Looked.looks = 0
    wrong = _unlike(f"has_duplicate of {many:,} different numbers", False, has_duplicate(numbers))
    if not wrong and _Looked.looks > 40 * many:  # sorting needs about log2(1,000) = 10 comparisons a number
        return (
            f"It is right, but for {many:,} numbers it made {_Looked.looks:,} comparisons. "
            "With a set, about one look a number is enough."
        )
    return wrong


def _try_tally(tally: Any) -> str:
    one, other = tally(), tally()
    one.add("fuel", 2)
    one.add("fuel", 3)
    other.add("food", 1)
    own = _first(
        _unlike("After add('fuel', 2) and add('fuel', 3), get('fuel')", 5, one.get("fuel")),
        _unlike("get of what was never added", 0, one.get("toys")),
        _unlike("What was added to another Tally: get('food')", 0, one.get("food")),
    )
    if own:
        return own
    one.merge(other)
    return _first(
        _unlike("After merging a Tally with one 'food', get('food')", 1, one.get("food")),
        _unlike("After merging, get('fuel')", 5, one.get("fuel")),
        _unlike("The Tally that was merged in: get('fuel')", 0, other.get("fuel")),
    )


def _try_centred(centred: Any) -> str:
    table = np.array([[1.0, 10.0], [3.0, 20.0], [5.0, 60.0]])
    before, wanted = table.copy(), np.array([[-2.0, -20.0], [0.0, -10.0], [2.0, 30.0]])
    got = centred(table)
    if not np.array_equal(table, before):
        return "It changes the table that it was given. Make a new array: table - ..., not table -= ..."
    if not isinstance(got, np.ndarray) or got.shape != wanted.shape or not np.allclose(got, wanted):
        return f"centred({before.tolist()}) should give {wanted.tolist()}; it gives {np.asarray(got).tolist()!r:.200}."
    return ""


def _try_by_merchant(by_merchant: Any) -> str:
    table = pd.DataFrame({"merchant": ["a", "b", "a", "c"], "amt": [1.0, 2.0, 3.0, 4.0]}, index=[7, 7, 8, 9])
    got = by_merchant(table)
    if not isinstance(got, pd.Series):
        return f"It should give a Series, merchant -> sum of amt; it gives a {type(got).__name__}."
    return _unlike(f"by_merchant of {table.to_dict('list')}", {"a": 4.0, "b": 2.0, "c": 4.0}, got.to_dict())


def _try_with_region(with_region: Any) -> str:
    sales = pd.DataFrame({"sale": [1, 2, 3], "branch": ["x", "y", "z"]})
    branches = pd.DataFrame({"branch": ["y", "x"], "region": ["south", "north"]})
    got = with_region(sales, branches)
    if not isinstance(got, pd.DataFrame) or not {"sale", "region"} <= set(got.columns):
        return "It should give a DataFrame with the columns of sales and the column region."
    if sorted(got["sale"]) != [1, 2, 3]:
        return f"Three sales went in, one of a branch that isn't in branches; {len(got)} came out."
    regions = dict(zip(got["sale"], got["region"], strict=True))
    if not pd.isna(regions.pop(3)):
        return "A sale of an unknown branch should have no region: a missing value."
    return _unlike("The regions of sales 1 and 2", {1: "north", 2: "south"}, regions)


def _as_list(value: Any) -> Any:
    """A list of whatever can be gone through; a mapping, a text and all else as it is."""
    if isinstance(value, (str, bytes, Mapping)) or not hasattr(value, "__iter__"):
        return value
    return list(value)


_PYTHON = "https://docs.python.org/3/"
_PANDAS = "https://pandas.pydata.org/docs/user_guide/"
QUESTIONS = {
    "amounts": Question(
        "Python", _try_amounts, f"loops, and handling exceptions with try: {_PYTHON}tutorial/errors.html"
    ),
    "chunks": Question(
        "Python", _try_chunks, f"lists, slices and range: {_PYTHON}tutorial/introduction.html"
    ),
    "totals": Question(
        "Data structures",
        _try_totals,
        f"dictionaries, and collections.Counter and defaultdict: {_PYTHON}tutorial/datastructures.html",
    ),
    "has_duplicate": Question(
        "Complexity",
        _try_has_duplicate,
        "what lists, sets and dictionaries cost: https://wiki.python.org/moin/TimeComplexity",
    ),
    "Tally": Question(
        "Objects", _try_tally, f"classes, class and instance variables: {_PYTHON}tutorial/classes.html"
    ),
    "centred": Question(
        "NumPy",
        _try_centred,
        "axes, and broadcasting: https://numpy.org/doc/stable/user/basics.broadcasting.html",
    ),
    "by_merchant": Question("pandas", _try_by_merchant, f"groupby: {_PANDAS}groupby.html"),
    "with_region": Question(
        "pandas", _try_with_region, f"merge, and the kinds of join: {_PANDAS}merging.html"
    ),
}
