"""Real trials in real processes: however the learner's code ends, there is an outcome and nothing is left behind."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grader.errors import GraderError
from grader.lab import load
from grader.launch import local
from grader.launch.local import LocalLauncher, LocalSession
from grader.measure import answers, reach, tree
from grader.measure.stage import FORKS
from grader.model import CostModel, Lab, Order, Trial, WorkerModule

PRIMES = Path(__file__).parent / "labs" / "primes"
METHODS = multiprocessing.get_all_start_methods()
every_method = pytest.mark.parametrize("method", METHODS)
needs_linux = pytest.mark.skipif(not FORKS, reason="only Linux tells a process tree this well")
LONG = 30.0  # seconds; nothing here takes them, unless the machine is very busy


@pytest.fixture(scope="module")
def lab() -> Lab:
    return load(PRIMES)


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A temporary folder of its own, with a short name for the sockets in it; in the end it has to be empty.

    Nor may any process or thread be left.
    """
    tmp_path_factory.getbasetemp()  # elsewhere, from now on
    multiprocessing.util.get_temp_dir()  # and the fork server's socket, which later tests need, too
    threads = set(threading.enumerate())
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
        monkeypatch.undo()
        assert [path.name for path in Path(folder).iterdir() if path.name != "input"] == []
        assert left_of(folder) == []
    assert set(threading.enumerate()) <= threads


def lives(process: psutil.Process) -> bool:
    """A zombie does not: whoever inherited it may be late in waiting for it."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def left_of(folder: str) -> list[str]:
    """The processes that work in this folder: all those of a session do, for its scratch lies there."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(folder):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


@pytest.fixture
def numbers(lab: Lab, room: Path) -> Path:
    (room / "input").mkdir()
    lab.judge.make_input(room / "input", 50, seed=1)
    return room / "input"


@contextmanager
def opened(lab: Lab, source: str, method: str = METHODS[0]) -> Iterator[LocalSession]:
    with LocalLauncher().session(
        lab, WorkerModule("counter", {"counter": source}, "a test"), method
    ) as session:
        yield session


def tried(lab: Lab, numbers: Path, source: str, method: str = METHODS[0], timeout: float = LONG) -> Trial:
    with opened(lab, source, method) as session:
        return session.run(Order("parallel", 2, timeout, (numbers,)))


def answer(trial: Trial, number: int = 0) -> int:
    return int(answers.read(trial.answers[number])["count"][0])


def body(*lines: str) -> str:
    """A module whose `count_primes` has these lines, from line 6 on."""
    top = "import multiprocessing, os, signal, sys, threading, time\nfrom multiprocessing import Pool\n\n\n"
    return top + "def count_primes(numbers, workers):\n" + "".join(f"    {line}\n" for line in lines)


GOOD = """
from multiprocessing import Pool

def count(numbers):
    return sum(all(n % d for d in range(2, int(n**0.5) + 1)) for n in numbers)

def count_primes(numbers, workers):
    with Pool(workers) as pool:
        return sum(pool.map(count, [numbers[i::4] for i in range(4)]))
"""


# How it can end


@every_method
def test_a_right_answer_is_done(lab: Lab, numbers: Path, method: str) -> None:
    with opened(lab, GOOD, method) as session:
        mine = session.run(Order("parallel", 2, LONG, (numbers, numbers)))
        baseline = session.run(Order("serial", 1, LONG, (numbers,)))
        assert (mine.ending, mine.message, len(mine.seconds)) == ("done", "", 2)
        assert answers.difference(lab, baseline.answers[0], mine.answers[1]) == ""
        assert all(seconds > 0 for seconds in mine.seconds)
        assert mine.start_methods_used == (method,)


def test_the_calibration_needs_no_learner(lab: Lab) -> None:
    with LocalLauncher().session(lab, None, METHODS[0]) as session:
        for workers in (1, 2):
            trial = session.run(Order("reach", workers, LONG, tasks=4, amount=1000))
            assert (trial.ending, len(trial.seconds), trial.answers) == ("done", 1, ())


