"""Trials on this machine as it is: no sandbox. The parent's clock stands here.

LocalLauncher.session() -> LocalSession --Line--> stage -> trial process (one for each trial)
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from grader import machine, scratch, slots
from grader.launch.endings import ended, not_loaded, outcome
from grader.measure import left, memory, tree
from grader.measure.channel import Message, ParentEnd
from grader.measure.stage import FORKS
from grader.measure.watch import watch
from grader.model import FreeTime, Lab, Order, Progress, Slot, Trial, WorkerModule
from grader.weights import Curve

_LOAD_TIMEOUT = 60.0  # seconds for interpreter, imports and arguments: a first import on a cold disk is slow
_LEAVE_TIMEOUT = 10.0
_WARM_UP_SIZE = 100
_PATIENCE_NBGRADER = 400.0  # seconds; nbgrader_config.py gives a cell 600

#: What a trial's environment keeps of ours. Everything else is left out, so that both arms start alike.
_KEEP = (
    "PATH", "HOME", "USERPROFILE", "LANG", "LC_ALL", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT",
    "APPDATA", "LOCALAPPDATA", "NUMBER_OF_PROCESSORS", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
)  # fmt: skip
#: One thread a process in both arms, or the "serial" arm would already use all cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class LocalLauncher:
    """Opens sessions on this machine."""

    @contextmanager
    def session(self, lab: Lab, worker: WorkerModule | None, start_method: str) -> Iterator[LocalSession]:
        """A session whose processes and files are gone when the block ends, however it ends."""
        with scratch.folder() as folder:
            session = LocalSession(lab, worker, start_method, folder)
            try:
                session.start()
                yield session
            finally:
                session.close()

    def slot(self, progress: Progress, expect: float) -> AbstractContextManager[Slot]:
        """The machine's one slot for timing. Under nbgrader a cell has a time-out, which the wait must not use up."""
        if "NBGRADER_EXECUTION" in os.environ:
            return slots.slot(progress, expect=expect, patience=_PATIENCE_NBGRADER)
        return slots.slot(progress, expect=expect)


