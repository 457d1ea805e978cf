"""The branch ledgers: what the year is like, which accounts are right, and what each damage does to its reader."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from course.cases import branches


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("year")
    branches.make(folder, 6_001, seed=5)
    return folder


def bookings(path: Path) -> list[dict[str, int | str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("size", [0, 1, 7, 901])
def test_every_branch_has_a_file_a_month_and_all_bookings_are_in_one_of_them(
    tmp_path: Path, size: int
) -> None:
    paths = branches.make(tmp_path, size, seed=size)
    assert len(paths) == len(branches.BRANCHES) * 12 == 240
    assert paths == branches.files(tmp_path)
    assert sum(len(bookings(path)) for path in paths) == size


def test_the_seed_decides_the_year(tmp_path: Path) -> None:
    years = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        (tmp_path / name).mkdir()
        years.append([path.read_bytes() for path in branches.make(tmp_path / name, 500, seed)])
    assert years[0] == years[1] != years[2]


def test_equal_numbers_of_files_are_no_equal_work_and_no_single_file_is_too_large(year: Path) -> None:
    sizes = [path.stat().st_size for path in branches.files(year)]
    for workers in (2, 4):
        cut = len(sizes) // workers
        assert sum(sizes[:cut]) > 1.5 * sum(sizes) / workers
        assert max(sizes) < 0.3 * sum(sizes) / workers


@pytest.mark.parametrize("number", ["4539578763621486", "79927398713"])
def test_a_right_account_number_passes_and_one_with_a_wrong_digit_does_not(number: str) -> None:
    assert branches.is_account(number)
    assert not branches.is_account(number[:-1] + str((int(number[-1]) + 1) % 10))


def test_a_total_counts_the_bookings_of_right_accounts_only(year: Path) -> None:
    path = branches.files(year)[0]
    listed = bookings(path)
    right = [one for one in listed if branches.is_account(str(one["account"]))]
    assert 0.9 * len(listed) < len(right) < len(listed)
    assert branches.total(path) == sum(int(one["cents"]) for one in right)


def test_the_baseline_adds_up_a_branchs_files(year: Path) -> None:
    totals = branches.year(year)
    assert list(totals) == [f"{number:02}" for number in range(1, 21)]
    assert totals["07"] == sum(branches.total(path) for path in year.glob("branch-07-*"))


def total_in_a_worker(path: Path) -> None:
    branches.total(path)


@pytest.mark.parametrize("damage", branches.DAMAGES)
def test_each_damage_raises_or_ends_the_worker_as_it_is_listed(tmp_path: Path, damage: str) -> None:
    path = branches.make(tmp_path, 600, seed=1)[0]
    assert branches.damage_of(path) == ""
    branches.spoil(path, damage)
    assert branches.damage_of(path) == damage

    exception, exit_code = branches.DAMAGES[damage]
    with pytest.raises(Exception) as raised:  # noqa: PT011  (which one depends on the damage)
        branches.total(path)  # here, outside a worker, even what ends a process only raises
    assert type(raised.value).__name__ == (exception or "RuntimeError")

    worker = multiprocessing.get_context("spawn").Process(target=total_in_a_worker, args=(path,))
    worker.start()
    worker.join(60)
    assert worker.exitcode == exit_code