ENDINGS = {
    "a stub": (body("raise NotImplementedError()"), "stub", "not written yet", 6),
    "an exception": (body("return 1 // 0"), "raised", "ZeroDivisionError", 6),
    "an exception in a pool's worker": (
        body("with Pool(2) as pool:", "    return pool.map(broken, [1, 2])") + "\ndef broken(n):\n    return n / 0\n",
        "raised",
        "ZeroDivisionError",
        10,
    ),
    "a wrong signature": ("\ndef count_primes(numbers): pass\n", "raised", "count_primes(numbers, workers)", 2),
    "a wrong type": (body("return 3.5"), "wrong type", "must return an int, not float", None),
    "os._exit": (body("os._exit(0)"), "died", "exit code 0 instead of returning an answer", None),
    "sys.exit": (body("sys.exit(3)"), "raised", "SystemExit: 3", 6),
    "a signal": (body("os.kill(os.getpid(), signal.SIGTERM)", "time.sleep(60)"), "died", "SIGTERM", None),
    "a stack that overflows": (body("return count_primes(numbers, workers)"), "raised", "RecursionError", 6),
    "memory that runs out": (body("return len(bytearray(1 << 60))"), "raised", "MemoryError", 6),
    "a syntax error": (body("x = = 3"), "import failed", "invalid syntax", 6),
    "an import that fails": ("import nothing_such\n" + GOOD, "import failed", "No module named 'nothing_such'", 1),
    "an import that exits": ("import os\nos._exit(0)\n" + GOOD, "import failed", "ends the process", None),
    "a missing function": ("def count(numbers, workers): pass\n", "import failed", "no function count_primes", None),
    "a name that is no function": ("count_primes = 3\n", "import failed", "no function count_primes", None),
    "processes at import": (
        "import time\nfrom multiprocessing import Process\nProcess(target=time.sleep, args=(60,)).start()\n" + GOOD,
        "import failed",
        "while it is being imported",
        None,
    ),
    "a thread at import": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n" + GOOD,
        "import failed",
        "while it is being imported",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDINGS)
def test_every_ending_has_a_message_and_the_learners_own_line(lab: Lab, numbers: Path, case: str) -> None:
    source, ending, message, line = ENDINGS[case]
    trial = tried(lab, numbers, source)
    assert trial.ending == ending
    assert message in trial.message
    assert "Traceback" not in trial.message
    assert trial.line == (("counter", line) if line else None)


@every_method
def test_processes_at_import_are_refused_under_every_start_method(
    lab: Lab, numbers: Path, method: str
) -> None:
    source, ending, message, _ = ENDINGS["processes at import"]
    trial = tried(lab, numbers, source, method)
    assert (trial.ending, message in trial.message) == (ending, True)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no signals of that kind")
def test_a_process_that_is_killed_says_by_what(lab: Lab, numbers: Path) -> None:
    trial = tried(lab, numbers, body("os.kill(os.getpid(), signal.SIGKILL)"))
    assert (trial.ending, "SIGKILL" in trial.message) == ("died", True)


@pytest.mark.slow
@every_method
def test_a_hang_times_out_where_it_waits(lab: Lab, numbers: Path, method: str) -> None:
    source = body("with Pool(2) as pool:", "    return pool.map(time.sleep, [60, 60])")
    trial = tried(lab, numbers, source, method, timeout=2.0)
    assert trial.ending == "timed out"
    if FORKS:
        assert "counter.py" in trial.message
        assert "line 7" in trial.message


def test_a_loop_without_end_times_out_where_it_loops(lab: Lab, numbers: Path) -> None:
    trial = tried(lab, numbers, body("while True:", "    pass"), timeout=0.5)
    assert trial.ending == "timed out"
    assert not FORKS or "line 6" in trial.message or "line 7" in trial.message


@pytest.mark.slow
def test_a_pool_that_lost_a_worker_for_ever_times_out(lab: Lab, numbers: Path) -> None:
    trial = tried(
        lab, numbers, body("with Pool(2) as pool:", "    return pool.map(os._exit, [0, 0])"), timeout=1.0
    )
    assert trial.ending == "timed out"