class LocalSession:
    """Runs trials of one worker module under one start method, each in a fresh process."""

    def __init__(self, lab: Lab, worker: WorkerModule | None, start_method: str, folder: Path) -> None:
        self._modules, self._here = folder / "modules", folder / "work"
        self._answers, self._temporary = folder / "answers", folder / "t"
        for one in (self._modules, self._here, self._answers, self._temporary):
            one.mkdir()
        self._warm_up, self._taken = folder / "warm-up", folder / "taken"
        self._warm_up.mkdir()
        self._taken.mkdir()
        self._cores = machine.look().usable
        lab.judge.make_input(self._warm_up, _WARM_UP_SIZE, 0)
        for name, source in (worker.sources if worker else {}).items():
            (self._modules / f"{name}.py").write_text(source, encoding="utf-8")
        self._setup: Message = {
            "lab_folder": str(lab.folder),
            "scenario": lab.scenario,
            "warm_up": str(self._warm_up),
            "imports": list(lab.imports),
            "start_method": start_method,
            "modules": str(self._modules),
            "module": worker.main if worker else "",
            "function": lab.function,
            "signature": lab.signature,
            "takes_workers": lab.takes_workers,
        }
        self._stage: subprocess.Popen[bytes] | None = None
        self._end: ParentEnd | None = None
        self._loaded = False
        self._unfit: Message | None = None
        self._trials = 0

    def run(self, order: Order) -> Trial:
        """Run one trial in a fresh process; never raises for what the learner's code does.

        Raises:
            GraderError: the stage itself doesn't start.
        """
        end = self._open() if self._unfit is None else None
        if end is None or self._unfit is not None:
            return ended(order, self._unfit or {})
        self._trials += 1
        answers = self._answers / str(self._trials)
        answers.mkdir()
        end.take_noise()
        end.send(
            arm=order.arm,
            workers=order.workers,
            folders=[str(folder) for folder in order.folders],
            tasks=order.tasks,
            amount=order.amount,
            cost=asdict(order.cost),
            answers=str(answers),
            look=order.look,
            trace=str(order.trace or ""),
        )
        try:
            return self._follow(end, order)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the stage and every process below it, and wait until they are gone."""
        if self._stage is None:
            return
        tree.kill(self._stage.pid, reaps=FORKS)
        stage, self._stage = self._stage, None
        with suppress(subprocess.TimeoutExpired):
            stage.wait(timeout=5)
        if self._end is not None:
            self._end.close()
            self._end = None

    def start(self) -> ParentEnd:
        """Start the stage, which then imports; the first trial waits for it, so several can get ready side by side."""
        self._stage = subprocess.Popen(
            [sys.executable, "-m", "grader.measure.stage"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._here,
            env=_environment(self._modules, self._temporary),
            start_new_session=True,  # the notebook's Stop must reach the parent alone
        )
        stdin, stdout, stderr = self._stage.stdin, self._stage.stdout, self._stage.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        self._loaded = False
        self._end = ParentEnd(stdin, stdout, stderr)
        self._end.send(**self._setup)
        return self._end

    def _open(self) -> ParentEnd:
        end = self._end or self.start()
        if self._loaded:
            return end
        try:
            came = end.receive(_LOAD_TIMEOUT)
        except BaseException:
            self.close()
            raise
        self._loaded = came is not None and "loaded" in came[1]
        if not self._loaded:
            self._unfit = not_loaded(came, self._setup["module"], end.take_noise())
            self.close()
        return end

    def _follow(self, end: ParentEnd, order: Order) -> Trial:
        """Say "go" for each folder, hold the clock until "done", then let the trial process leave."""
        assert self._stage is not None
        pid = self._stage.pid
        seconds: list[float] = []
        cpu: tuple[float, ...] = ()
        lookout = left.Lookout(pid) if order.look else None
        curve: Curve | None = None
        told: Message = {}
        printed = ""
        answers: list[Path] = []
        free: list[FreeTime] = []
        used: list[str] = []
        for number in range(max(1, len(order.folders))):
            told, pid = _until_ready(end, pid)
            if "ready" not in told:
                break
            weighing = memory.Scale(self._stage.pid, pid) if order.weigh else None
            watching = weighing or watch(pid, self._stage.pid, self._cores)
            watching.start()
            started = end.send(go=number)
            try:
                came = end.receive(order.timeout)
            except BaseException:
                watching.stop(0.0)
                raise
            wall = came[0] - started if came else order.timeout
            cpu, time_free = watching.stop(wall)
            curve = weighing.curve if weighing else None
            if came is None:
                printed = end.take_noise()
                told = {"ending": "timed out", "message": self._where_it_hangs(end, pid)}
                break
            told = came[1]
            if "done" not in told:
                break
            seconds.append(wall)
            free += [time_free] if time_free else []
            used = told.get("used", [])
            if order.folders:
                answers.append(self._take(number))
        if lookout and "done" in told:
            lookout.look(pid)
        noise = printed + self._leave(end, pid, told)
        trial = ended(
            order, outcome(told), tuple(seconds), cpu, tuple(answers), tuple(used), noise, tuple(free)
        )
        return replace(trial, curve=curve, left=lookout.settle() if lookout else ())

    def _take(self, number: int) -> Path:
        """The answer as it is now that it is said to be done: what is written later doesn't count."""
        written = self._answers / str(self._trials) / f"answer-{number}.npz"
        taken = self._taken / f"{self._trials}-{number}.npz"
        with suppress(OSError):  # no answer there: reading it will say so
            shutil.copyfile(written, taken)
            written.unlink()
        return taken

    def _leave(self, end: ParentEnd, pid: int, told: Message) -> str:
        """Let the trial process go (kill it if it doesn't), and wait until its whole tree is gone."""
        ending = "done" if "done" in told else told.get("ending", "died")
        if ending == "timed out":
            tree.kill(pid)
        elif "ended" not in told:
            end.send(go="away")
        while FORKS and told and "ended" not in told:
            came = end.receive(_LEAVE_TIMEOUT)
            told = came[1] if came else {}
        if ending != "done":
            time.sleep(0.05)  # what it printed last may still be on its way, and is evidence
        noise = end.take_noise()
        if not told or not FORKS:  # a stage that went away, or one that runs a single trial
            self.close()
        return noise

    def _where_it_hangs(self, end: ParentEnd, pid: int) -> str:
        """The learner's own lines on the hung process's stack, as faulthandler printed them."""
        if not FORKS:
            return ""
        with suppress(OSError):
            os.kill(pid, signal.SIGUSR1)
        time.sleep(0.3)
        lines = [line.strip() for line in end.take_noise().splitlines()]
        return "".join(f"{line}\n" for line in lines if str(self._modules) in line)


def _environment(modules: Path, temporary: Path) -> dict[str, str]:
    """A clean environment. Temporary files stay in the scratch folder: a killed process doesn't tidy up."""
    kept = {name: os.environ[name] for name in _KEEP if name in os.environ}
    kept |= dict.fromkeys(_ONE_THREAD, "1") | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    return kept | {
        "PYTHONPATH": str(modules),
        "PYTHONNOUSERSITE": "1",
        "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning",  # what a killed program left is our doing
    }


def _until_ready(end: ParentEnd, pid: int) -> tuple[Message, int]:
    while True:
        came = end.receive(_LOAD_TIMEOUT)
        if came is None:
            return {"ending": "timed out", "message": ""}, pid
        if "pid" not in came[1]:
            return came[1], pid
        pid = came[1]["pid"]
