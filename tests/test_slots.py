"""The queue for the cores: who waits is served in turn, alone, whatever the others in the room do or leave behind.

Real processes in a room of the test's own. What they do is told in one log: "in NAME" and "out NAME".
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from slot_learners import LONG, Learner

from grader import slots
from grader.slots import Ticket, slot, waiting_line

pwd = pytest.importorskip("pwd", reason="the queue has not been run on Windows yet")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return tmp_path / "room"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


Start = Callable[..., Learner]


@pytest.fixture
def start(room: Path, log: Path) -> Iterator[Start]:
    """Starts learners; none outlives the test."""
    started: list[Learner] = []

    def one(name: str, **others: object) -> Learner:
        started.append(Learner(name, room, log, **others))  # type: ignore[arg-type]
        return started[-1]

    yield one
    for learner in started:
        learner.close()


def tickets(room: Path) -> list[str]:
    return sorted(path.name for path in room.glob("ticket-*"))


def served(log: Path) -> list[str]:
    """Who measured, in this order."""
    events = [line.split() for line in log.read_text().splitlines()]
    return [name for word, name in events if word == "in"]


def never_two_at_once(log: Path) -> bool:
    events = [line.split() for line in log.read_text().splitlines()]
    pairs = zip(events[::2], events[1::2], strict=True)
    return all([came, left] == [["in", came[1]], ["out", came[1]]] for came, left in pairs)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def silent(line: str) -> None:
    pytest.fail(f"said {line!r}")


# Taking turns


def test_free_cores_are_had_at_once_and_nothing_is_said(room: Path) -> None:
    for _ in range(2):
        with slot(silent, room=room) as mine:
            assert (mine.alone, mine.why) == (True, "")
            assert len(tickets(room)) == 1
        assert tickets(room) == []


@pytest.mark.slow
def test_two_processes_never_measure_at_once(start: Start, log: Path) -> None:
    both = [start(name, times=5, hold=0.05) for name in ("Ada", "Ben")]
    for one in both:
        one.ends()
    assert sorted(served(log)) == ["Ada"] * 5 + ["Ben"] * 5
    assert never_two_at_once(log)


@pytest.mark.slow
def test_twenty_are_served_in_the_order_in_which_they_came(start: Start, room: Path, log: Path) -> None:
    holder = start("first")
    holder.says("measures")
    queue = []
    for number in range(20):
        queue.append(start(str(number), hold=0.01))
        wait_until(lambda: len(tickets(room)) == len(queue) + 1)
    assert queue[-1].says("waiting") == "waiting for the cores: 20 ahead of you, about 200 min"
    holder.go_on()
    for one in queue:
        one.ends()
    assert served(log) == ["first", *map(str, range(20))]
    assert never_two_at_once(log)
    assert tickets(room) == []


@pytest.mark.slow
def test_twenty_that_come_at_the_same_moment_are_all_served_one_by_one(
    start: Start, tmp_path: Path, log: Path
) -> None:
    gate = tmp_path / "gate"
    wait = f"while not os.path.exists({str(gate)!r}): time.sleep(0.001)"
    crowd = [start(str(number), hold=0.01, first=wait) for number in range(20)]
    time.sleep(1)  # most of them stand at the gate by now; those that don't come a little later
    gate.touch()
    for one in crowd:
        assert one.says("measures") == "measures, alone"
        one.ends()
    assert sorted(served(log), key=int) == [str(number) for number in range(20)]
    assert never_two_at_once(log)


def test_two_threads_of_one_process_take_turns(room: Path) -> None:
    inside: list[str] = []

    def measure(name: str) -> None:
        with slot(lambda line: None, room=room):
            inside.append(f"in {name}")
            time.sleep(0.05)
            inside.append(f"out {name}")

    threads = [threading.Thread(target=measure, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert sorted([inside[:2], inside[2:]]) == [["in a", "out a"], ["in b", "out b"]]


def test_who_holds_the_slot_and_asks_again_has_it_already(room: Path) -> None:
    with slot(silent, room=room) as outer:
        with slot(silent, room=room, patience=0) as inner:
            assert (inner.alone, inner.waited) == (outer.alone, 0.0)
        assert len(tickets(room)) == 1
        with slot(silent, room=room, patience=0) as again:
            assert (again.alone, again.waited) == (outer.alone, 0.0)
    assert tickets(room) == []


def test_an_error_in_the_block_gives_the_slot_back(room: Path) -> None:
    with pytest.raises(ValueError, match="mine"), slot(silent, room=room):
        raise ValueError("mine")
    with slot(silent, room=room) as mine:
        assert mine.alone


# What is said


@pytest.mark.parametrize(
    ("seconds", "about"),
    [(0, "due any moment"), (5, "about 10 s"), (34, "about 30 s"), (50, "about 50 s"), (51, "about 1 min")],
)
def test_the_time_is_told_as_roughly_as_it_is_known(seconds: float, about: str) -> None:
    assert waiting_line(2, seconds) == f"waiting for the cores: 2 ahead of you, {about}"


def test_the_estimate_is_what_the_holder_and_those_ahead_are_likely_to_need_and_never_negative() -> None:
    assert Ticket(expect=30.0).left(1000.0) == 30.0
    assert Ticket(expect=30.0, started=990.0).left(1000.0) == 20.0
    assert Ticket(expect=30.0, started=900.0).left(1000.0) == 0.0
    assert Ticket(expect=30.0, started=2000.0).left(1000.0) == 30.0


class Clock:
    """Takes the place of the module `time` in this process: nobody really sleeps."""

    def __init__(self, asleep: Callable[[], object] = lambda: None) -> None:
        self.now, self._asleep = time.monotonic(), asleep

    def monotonic(self) -> float:
        return self.now

    def monotonic_ns(self) -> int:
        return int(self.now * 1e9)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self._asleep()


def test_the_same_is_said_once_and_after_so_long_it_goes_on_without(
    start: Start, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start("holder").says("measures")
    clock = Clock()
    monkeypatch.setattr(slots, "time", clock)
    lines: list[str] = []
    with slot(lines.append, room=room, patience=1000.0) as mine:
        assert not mine.alone
        assert mine.waited == pytest.approx(1000.0, abs=1.0)
        assert mine.why == "the cores were not free within 1000 s"
        assert len(tickets(room)) == 1  # nobody waits for one who has given up
    minutes = [f"about {left} min" for left in range(10, 0, -1)]
    seconds = [f"about {left} s" for left in range(50, 0, -10)]
    waiting = [
        f"waiting for the cores: 1 ahead of you, {left}" for left in (*minutes, *seconds, "due any moment")
    ]
    assert lines == [*waiting, f"measuring without a slot of our own: {mine.why}"]


def test_lines_come_at_most_once_a_second(start: Start, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start("holder").says("measures")
    clock = Clock()
    monkeypatch.setattr(slots, "time", clock)
    monkeypatch.setattr(slots, "waiting_line", lambda ahead, seconds: f"{seconds}")  # never twice the same
    said: list[float] = []
    with slot(lambda line: said.append(clock.now), room=room, patience=10.0):
        pass
    waiting = said[:-1]
    assert len(waiting) >= 5
    assert all(after - before >= 1 for before, after in pairwise(waiting))


@pytest.mark.slow
def test_a_waiter_reads_how_many_are_ahead_when_that_changes_and_when_it_is_their_turn(
    start: Start, room: Path
) -> None:
    holder = start("holder")
    holder.says("measures")
    second = start("second")
    assert second.says("waiting") == "waiting for the cores: 1 ahead of you, about 10 min"
    third = start("third")
    assert third.says("waiting") == "waiting for the cores: 2 ahead of you, about 20 min"
    holder.go_on()
    assert second.says("turn") == "waiting for the cores: it is your turn"
    assert third.says("1 ahead").startswith("waiting for the cores: 1 ahead of you, about")
    second.go_on()
    third.says("measures, alone")


# Processes that die


@pytest.mark.parametrize("doing", ["measures", "waiting"])
def test_a_process_that_is_killed_blocks_nobody(start: Start, room: Path, log: Path, doing: str) -> None:
    holder = start("holder")
    holder.says("measures")
    second = start("second")
    second.says("waiting")
    third = start("third")
    third.says("2 ahead")
    (holder if doing == "measures" else second).kill()
    if doing == "waiting":
        third.says("1 ahead")
        holder.go_on()
    else:
        second.says("measures, alone")
        second.go_on()
    third.says("measures, alone")
    assert len(tickets(room)) == 1  # what the killed one left is gone
    assert served(log)[-1] == "third"


FORKED = """
child = os.fork()
if not child:
    with slot(lambda line: None, room=Path(room), patience=0.0) as its:
        say(f"forked {os.getpid()} {its.alone}")
    time.sleep(600)
