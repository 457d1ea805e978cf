"""The book of guarantees: every contract is there, work and order are as told, what can't be valued says so."""

from __future__ import annotations

import multiprocessing
import pickle
from pathlib import Path

import pytest

from course.cases import reserves


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    reserves.make(folder, 2_000, seed=5)
    return folder


def work(contract: reserves.Contract) -> int:
    return contract.paths * contract.months


@pytest.mark.parametrize("size", [0, 1, 2, 7, 901])
def test_a_book_has_as_many_contracts_as_asked_for_each_with_a_number_of_its_own(
    tmp_path: Path, size: int
) -> None:
    reserves.make(tmp_path, size, seed=size)
    numbers = [contract.number for contract in reserves.read(tmp_path)]
    assert len(set(numbers)) == size
    assert len(reserves.value_all(tmp_path)) == size


def test_the_seed_decides_the_book(tmp_path: Path) -> None:
    books = []
    for seed in (1, 1, 2):
        reserves.make(tmp_path, 50, seed)
        books.append((tmp_path / "book.csv").read_bytes())
    assert books[0] == books[1] != books[2]


def test_most_contracts_are_small_and_most_of_the_work_stands_at_the_end(book: Path) -> None:
    steps = [work(contract) for contract in reserves.read(book)]
    usual = sorted(steps)[len(steps) // 2]
    assert min(steps[-100:]) > 50 * usual
    for workers in (2, 3, 4):
        assert sum(steps[-(len(steps) // workers) :]) > 0.85 * sum(steps), (
            "one chunk a worker leaves it to one"
        )


def test_some_guarantees_cost_something_and_some_nothing(book: Path) -> None:
    values = reserves.value_all(book)
    assert min(values) == 0
    assert 0.2 < sum(value > 0 for value in values) / len(values) < 0.9
    assert sum(values) > 0


def test_a_value_depends_on_its_contract_alone(book: Path) -> None:
    contracts = reserves.read(book)
    assert [reserves.value(contract) for contract in reversed(contracts)] == reserves.value_all(book)[::-1]


def test_the_progress_is_told_after_each_contract(book: Path) -> None:
    told: list[tuple[int, int]] = []
    contracts = reserves.read(book)[:5]
    values = reserves.value_some(contracts, lambda done, total: told.append((done, total)))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert values == reserves.value_all(book)[:5]


def test_with_steps_all_contracts_are_of_about_one_size(tmp_path: Path) -> None:
    reserves.make(tmp_path, 500, seed=3, steps=5_000)
    steps = [work(contract) for contract in reserves.read(tmp_path)]
    assert min(steps) > 4_000
    assert max(steps) < 6_000


@pytest.mark.parametrize(("broken", "error"), [("fund", reserves.FundError), ("paths", ZeroDivisionError)])
@pytest.mark.parametrize("size", [1, 5, 300])
def test_one_contract_of_a_broken_book_cant_be_valued(
    tmp_path: Path, size: int, broken: str, error: type[Exception]
) -> None:
    reserves.make(tmp_path, size, seed=size, broken=broken)
    failed = []
    for place, contract in enumerate(reserves.read(tmp_path)):
        try:
            reserves.value(contract)
        except error:
            failed.append(place)
    assert len(failed) == 1
    assert failed[0] <= size // 2


def test_a_fund_error_doesnt_survive_pickling_and_a_task_error_does() -> None:
    """The one is the trap, the other the way out."""
    with pytest.raises(TypeError, match="fund"):
        pickle.loads(pickle.dumps(reserves.FundError(7, "tulips")))
    error = pickle.loads(pickle.dumps(reserves.TaskError(7, "no such fund")))
    assert (error.number, error.reason) == (7, "no such fund")
    assert str(error) == "contract 7 could not be valued: no such fund"


def test_nothing_is_noted_where_no_trail_is_kept(book: Path) -> None:
    reserves.value_all(book)
    assert not (book / "trail.txt").exists()


@pytest.mark.slow
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_the_trail_has_a_line_for_each_valuation_that_was_begun_by_whatever_process(
    tmp_path: Path, method: str
) -> None:
    reserves.make(tmp_path, 300, seed=1)
    reserves.keep_trail(tmp_path)
    assert reserves.begun(tmp_path) == 0
    contracts = reserves.read(tmp_path)
    with multiprocessing.get_context(method).Pool(2) as pool:
        pool.map_async(reserves.value, contracts, chunksize=7).get(timeout=60)
    assert reserves.begun(tmp_path) == 300
    noted = (tmp_path / "trail.txt").read_text(encoding="utf-8").split()
    assert sorted(noted) == sorted(str(contract.number) for contract in contracts)
    reserves.keep_trail(tmp_path)
    assert reserves.begun(tmp_path) == 0