@pytest.mark.slow
def test_an_import_that_never_ends_is_given_up_once(
    lab: Lab, numbers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_LOAD_TIMEOUT", 2.0)
    with opened(lab, "import time\ntime.sleep(60)\n") as session:
        first = session.run(Order("parallel", 2, LONG, (numbers,)))
        started = time.monotonic()
        second = session.run(Order("parallel", 2, LONG, (numbers,)))
        assert first == second
        assert first.ending == "import failed"
        assert "still being imported" in first.message
        assert time.monotonic() - started < 2.0


def test_printing_without_end_is_cut_and_costs_no_memory(lab: Lab, numbers: Path) -> None:
    before = psutil.Process().memory_info().rss
    trial = tried(lab, numbers, body("while True:", "    print('x' * 1_000_000)"), timeout=1.0)
    assert trial.ending == "timed out"
    assert 0 < len(trial.output) <= 2 * 65_536
    assert psutil.Process().memory_info().rss - before < 64 * 1024 * 1024


def test_what_was_printed_before_it_failed_is_kept(lab: Lab, numbers: Path) -> None:
    trial = tried(lab, numbers, body("print('so far', len(numbers))", "return 1 // 0"))
    assert trial.output == "so far 50\n"


def test_what_was_printed_before_it_hung_is_kept(lab: Lab, numbers: Path) -> None:
    trial = tried(lab, numbers, body("print('waiting', flush=True)", "time.sleep(60)"), timeout=0.5)
    assert trial.output.startswith("waiting\n")


def test_what_is_printed_never_reaches_the_line_to_the_parent(lab: Lab, numbers: Path) -> None:
    fake = body("os.write(1, b'{\"done\": 0}\\n')", "print('{\"done\": 0}', flush=True)", "return 7")
    with opened(lab, fake) as session:
        assert answer(session.run(Order("parallel", 2, LONG, (numbers,)))) == 7


# Afterwards
@pytest.mark.slow
def test_a_session_works_again_after_a_time_out_and_a_death(lab: Lab, numbers: Path) -> None:
    source = body(
        "if len(numbers) == 3: time.sleep(60)",
        "if len(numbers) == 4: os._exit(1)",
        "if len(numbers) == 5: raise ValueError(5)",
        "return len(numbers)",
    )
    folders = {}
    for size in (1, 3, 4, 5, 6):
        folders[size] = numbers / str(size)
        folders[size].mkdir()
        lab.judge.make_input(folders[size], size, seed=size)
    with opened(lab, source) as session:
        for bad, ending in ((3, "timed out"), (4, "died"), (5, "raised"), (3, "timed out")):
            trial = session.run(Order("parallel", 2, 0.5 if bad == 3 else LONG, (folders[1], folders[bad])))
            assert (trial.ending, len(trial.answers)) == (ending, 1)
            good = session.run(Order("parallel", 2, LONG, (folders[6], folders[1])))
            assert (good.ending, [answer(good, n) for n in (0, 1)]) == ("done", [6, 1])


@pytest.mark.slow
def test_an_answer_that_comes_just_after_time_was_up_is_not_taken_for_the_next(
    lab: Lab, numbers: Path
) -> None:
    """The trial answers while it is being asked where it hangs: that answer must be lost."""
    source = body("time.sleep(0.6)", "return 1")
    with opened(lab, source) as session:
        for _ in range(2):
            assert session.run(Order("parallel", 2, 0.5, (numbers,))).ending == "timed out"
            assert session.run(Order("serial", 1, LONG, (numbers,))).ending == "done"
            assert session.run(Order("parallel", 2, LONG, (numbers,))).ending == "done"


def test_every_trial_runs_in_a_fresh_process(lab: Lab, numbers: Path) -> None:
    source = "seen = []\n" + body("seen.append(1)", "return len(seen)")
    with opened(lab, source) as session:
        assert [answer(session.run(Order("parallel", 2, LONG, (numbers,)))) for _ in range(3)] == [1, 1, 1]


@needs_linux
def test_a_process_that_detached_itself_is_killed_too(lab: Lab, numbers: Path) -> None:
    source = body(
        "if os.fork() == 0:",
        "    os.setsid()",
        "    if os.fork() == 0:",
        "        time.sleep(60)",
        "    os._exit(0)",
        "os.wait()",
        "return 1",
    )
    before = set(psutil.Process().children(recursive=True))
    with opened(lab, source) as session:
        assert session.run(Order("parallel", 2, LONG, (numbers,))).ending == "done"
        assert len(set(psutil.Process().children(recursive=True)) - before) == 1  # the stage alone


@pytest.mark.slow
@needs_linux
@every_method
@pytest.mark.parametrize("last", ["time.sleep(60)", "os._exit(1)", "return 1"])
def test_semaphores_and_segments_are_gone_however_it_ends(
    lab: Lab, numbers: Path, method: str, last: str
) -> None:
    names = numbers / "names"
    source = body(
        "from multiprocessing import shared_memory",
        "global kept",
        "kept = shared_memory.SharedMemory(create=True, size=100), multiprocessing.Lock()",
        "pool = Pool(1)",
        "pool.map(abs, [1])",
        f"open({str(names)!r}, 'w').write(kept[0].name + ' ' + (kept[1]._semlock.name or ''))",
        last,
    )
    with opened(lab, source, method) as session:
        session.run(Order("parallel", 2, 3.0, (numbers,)))
        segment, _, semaphore = names.read_text().partition(" ")  # under fork a semaphore has no name
        there = os.listdir("/dev/shm")
        assert segment.strip("/") not in there
        assert f"sem.{semaphore.strip('/')}" not in there


@needs_linux
def test_descriptors_and_processes_do_not_pile_up(lab: Lab, numbers: Path) -> None:
    def held() -> int:
        return len(os.listdir("/proc/self/fd"))

    before, others = held(), set(psutil.Process().children())
    with opened(lab, body("return 1")) as session:
        session.run(Order("parallel", 2, LONG, (numbers,)))
        (stage,) = set(psutil.Process().children()) - others
        with_session = held()
        inside = stage.num_fds()
        for _ in range(5):
            session.run(Order("parallel", 2, LONG, (numbers,)))
        assert (held(), stage.num_fds()) == (with_session, inside)
        assert stage.children() == []
    assert held() == before


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to another process there")
@pytest.mark.parametrize("where", ["in a trial", "at import"])
def test_stop_leaves_nothing_running(lab: Lab, room: Path, numbers: Path, where: str) -> None:
    there = room / "input" / "there"
    hang = body("with Pool(2) as pool:", f"    pool.map(time.sleep, [60, open({str(there)!r}, 'w') and 60])")
    if where == "at import":
        hang = f"import time\nopen({str(there)!r}, 'w')\ntime.sleep(60)\n"
    (room / "input" / "hang.py").write_text(hang)
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from grader.lab import load; from grader.launch.local import LocalLauncher\n"
        "from grader.model import Order, WorkerModule\n"
        "room = Path(sys.argv[1]); tempfile.tempdir = str(room)\n"
        "worker = WorkerModule('counter', {'counter': (room / 'input/hang.py').read_text()}, 'a test')\n"
        "with LocalLauncher().session(load(Path(sys.argv[2])), worker, sys.argv[3]) as session:\n"
        "    print('running', flush=True)\n"
        "    session.run(Order('parallel', 2, 60.0, (room / 'input',)))\n"
    )
    command = [sys.executable, "-c", code, str(room), str(PRIMES), METHODS[0]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "running\n"
        wait_until(there.exists)
        below = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=LONG)
        assert "KeyboardInterrupt" in errors
    assert below
    assert not [process for process in below if lives(process)]


