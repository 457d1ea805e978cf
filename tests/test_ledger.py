"""The ledger's days, its book, and the rehearsal that brings mistakes with locks out, under every start method."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course.cases import ledger, ledger_schedules, side_by_side

METHODS = multiprocessing.get_all_start_methods()


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """No rehearsal goes on in this process after a test, and the start method is what it was."""
    method = multiprocessing.get_start_method(allow_none=True)
    yield
    ledger_schedules.rest()
    multiprocessing.set_start_method(method, force=True)


@pytest.fixture
def hard(tmp_path: Path) -> Path:
    ledger.make_rehearsal(tmp_path, 24, seed=4)
    return tmp_path


# Days


@pytest.mark.parametrize("size", [0, 1, 7, 500])
def test_a_day_keeps_its_money_and_its_number_of_transfers(tmp_path: Path, size: int) -> None:
    ledger.make(tmp_path, size, seed=size)
    lines = [line for path in ledger.files(tmp_path) for line in ledger.read(path)]
    balances, refused, moved = ledger.post_all(tmp_path)
    assert len(lines) == size
    assert sum(balances) == sum(ledger.opening(tmp_path))
    assert refused + moved <= size
    if size >= 7:
        assert refused
        asked = [ledger.validate(line, len(balances)) for line in lines]
        assert any(one is not None and one.source == one.target for one in asked)


def test_the_seed_decides_the_day(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        ledger.make(tmp_path / name, 50, seed)
        texts.append([path.read_bytes() for path in sorted((tmp_path / name).iterdir())])
    assert texts[0] == texts[1] != texts[2]


def test_a_transfer_is_refused_for_its_own_sake_alone(tmp_path: Path) -> None:
    ledger.make(tmp_path, 7, seed=1)
    good = next(
        line for path in ledger.files(tmp_path) for line in ledger.read(path) if ledger.validate(line, 24)
    )
    assert ledger.validate(good, 24) == tuple(int(part) for part in good.split(",")[:3])
    last = "1" if good[-1] == "0" else "0"
    assert ledger.validate(good[:-1] + last, 24) is None, "its seal is wrong"
    assert ledger.validate(good, 0) is None, "there is no such account"
    assert ledger.validate(good[1:], 24) is None, "it is no transfer"


# The rehearsal, seen from one process


def test_a_good_transfer_is_booked_once_and_nothing_is_noted(hard: Path) -> None:
    book = ledger.open_book(hard)
    assert isinstance(book, ledger_schedules.RehearsedBook)
    before = book.balances()
    with book.locks[0], book.locks[1]:
        book.write(0, book.read(0) - 5)
        book.write(1, book.read(1) + 5)
    assert (book.balances()[0], sum(book.balances())) == (before[0] - 5, sum(before))
    assert book.bookings() == 1
    assert ledger.notes(hard) == []


def half(book: Any) -> None:
    with book.locks[0]:
        book.write(0, book.read(0) - 5)


def unlocked(book: Any) -> None:
    book.write(0, book.read(0) - 5)


def read_before(book: Any) -> None:
    before = book.read(0)
    with book.locks[0]:
        book.write(0, before)


def falling(book: Any) -> None:
    with book.locks[1], book.locks[0]:
        pass


def twice(book: Any) -> None:
    with book.locks[2], book.locks[2]:
        pass


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (half, "half a transfer: account 0 was let go while 5 cents were between two accounts"),
        (unlocked, "no lock: account 0 was written by a worker that doesn't hold its lock"),
        (read_before, "no lock: account 0 was read before its lock was taken, and written under it"),
        (falling, "wrong order: a worker that holds account 1 asks for account 0: the lower one comes first"),
        (twice, "deadlock: a worker that holds the lock of account 2 waits for it: it waits for itself"),
    ],
)
def test_a_mistake_is_noted_with_its_line(hard: Path, mistake: Any, says: str) -> None:
    book = ledger.open_book(hard)
    if mistake is twice:
        with pytest.raises(ledger_schedules.DeadlockError):
            mistake(book)
    else:
        mistake(book)
    (note,) = ledger.notes(hard)
    assert note.startswith(says)
    assert f"of {Path(__file__).name}, in {mistake.__name__})." in note


def test_who_gives_up_by_a_time_out_of_ones_own_is_told_nothing(hard: Path) -> None:
    book = ledger.open_book(hard)
    with book.locks[1]:
        assert book.locks[0].acquire(timeout=1)
        assert not book.locks[0].acquire(timeout=0.05)
        assert not book.locks[1].acquire(block=False)
        book.locks[0].release()
    assert ledger.notes(hard) == []


def test_looking_at_balances_without_writing_needs_no_lock(hard: Path) -> None:
    book = ledger.open_book(hard)
    assert [book.read(account) for account in range(4)] == book.balances()
    assert ledger.notes(hard) == []


def test_values_pause_only_while_a_book_is_rehearsed(hard: Path, tmp_path: Path) -> None:
    value, array = multiprocessing.Value("q", 3), multiprocessing.Array("q", [4, 5])
    ledger.open_book(hard)
    assert (value.value, array[1]) == (3, 5)
    value.value += 1
    ledger_schedules.rest()
    assert value.value == 4
    assert ledger_schedules._watch is None


# The rehearsal, with several processes


def crossing(book: Any, first: int, second: int) -> None:
    for _ in range(20):
        with book.locks[first], book.locks[second]:
            pass


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_two_that_cross_are_told_that_they_wait_for_each_other(hard: Path, method: str) -> None:
    multiprocessing.set_start_method(method, force=True)
    book = ledger.open_book(hard)
    ended = side_by_side.run((crossing, book, 0, 1), (crossing, book, 1, 0), seconds=60)
    assert not all(one.in_order for one in ended)
    assert all(not one.line for one in ended), "an error, no hang"
    assert ledger.notes(hard)[0].startswith("deadlock: a worker that holds account ")
    assert "in crossing)." in ledger.notes(hard)[0]


def stand(lock: Any) -> None:
    with lock:
        lock.acquire()


def fail() -> None:
    raise SystemExit(3)


def nothing() -> None:
    pass


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_side_by_side_tells_who_is_done_who_failed_and_who_stands_where(method: str) -> None:
    multiprocessing.set_start_method(method, force=True)
    done, failed, stands = side_by_side.run((nothing,), (fail,), (stand, multiprocessing.Lock()), seconds=6)
    assert (done.in_order, done.line) == (True, "")
    assert (failed.in_order, failed.line) == (False, "")
    assert not stands.in_order
    assert stands.line.endswith(f"of {Path(__file__).name}, in stand")
    assert "It stands at line" in str(stands)
    assert multiprocessing.active_children() == []