"""
STARTED = """
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], close_fds=False)
say(f"started {child.pid} False")
"""


@pytest.mark.parametrize(("word", "code"), [("forked", FORKED), ("started", STARTED)])
def test_a_child_of_the_holder_does_not_have_the_slot_and_does_not_keep_it(
    start: Start, word: str, code: str
) -> None:
    holder = start("holder", meanwhile=code)
    _, pid, alone = holder.says(word).split()
    child = psutil.Process(int(pid))
    try:
        assert alone == "False"
        waiter = start("waiter")
        waiter.says("1 ahead")
        holder.kill()
        waiter.says("measures, alone")
        assert child.is_running()
    finally:
        child.kill()


def test_a_forked_child_that_leaves_the_block_takes_nothing_from_its_parent(start: Start) -> None:
    leaves = "child = os.fork()\nif child: os.waitpid(child, 0)\nelse: hold = '0'"
    holder = start("holder", meanwhile=leaves)
    holder.says("measures")
    waiter = start("waiter")
    waiter.says("1 ahead")
    holder.go_on()
    waiter.says("measures, alone")


def test_ctrl_c_while_waiting_leaves_the_queue(start: Start, room: Path) -> None:
    holder = start("holder")
    holder.says("measures")
    waiter = start("waiter")
    waiter.says("waiting")
    waiter.process.send_signal(signal.SIGINT)
    assert waiter.process.wait(LONG) != 0
    assert "KeyboardInterrupt" in waiter.errors()
    assert len(tickets(room)) == 1


# What is in the room, and who


def test_junk_in_the_room_is_left_alone(room: Path, tmp_path: Path) -> None:
    room.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    name = "ticket-00000000000000000001-0000000"
    (room / "notes.txt").write_text("hello")
    (room / "ticket-1").write_text("no ticket")
    (room / f"{name}1").mkdir()
    os.mkfifo(room / f"{name}2")
    (room / f"{name}3").symlink_to(precious)
    (room / f"{name}4").symlink_to("nowhere")
    before = sorted(os.listdir(room))
    with slot(silent, room=room) as mine:
        assert mine.alone
    assert sorted(os.listdir(room)) == sorted([*before, "slot"])
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"\xff" * 1000, b"expect 999999999.000 started 0.000\n"])
def test_what_a_ticket_says_cannot_disturb_who_reads_it(start: Start, room: Path, content: bytes) -> None:
    holder = start("holder")
    holder.says("measures")
    ticket = room / tickets(room)[0]
    ticket.write_bytes(content)
    start("waiter").says("1 ahead")


def test_what_was_left_by_the_killed_is_removed(room: Path) -> None:
    room.mkdir()
    (room / "ticket-00000000000000000001-00000001").write_bytes(b"expect 00020.000 started 0.000\n")
    with slot(silent, room=room) as mine:
        assert mine.alone
    assert tickets(room) == []


@pytest.mark.parametrize("gone", ["ticket", "room"])
def test_a_waiter_whose_ticket_was_removed_keeps_the_place(
    start: Start, room: Path, log: Path, gone: str
) -> None:
    holder = start("holder")
    holder.says("measures")
    second = start("second", hold=0)
    second.says("1 ahead")
    third = start("third", hold=0)
    third.says("2 ahead")
    if gone == "ticket":
        (room / tickets(room)[1]).unlink()
        wait_until(lambda: len(tickets(room)) == 3)
        holder.go_on()
    else:
        holder.kill()
        shutil.rmtree(room)
    second.ends()
    third.ends()
    assert sorted(served(log)) == ["holder", "second", "third"]
    if gone == "ticket":
        assert served(log) == ["holder", "second", "third"]


def test_without_its_ticket_the_holder_still_has_the_slot(start: Start, room: Path, log: Path) -> None:
    holder = start("holder")
    holder.says("measures")
    (room / tickets(room)[0]).unlink()
    waiter = start("waiter")
    assert waiter.says("ahead") == "waiting for the cores: 1 ahead of you, due any moment"
    holder.go_on()
    waiter.says("measures, alone")
    waiter.go_on()
    assert never_two_at_once(log)


@pytest.mark.parametrize("place", ["lock", "room"])
def test_a_link_is_not_followed_and_the_measurement_goes_on_without(
    room: Path, tmp_path: Path, place: str
) -> None:
    target = tmp_path / "target"
    if place == "lock":
        room.mkdir()
        target.write_text("mine")
        (room / "slot").symlink_to(target)
    else:
        target.mkdir()
        room.symlink_to(target)
    lines: list[str] = []
    with slot(lines.append, room=room) as mine:
        assert not mine.alone
        assert str(room) in mine.why
    assert lines[-1] == f"measuring without a slot of our own: {mine.why}"
    assert target.read_text() == "mine" if place == "lock" else not list(target.iterdir())
    assert tickets(room) == []


def test_a_room_that_cannot_be_made_is_no_error(room: Path, log: Path, start: Start) -> None:
    room.write_text("a file in its place")
    learner = start("learner")
    assert learner.says("measures") == f"measures, {room} can't be used (it is not a folder)"
    learner.go_on()


def test_a_room_that_is_not_ready_yet_is_waited_for(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room.write_text("as if another user were about to make it")
    monkeypatch.setattr(slots, "time", Clock(asleep=lambda: room.is_file() and room.unlink()))
    with slot(silent, room=room) as mine:
        assert mine.alone


NOBODY = pwd.getpwnam("nobody").pw_uid
BECOME_NOBODY = f"os.umask(0o077); os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder like /tmp, where everyone may make things and nobody may remove another's."""
    folder = Path(tempfile.mkdtemp(prefix="corewise-tests-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@needs_root
@pytest.mark.parametrize("first", ["root", "nobody"])
def test_two_users_of_one_machine_take_turns_whoever_made_the_room(open_folder: Path, first: str) -> None:
    room, log = open_folder / "room", open_folder / "log"
    log.touch()
    log.chmod(0o666)
    become = {"root": "os.umask(0o077)", "nobody": BECOME_NOBODY}
    other = "nobody" if first == "root" else "root"
    learners = []
    try:
        learners.append(Learner(first, room, log, first=become[first]))
        learners[0].says("measures, alone")
        assert room.stat().st_uid == (0 if first == "root" else NOBODY)
        learners.append(Learner(other, room, log, first=become[other]))
        learners[1].says("1 ahead")
        learners[0].kill()
        learners[1].says("measures, alone")
        assert len(tickets(room)) == 1  # what the other user left is gone
        learners[1].go_on()
    finally:
        for learner in learners:
            learner.close()
    assert served(log) == [first, other]


@needs_root
def test_in_a_room_where_a_user_may_not_write_they_go_on_without(open_folder: Path) -> None:
    room, log = open_folder / "room", open_folder / "log"
    room.mkdir(mode=0o755)
    log.touch()
    log.chmod(0o666)
    learner = Learner("nobody", room, log, first=BECOME_NOBODY)
    try:
        said = learner.says("measures, ")
        assert str(room) in said
        assert "can't be used (Permission denied)" in said
        learner.go_on()
    finally:
        learner.close()


@needs_root
def test_in_a_sticky_room_what_another_user_left_counts_for_nothing(open_folder: Path) -> None:
    room, log = open_folder / "room", open_folder / "log"
    room.mkdir()
    room.chmod(0o1777)
    left = room / "ticket-00000000000000000001-00000001"
    left.touch()
    log.touch()
    log.chmod(0o666)
    learner = Learner("nobody", room, log, first=BECOME_NOBODY)
    try:
        learner.says("measures, alone")
        learner.go_on()
    finally:
        learner.close()
    assert left.exists()
