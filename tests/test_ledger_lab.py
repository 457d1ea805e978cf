"""The lab 05_ledger: what its judge says, what it must refuse, its notebook as nbgrader and learners need it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from lab_pages import marks, page

from course.cases import ledger
from grader import lab as labs
from grader import machine
from grader.assess import assess
from grader.author import verify
from grader.launch.local import LocalLauncher
from grader.model import Lab, WorkerModule

FOLDER = labs.CHECKOUT / "solutions" / "05_ledger"
RELEASED = labs.CHECKOUT / "labs" / "05_ledger"
WRONG = sorted((FOLDER / "wrong").glob("*.py"))
METHOD = machine.start_methods()[0]


@pytest.fixture(scope="module")
def lab() -> Lab:
    return labs.load(FOLDER)


@pytest.fixture(scope="module")
def judge(lab: Lab) -> ModuleType:
    return lab.judge


def evening(judge: ModuleType, *balances: int, refused: int = 2, booked: int = 9, notes: Any = ()) -> Any:
    return judge.encode(judge.Evening(list(balances), refused, booked, tuple(notes)))


# The judge


def test_a_book_and_a_number_are_compared_with_the_serial_evening(judge: ModuleType, tmp_path: Path) -> None:
    judge.make_input(tmp_path, 60, seed=3)
    right = judge.serial(*judge.arguments(tmp_path))
    book = ledger.open_book(tmp_path)
    for account, cents in enumerate(right.balances):
        book.write(account, cents)
    for number in (right.refused, np.int64(right.refused)):
        assert judge.compare(judge.encode(right), judge.encode((book, number))) == ""


@pytest.mark.parametrize(
    ("mine", "says"),
    [
        ({}, ""),
        ({"refused": 3}, "2 transfers were to be refused; you counted 3."),
        ({"balances": (100, 350, 300)}, "1 of 3 balances are wrong (account 1: 1.50 too much); over all"),
        ({"balances": (100, 350, 300)}, "over all accounts 1.50 too much: money must neither appear nor"),
        ({"balances": (90, 210, 300)}, "over all accounts no money is missing."),
        ({"balances": (100,)}, "The book has 3 accounts; yours has 1."),
        ({"booked": 2}, "9 transfers moved money, and the book was changed 2 times"),
        ({"booked": -1}, ""),
        ({"notes": ["half a transfer: account 1 (line 7)."]}, "Seen: half a transfer: account 1 (line 7)."),
    ],
)
def test_what_is_wrong_is_said_in_money_and_with_what_was_seen(
    judge: ModuleType, mine: dict[str, Any], says: str
) -> None:
    expected = evening(judge, 100, 200, 300)
    said = judge.compare(expected, evening(judge, *mine.pop("balances", (100, 200, 300)), **mine))
    assert says in said
    assert bool(said) == bool(says)


def test_after_a_deadlock_the_balances_say_nothing(judge: ModuleType) -> None:
    said = judge.compare(evening(judge, 100, 200), evening(judge, notes=["deadlock: it waits (line 4)."]))
    assert said == "Seen: deadlock: it waits (line 4)."


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "it returned NoneType. Does it end with: return book, refused?"),
        ((1, 2, 3), "it returned tuple"),
        (([1, 2], 3), "must be the book that ledger.open_book gave; it is list"),
        ((ledger.Book([1]), None), "must be a whole number, how many transfers were refused; it is NoneType"),
        ((ledger.Book([1]), True), "it is bool"),
        ((ledger.Book([1]), -1), "must be a whole number"),
        ((ledger.Book([1]), 1 << 70), "must be a whole number"),
    ],
)
def test_what_is_no_answer_is_said_clearly(judge: ModuleType, answer: object, says: str) -> None:
    """A TypeError is what the pipeline takes for the learner's mistake."""
    with pytest.raises(TypeError, match=re.escape(says)):
        judge.encode(answer)


def test_a_value_in_place_of_its_number_is_told_apart(judge: ModuleType) -> None:
    from multiprocessing import Value

    with pytest.raises(TypeError, match=re.escape("Its number is in its .value.")):
        judge.encode((ledger.Book([1]), Value("q", 0)))


def test_an_error_without_a_note_is_the_learners_own(judge: ModuleType, tmp_path: Path) -> None:
    def unwritten(*_: object) -> None:
        raise NotImplementedError

    ledger.make_rehearsal(tmp_path, 24, seed=1)
    with pytest.raises(NotImplementedError):
        judge.rehearse(unwritten, (tmp_path, 2))
    (tmp_path / "notes-7.txt").write_text("0 deadlock: it waits.\n", encoding="utf-8")
    assert judge.rehearse(unwritten, (tmp_path, 2)).notes == ("deadlock: it waits.",)