@pytest.mark.slow
@needs_linux
def test_when_the_parent_is_killed_the_trial_ends_too(lab: Lab, room: Path, numbers: Path) -> None:
    code = (
        "import sys, tempfile; from pathlib import Path\n"
        "from grader.lab import load; from grader.launch.local import LocalLauncher\n"
        "from grader.model import Order, WorkerModule\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "worker = WorkerModule('counter', {'counter': sys.argv[3]}, 'a test')\n"
        "with LocalLauncher().session(load(Path(sys.argv[2])), worker, 'fork') as session:\n"
        "    session.run(Order('parallel', 2, 60.0, (Path(sys.argv[1]) / 'input',)))\n"
    )
    hang = body("with Pool(2) as pool:", "    pool.map(time.sleep, [60, 60])")
    with subprocess.Popen([sys.executable, "-c", code, str(room), str(PRIMES), hang]) as parent:
        wait_until(lambda: len(psutil.Process(parent.pid).children(recursive=True)) >= 4)
        below = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    wait_until(lambda: not any(process.is_running() for process in below))
    left = list(room.glob("cw-*"))  # nobody was there to remove it; an hour later the next process does
    assert len(left) == 1
    os.utime(left[0], (0, 0))
    sweep = "from grader import scratch\nwith scratch.folder():\n    pass"
    subprocess.run([sys.executable, "-c", sweep], check=True, env={**os.environ, "TMPDIR": str(room)})
    assert not left[0].exists()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# What a trial runs in


