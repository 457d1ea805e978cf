"""What gets in the way of a measurement is found and told with its remedy: pure rules, then the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from grader import doctor, machine
from grader.doctor import Ailment, Neighbour, Room
from grader.model import MachineFacts

GIB = 1 << 30
FACTS = MachineFacts(8, 8, None, 4, 8.0, ("forkserver", "spawn"), 0.3, False, "Linux 6", "3.14.0")
ROOM = Room(memory=16 * GIB, memory_free=8 * GIB, disk_free=90 * GIB, shm=8 * GIB, shm_free=8 * GIB)
PACKAGES = {"numpy": "2.3.0", "nbgrader": "0.9.6"}


def found(
    facts: MachineFacts = FACTS,
    room: Room = ROOM,
    neighbours: tuple[Neighbour, ...] = (),
    packages: dict[str, str] = PACKAGES,
) -> tuple[Ailment, ...]:
    """The findings of a machine where processes are forked."""
    return tuple(
        ailment
        for ailment in doctor.findings(facts, room, neighbours, packages)
        if not ailment.what.startswith("Speed is measured by the wall clock")
    )


def only(ailments: tuple[Ailment, ...]) -> Ailment:
    (ailment,) = ailments
    assert ailment.evidence
    assert ailment.remedy
    return ailment


def test_on_a_good_machine_there_is_nothing_to_say() -> None:
    assert found() == ()


def test_one_core_is_a_warning_with_what_to_start_it_with() -> None:
    one = only(found(replace(FACTS, affinity=1, usable=1.0)))
    assert one.severity == "warns"
    assert "cannot tell" in one.what
    assert "machine 8, affinity 1, quota none, usable 1" in one.evidence
    assert "--cpus 2" in one.remedy


def test_a_quota_of_one_core_is_too_few_and_says_that_python_does_not_see_it() -> None:
    few, quota = found(replace(FACTS, quota=1.0, usable=1.0))
    assert few.what.startswith("Too few cores")
    assert quota.severity == "says"
    assert "quota" in quota.what
    assert quota.remedy == "Start 1 worker, not 8."


def test_a_quota_of_one_and_a_half_is_no_less_and_no_more() -> None:
    quota = only(found(replace(FACTS, quota=1.5, usable=1.5)))
    assert "quota 1.5, usable 1.5" in quota.evidence
    assert quota.remedy == "Start 2 workers, not 8."


def test_a_quota_above_the_affinity_does_not_bind() -> None:
    assert found(replace(FACTS, quota=16.0)) == ()


def test_a_small_shared_memory_says_how_to_start_the_container() -> None:
    small = only(found(room=replace(ROOM, shm=64 << 20, shm_free=64 << 20)))
    assert (small.severity, small.evidence) == ("warns", "64 MiB")
    assert "--shm-size" in small.remedy


def test_a_system_without_shared_memory_files_lacks_nothing() -> None:
    assert found(room=replace(ROOM, shm=None, shm_free=None)) == ()


def test_a_disk_that_fills_up_warns_and_a_full_one_stops() -> None:
    low = only(found(room=replace(ROOM, disk_free=GIB // 2)))
    full = only(found(room=replace(ROOM, disk_free=GIB // 50)))
    assert (low.severity, full.severity) == ("warns", "stops")
    assert "0.50 GiB free" in low.evidence
    assert "TMPDIR" in full.remedy


def test_little_memory_warns() -> None:
    low = only(found(room=replace(ROOM, memory_free=GIB // 4)))
    assert (low.severity, low.evidence) == ("warns", "0.25 of 16.0 GiB free")


def test_a_battery_warns_and_an_unknown_supply_does_not() -> None:
    assert "Plug it in" in only(found(replace(FACTS, on_battery=True))).remedy
    assert found(replace(FACTS, on_battery=None)) == ()


def test_busy_neighbours_are_named() -> None:
    busy = only(found(neighbours=(Neighbour(7, "backup", 1.0), Neighbour(9, "indexer", 0.4))))
    assert busy.evidence == "backup (pid 7, 1.0 cores), indexer (pid 9, 0.4 cores)"


def test_a_load_is_held_against_the_whole_machine_whose_load_it_is() -> None:
    narrow = replace(FACTS, affinity=2, usable=2.0, load=3.0)
    assert found(narrow) == found(replace(narrow, load=0.0))
    assert "load average 9.0 on the machine's 8 CPUs" in [
        one.evidence for one in found(replace(narrow, load=9.0))
    ]


def test_missing_packages_stop_and_are_all_named() -> None:
    lacks = only(found(packages={"numpy": "", "pandas": "", "nbgrader": "0.9.6"}))
    assert lacks.severity == "stops"
    assert lacks.what.startswith("numpy, pandas not installed")
    assert "start.py" in lacks.remedy


def test_the_worst_comes_first() -> None:
    facts = replace(FACTS, quota=1.5, usable=1.5, on_battery=True)
    severities = [ailment.severity for ailment in found(facts, packages={"numpy": ""})]
    assert severities == ["stops", "warns", "says"]


def test_the_report_for_a_person_has_every_finding_with_its_remedy() -> None:
    ailments = found(replace(FACTS, affinity=1, usable=1.0), replace(ROOM, shm=None), packages={"numpy": ""})
    said = doctor.report(replace(FACTS, load=None, physical=None), ROOM, PACKAGES, ailments)
    for ailment in ailments:
        assert f"[{ailment.severity}] {ailment.what}" in said
        assert f"-> {ailment.remedy}" in said
    assert "physical unknown" in said
    assert "Load: unknown; power: mains" in said


def test_the_report_of_a_good_machine_says_so() -> None:
    assert doctor.report(FACTS, ROOM, PACKAGES, ()).endswith("Nothing is in the way.")


def test_the_json_is_not_ok_only_when_something_stops() -> None:
    warned = doctor.as_json(FACTS, ROOM, PACKAGES, found(replace(FACTS, on_battery=True)))
    stopped = doctor.as_json(FACTS, ROOM, PACKAGES, found(packages={"numpy": ""}))
    assert (warned["ok"], stopped["ok"]) == (True, False)


def test_a_busy_process_is_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            for _ in range(20):  # on a machine with many busier ones it takes its turn
                if any(n.pid == busy.pid for n in doctor.busy_neighbours(0.2)):
                    return
                time.sleep(0.1)
            assert len(doctor.busy_neighbours(0.2)) == 3, "three busier ones"
        finally:
            busy.kill()


# The command


def run(*words: str) -> subprocess.CompletedProcess[str]:
    code = "from grader.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *words], capture_output=True, encoding="utf-8"
    )


def test_the_command_prints_json_alone_with_what_this_machine_has() -> None:
    done = run("--json")
    told = json.loads(done.stdout)
    facts = machine.look()
    assert done.stderr == ""
    assert told["schema"] == 1
    assert told["cores"] == {
        "machine": facts.machine,
        "affinity": facts.affinity,
        "quota": facts.quota,
        "physical": facts.physical,
        "usable": facts.usable,
    }
    assert told["start_methods"] == list(facts.start_methods)
    assert told["ok"] == (done.returncode == 0)
    assert {"memory", "shm", "disk_free", "load", "on_battery", "versions"} <= told.keys()
    assert all({"severity", "what", "evidence", "remedy"} == finding.keys() for finding in told["findings"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_on_one_real_core_it_warns_and_still_ends_with_0() -> None:
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_of_them)})  # the command inherits it
    try:
        done, told = run(), json.loads(run("--json").stdout)
    finally:
        os.sched_setaffinity(0, all_of_them)
    assert done.returncode == 0
    assert (told["cores"]["affinity"], told["cores"]["usable"]) == (1, 1)
    assert "[warns] Too few cores to measure a speedup" in done.stdout
    assert "-> Give it two cores or more" in done.stdout