# lab.toml


def test_the_lab_is_complete(lab: Lab) -> None:
    assert (lab.id, lab.module, lab.function) == ("05_ledger", "poster", "post_transfers")
    assert lab.signature == "post_transfers(folder, workers)"
    points = {name: check.points for name, check in lab.checks.items()}
    assert points == {"answer": 3, "schedules": 4, "clean_up": 1, "speedup": 4}


def test_each_check_has_three_hints_and_only_the_last_one_gives_code(lab: Lab) -> None:
    assert lab.hints.keys() == lab.checks.keys()
    for name, hint in lab.hints.items():
        nudge, way, nearly = hint.steps
        assert "with book.locks" not in nudge + way
        assert ".start()" in nearly or "(" in nearly or name == "speedup"


# Wrong answers


def test_the_wrong_answers_are_those_that_the_lab_must_refuse(lab: Lab) -> None:
    expected = {answer.name: answer.expected for answer in verify.answers(lab)}
    assert {name: said for name, said in expected.items() if name not in ("stub", "reference")} == {
        "a_lock_of_threads": "schedules: not yet (wrong answer)",
        "books_once_in_the_evening": "schedules: not yet (wrong answer)",
        "counts_without_the_lock": "schedules: not yet (wrong answer)",
        "each_opens_its_own_book": "answer: not yet (wrong answer)",
        "from_then_to": "schedules: not yet (wrong answer)",
        "keeps_the_lock": "answer: not yet (timed out)",
        "no_lock": "schedules: not yet (wrong answer)",
        "one_account_at_a_time": "schedules: not yet (wrong answer)",
        "one_lock_for_everything": "speedup: not yet (lock-convoy)",
        "reads_before_it_locks": "schedules: not yet (wrong answer)",
        "the_watcher_is_never_told": "clean_up: not yet (process left)",
        "transfer_to_oneself": "answer: not yet (timed out)",
    }


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: Programs that are right in other ways than the reference: a pool, and a lock that is given up when it isn't free.
OTHERWISE = {
    "pool": """
            first, second = sorted((source, target))
            with BOOK.locks[first], BOOK.locks[second]:
                change(source, target, cents)
""",
    "gives_up_and_tries_again": """
            while True:
                with BOOK.locks[source]:
                    if BOOK.locks[target].acquire(timeout=0.01):
                        change(source, target, cents)
                        BOOK.locks[target].release()
                        break
                time.sleep(random.random() / 100)
""",
}
POOL = """
import random
import time
from multiprocessing import Pool

from course.cases import ledger


def take(book):
    global BOOK
    BOOK = book


def post_transfers(folder, workers):
    book = ledger.open_book(folder)
    with Pool(workers, initializer=take, initargs=(book,)) as pool:
        return book, sum(pool.imap_unordered(post_file, ledger.files(folder), chunksize=1))


def change(source, target, cents):
    BOOK.write(source, BOOK.read(source) - cents)
    BOOK.write(target, BOOK.read(target) + cents)


def post_file(path):
    refused = 0
    for line in ledger.read(path):
        transfer = ledger.validate(line, len(BOOK.locks))
        if transfer is None:
            refused += 1
            continue
        source, target, cents = transfer
        if source != target:
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERWISE)
def test_a_program_that_is_right_in_another_way_meets_the_rehearsal(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", METHOD)
    worker = WorkerModule("poster", {"poster": f"{POOL}{OTHERWISE[name]}    return refused\n"}, name)
    verdict = assess(lab, "schedules", worker, LocalLauncher(), machine.look(), lambda line: None)
    assert verdict.outcome == "met", verdict.reason


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [path.stem for path in WRONG if path.read_text(encoding="utf-8").startswith("# check: schedules")]
)
def test_a_rehearsal_refuses_what_tests_would_pass(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COREWISE_START_METHOD", METHOD)
    (answer,) = [one for one in verify.answers(lab) if one.name == name]
    proof = verify.try_answer(lab, answer, LocalLauncher(), lambda line: None, until=0.0)
    assert proof.ok, verify.explain(proof)


# The notebook


def test_the_released_notebook_shows_no_solution_and_a_stub() -> None:
    source = "\n".join(cell.source for cell in page(RELEASED).cells)
    for secret in ("SOLUTION", "sorted((source", "get_lock", "Not before Monday"):
        assert secret not in source
    (stub,) = [cell for cell in page(RELEASED).cells if marks(cell).get("grade_id") == "poster"]
    assert stub.source.startswith("%%module poster\n")
    assert stub.source.count("raise NotImplementedError") == 1
    assert not (RELEASED / "wrong").exists()
