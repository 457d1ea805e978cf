"""How many cores are there really: quotas of control groups, affinity, workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader import machine
from grader.model import MachineFacts


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def own_groups(tmp_path: Path, *lines: str) -> Path:
    proc = tmp_path / "cgroup"
    proc.write_text("\n".join(lines) + "\n")
    return proc


def facts(usable: float) -> MachineFacts:
    return MachineFacts(8, 8, None, 4, usable, ("fork", "spawn"), 0.0, None, "Linux", "3.13")


def test_a_version_2_quota_may_be_a_fraction(tmp_path: Path) -> None:
    write(tmp_path / "fs/work", cpu__max="150000 100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "0::/work"), tmp_path / "fs") == 1.5


def test_the_smallest_quota_on_the_way_up_binds(tmp_path: Path) -> None:
    write(tmp_path / "fs", cpu__max="max 100000\n")
    write(tmp_path / "fs/user", cpu__max="50000 100000\n")
    write(tmp_path / "fs/user/session", cpu__max="300000 100000\n")
    write(tmp_path / "fs/user/session/task", cpu__max="max 100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "0::/user/session/task"), tmp_path / "fs") == 0.5


def test_max_means_no_quota(tmp_path: Path) -> None:
    write(tmp_path / "fs/work", cpu__max="max 100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "0::/work"), tmp_path / "fs") is None


def test_in_a_container_the_root_speaks_when_its_own_path_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "fs", cpu__max="200000 100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "0::/docker/0123abcd"), tmp_path / "fs") == 2.0


def test_a_path_out_of_the_namespace_is_followed_nowhere(tmp_path: Path) -> None:
    write(tmp_path / "fs", cpu__max="200000 100000\n")
    write(tmp_path / "outside", cpu__max="10000 100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "0::/../outside"), tmp_path / "fs") == 2.0


def test_version_1_groups_say_quota_and_period_in_two_files(tmp_path: Path) -> None:
    group = tmp_path / "fs/cpu,cpuacct/work"
    write(group, cpu__cfs_quota_us="250000\n", cpu__cfs_period_us="100000\n")
    proc = own_groups(tmp_path, "5:memory:/other", "4:cpu,cpuacct:/work", "0::/")
    assert machine.cpu_quota(proc, tmp_path / "fs") == 2.5


def test_minus_one_means_no_quota_in_version_1(tmp_path: Path) -> None:
    write(tmp_path / "fs/cpu/work", cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert machine.cpu_quota(own_groups(tmp_path, "4:cpu:/work"), tmp_path / "fs") is None


@pytest.mark.parametrize("text", ["", "nonsense", "100000", "100000 0", "a b", "1 2 3"])
def test_a_file_that_makes_no_sense_is_no_quota(tmp_path: Path, text: str) -> None:
    write(tmp_path / "fs/work", cpu__max=text)
    assert machine.cpu_quota(own_groups(tmp_path, "0::/work"), tmp_path / "fs") is None


@pytest.mark.parametrize("lines", [[], ["nonsense"], ["0::"], ["1:name=systemd:/work"]])
def test_a_list_of_groups_that_makes_no_sense_is_no_quota(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "fs").mkdir()
    assert machine.cpu_quota(own_groups(tmp_path, *lines), tmp_path / "fs") is None


def test_a_system_without_control_groups_has_no_quota(tmp_path: Path) -> None:
    assert machine.cpu_quota(tmp_path / "nothing", tmp_path / "nowhere") is None
    assert machine.cpu_quota(own_groups(tmp_path, "0::/work"), tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("usable", "most", "expected"), [(0.5, 4, 1), (1.0, 4, 1), (1.5, 4, 2), (2.0, 4, 2), (16.0, 4, 4)]
)
def test_one_worker_for_each_usable_core_and_for_a_part_of_one(
    usable: float, most: int, expected: int
) -> None:
    assert machine.workers(facts(usable), most) == expected


def test_what_is_seen_here_fits_together() -> None:
    seen = machine.look()
    assert 1 <= seen.affinity <= seen.machine
    assert 0 < seen.usable <= seen.affinity
    assert seen.quota is None or seen.usable <= seen.quota
    assert "spawn" in seen.start_methods


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_affinity_binds_what_is_usable() -> None:
    code = (
        "import os; from grader import machine\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "facts = machine.look(); print(facts.affinity, facts.usable <= 1.0)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["1", "True"]


def test_start_methods_are_pythons_own_whatever_a_library_adds() -> None:
    """joblib adds "loky" when it is imported, and the notebook of the fraud lab imports joblib."""
    code = "import joblib; from grader import machine; print(*machine.start_methods())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(said.split()) <= {"fork", "spawn", "forkserver"}
