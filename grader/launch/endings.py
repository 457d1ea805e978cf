"""What the messages of a trial mean: why nothing was loaded, how a process died, the Trial in the end."""

from __future__ import annotations

import signal
from pathlib import Path

from grader.errors import GraderError
from grader.measure.channel import Message
from grader.model import FreeTime, Order, Trial


def not_loaded(came: tuple[float, Message] | None, module: str, noise: str) -> Message:
    """Why the stage has nothing ready: the learner's module, or, without one, ourselves."""
    if came is not None and "ending" in came[1]:
        return came[1]
    if came is not None and "fault" in came[1]:
        raise GraderError(f"The process that runs trials could not get ready: {came[1]['fault']}.")
    if not module:
        raise GraderError(f"The process that runs trials did not start.\n{noise[-2000:]}")
    what = "is still being imported after a minute" if came is None else "ends the process that imports it"
    return {"ending": "import failed", "message": f"{module}.py {what}."}


def how_it_died(told: Message) -> str:
    """Why a trial process went away without an answer, from its exit code (minus the signal)."""
    code = told.get("ended")
    if code is None:
        return "its process went away."
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"its process was killed by {name}."
    return f"its process ended itself with exit code {code} instead of returning an answer."


def outcome(told: Message) -> Message:
    """How the trial ended, from the last message about it."""
    if "done" in told:
        return {"ending": "done"}
    return told if "ending" in told else {"ending": "died", "message": how_it_died(told)}


def ended(
    order: Order,
    told: Message,
    seconds: tuple[float, ...] = (),
    cpu: tuple[float, ...] = (),
    answers: tuple[Path, ...] = (),
    used: tuple[str, ...] = (),
    noise: str = "",
    free: tuple[FreeTime, ...] = (),
) -> Trial:
    """The trial, from its outcome about it and what was measured until then."""
    line = told.get("line")
    return Trial(
        arm=order.arm,
        ending=told["ending"],
        seconds=seconds,
        cpu=cpu,
        answers=answers,
        message=told.get("message", ""),
        line=(line[0], int(line[1])) if line else None,
        start_methods_used=used,
        output=noise,
        limit=order.timeout,
        free=free,
    )