@every_method
def test_one_thread_a_process_and_a_clean_environment(
    lab: Lab, numbers: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("COREWISE_TEST_SECRET", "1000")
    look = "int(os.environ['OMP_NUM_THREADS']) + int(os.environ.get('COREWISE_TEST_SECRET', 0))"
    source = body("with Pool(2) as pool:", f"    return {look} + sum(pool.map(looked, [1, 2]))")
    source += f"\ndef looked(n):\n    return {look}\n"
    with opened(lab, source, method) as session:
        assert answer(session.run(Order("parallel", 2, LONG, (numbers,)))) == 3


@every_method
def test_the_start_method_is_there_before_the_module_is_imported(
    lab: Lab, numbers: Path, method: str
) -> None:
    source = body(f"return int(AT_IMPORT == {method!r})")
    source += "\nAT_IMPORT = multiprocessing.get_start_method(allow_none=True)\n"
    with opened(lab, source, method) as session:
        assert answer(session.run(Order("parallel", 2, LONG, (numbers,)))) == 1


def test_a_start_method_that_the_code_asks_for_is_respected_and_reported(lab: Lab, numbers: Path) -> None:
    source = body(
        "with multiprocessing.get_context('spawn').Pool(1) as pool:", "    return sum(pool.map(abs, [1, 2]))"
    )
    with opened(lab, source, METHODS[0]) as session:
        trial = session.run(Order("parallel", 2, LONG, (numbers,)))
        assert (trial.ending, answer(trial), trial.start_methods_used) == ("done", 3, ("spawn",))


def test_helper_modules_are_there_too(lab: Lab, numbers: Path) -> None:
    sources = {"counter": "from helper import value\n" + body("return value"), "helper": "value = 5\n"}
    with LocalLauncher().session(lab, WorkerModule("counter", sources, "a test"), METHODS[0]) as session:
        assert answer(session.run(Order("parallel", 2, LONG, (numbers,)))) == 5


@pytest.mark.slow
@needs_linux
@every_method
def test_cpu_seconds_are_told_by_process(lab: Lab, numbers: Path, method: str) -> None:
    spin = (
        "\ndef spin(n):\n    end = time.process_time() + n\n"
        "    while time.process_time() < end: pass\n    return 1\n"
    )
    pool = body("with Pool(2) as pool:", "    return sum(pool.map(spin, [0.3, 0.3], 1))")
    many = body(
        "for _ in range(20):",
        "    process = multiprocessing.Process(target=spin, args=(0.02,))",
        "    process.start(); process.join()",
        "return 1",
    )
    alone = tried(lab, numbers, body("return spin(0.3)") + spin, method)
    spread = tried(lab, numbers, pool + spin, method)
    short = tried(lab, numbers, many + spin, method)
    assert max(alone.cpu) / sum(alone.cpu) >= 0.9
    assert max(spread.cpu) / sum(spread.cpu) < 0.7
    assert sum(spread.cpu) >= 0.55
    assert sum(short.cpu) >= 0.35  # processes too short-lived to be sampled are in their parent's account


# Faults of the lab, and killing


def test_a_lab_whose_imports_fail_is_our_fault_not_the_learners(lab: Lab, numbers: Path) -> None:
    broken = replace(lab, imports=("nothing_of_that_name",))
    with opened(broken, GOOD) as session, pytest.raises(GraderError, match="nothing_of_that_name"):
        session.run(Order("parallel", 2, LONG, (numbers,)))


def test_killing_a_process_takes_everything_below_it() -> None:
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print('up', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        below = psutil.Process(process.pid).children()
        tree.kill(process.pid)
        process.wait(timeout=LONG)
    assert len(below) == 1
    wait_until(lambda: not below[0].is_running() or below[0].status() == psutil.STATUS_ZOMBIE)


def test_killing_a_process_that_is_gone_is_fine() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait()
    tree.kill(process.pid)


@needs_linux
def test_the_calibration_starts_the_processes_that_an_honest_program_starts_besides_its_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pipeline's reader is dear to start, too: a reach without it would be out of reach."""
    started: list[str] = []
    start = multiprocessing.process.BaseProcess.start

    def noted(self: multiprocessing.process.BaseProcess) -> None:
        started.append(self.name)
        start(self)

    monkeypatch.setattr(multiprocessing.process.BaseProcess, "start", noted)
    for beside in (0, 1):
        started.clear()
        with reach.ready(2, CostModel(beside=beside), ()) as run_tasks:
            run_tasks(4, 10)
        assert len(started) == 2 + beside
