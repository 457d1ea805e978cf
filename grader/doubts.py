"""Doubts in words: why a measurement can't tell, and what is too good to be believed unseen. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from grader.measure.decide import Decision
from grader.measure.stats import median
from grader.model import Bars, Block, Estimate, Finding, MachineFacts, Strain

#: More times the usable cores than this, or CPU seconds than this many times those there are, can't be (noise apart).
_TOO_FAST = 1.1
#: Of the baseline's CPU seconds: less than this is another algorithm, or work that was done elsewhere.
_LITTLE_WORK = 0.5
#: Seconds by which CPU accounts in ticks may be off; blocks from which on anything is said.
_ROUNDING, _FEW = 0.05, 3


def cannot_tell(
    decision: Decision, blocks: Sequence[Block], facts: MachineFacts, bars: Bars, strain: Strain
) -> Finding:
    void = sum(b.is_void(bars.r_min) for b in blocks)
    reaches = ", ".join(f"{b.reach_after:.2f}" for b in blocks[:8]) + (", ..." if len(blocks) > 8 else "")
    said = [f"{void} of {len(blocks)} blocks void; reach after each: {reaches}." if blocks else _NO_BLOCK]
    return Finding(
        decision.cause,
        "The measurement is not sure, and noise must neither cost marks nor earn them.",
        " ".join([*said, *_strained(blocks, facts, strain)]),
        _WOULD_HELP.get(decision.cause, "Run this check again."),
    )


_NO_BLOCK = "Not one block was done."
_WOULD_HELP = {
    "load": "Close what else is running (`corewise doctor` names it), then run this check again.",
    "little reach": "Run it where two workers have two cores of their own: two logical CPUs of one core, a CPU quota, "
    "saving power or heat leave too little.",
    "close to the bar": "Run it again on a quiet machine, or look for what still runs serially.",
    "too few blocks": "Run it again on a quiet machine.",
    "short-lived workers": "Let each worker live longer: start a pool once and give it the tasks. Or run it on a quiet "
    "machine, where nothing needs to be seen.",
    "lock beside neighbours": "Compute without the lock, and hold it for a moment only. Or run it again on a "
    "quiet machine: there the clock alone decides.",
    "work added beside neighbours": "Run it again on a quiet machine: there the clock alone decides.",
    "too small": "Tell your instructor: on this machine the lab needs a larger input.",
    "too slow": "Run it on a faster machine, or tell your instructor: here the lab needs a smaller input.",
}


def _strained(blocks: Sequence[Block], facts: MachineFacts, strain: Strain) -> list[str]:
    """What held the machine back, in words; only what is worth saying."""
    said = []
    others = (median([b.others for b in blocks]) if blocks else 0.0) - (strain.stolen or 0.0)
    if others > 0.1:
        said.append(f"Other programs kept {others:.1f} CPUs busy meanwhile.")
    if facts.load is not None:
        said.append(f"Load average {facts.load:.1f}.")
    if strain.pressure is not None and strain.pressure > 0.1:
        said.append(f"In {100 * strain.pressure:.0f} % of the last ten seconds something waited for a CPU.")
    if strain.stolen is not None and strain.stolen > 0.05:
        said.append(f"The hypervisor gave {strain.stolen:.2f} CPUs to other machines.")
    if strain.throttled and strain.throttled >= 0.05:
        said.append(f"A CPU quota stopped the processes for {strain.throttled:.1f} s.")
    if facts.physical is not None and facts.physical < facts.affinity:
        said.append(f"{facts.affinity} logical CPUs share {facts.physical} cores.")
    if facts.on_battery:
        said.append("On battery.")
    return said


def no_cores(facts: MachineFacts) -> str:
    cores = "1 core" if facts.usable == 1 else f"{facts.usable:g} cores"
    return f"This machine gives {cores} to this program: nothing can run side by side."


def too_few_cores(facts: MachineFacts) -> Finding:
    quota = f", quota {facts.quota:g}" if facts.quota is not None else ""
    return Finding(
        "too few cores",
        "Its CPU seconds are spread over processes. Whether these work side by side, one core can't show.",
        f"The machine has {facts.machine} CPUs; affinity gives this program {facts.affinity}{quota}.",
        "Run the check on a machine, or in a container, with at least two cores.",
    )


def implausible(
    blocks: Sequence[Block], measured: Estimate | None, facts: MachineFacts
) -> tuple[Finding, ...]:
    """What a marker should look at, because honest parallel code hardly does it. Each with its evidence."""
    found: list[Finding] = []
    if measured and measured.speedup > _TOO_FAST * facts.usable:
        found.append(_too_fast(measured.speedup, facts.usable))
    counted = [b for b in blocks if sum(b.cpu_serial) > 0 and b.cpu_parallel]
    if len(counted) < _FEW:
        return tuple(found)
    serial = median([sum(b.cpu_serial) for b in counted])
    parallel = median([sum(b.cpu_parallel) for b in counted])
    if parallel < _LITTLE_WORK * serial:
        found.append(_little_work(serial, parallel))
    most = median([facts.usable * (b.wall or b).t_parallel for b in counted])
    if parallel > _TOO_FAST * most + _ROUNDING:
        found.append(_too_much_cpu(parallel, most))
    return tuple(found)


def _too_fast(speedup: float, usable: float) -> Finding:
    return Finding(
        "faster than the cores allow",
        "More speedup than there are cores.",
        f"{speedup:.2f} on {usable:g} cores.",
        "The serial work was changed, not only spread: a marker will look at it.",
    )


def _little_work(serial: float, parallel: float) -> Finding:
    return Finding(
        "less work than the baseline",
        "The right answers came for much less work than the baseline needs.",
        f"Serial {serial:.2f} CPU seconds, parallel {parallel:.2f}, all processes together.",
        "A better algorithm is welcome and earns its speed; what was worked out elsewhere or before does not. "
        "A marker will look at it.",
    )


def _too_much_cpu(parallel: float, most: float) -> Finding:
    return Finding(
        "CPU seconds that don't add up",
        "The processes used more CPU seconds than these cores have in that time.",
        f"{parallel:.2f} CPU seconds, where {most:.2f} is the most.",
        "Work went on outside of the time that was measured: a marker will look at it.",
    )


def wall_after_all(why: str) -> Finding:
    return Finding(
        "by the wall clock",
        "The wall clock decided where the time free of neighbours could have.",
        f"{why[0].upper()}{why[1:]}.",
        "Close notebooks that you don't need, and check again."
        if "can't be read" in why
        else "Leave affinity and priorities as they are, and start no more than some dozens of workers.",
    )
