"""Causes in words: why a trial failed, why a speedup is what it is, and the next thing to try. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from grader import doubts, remedies
from grader.measure.bars import half_bar, pass_bar
from grader.measure.busy import ONE_BUSY, busiest_share
from grader.measure.decide import Decision
from grader.measure.stats import median
from grader.model import Bars, Block, Estimate, Finding, Lab, MachineFacts, Strain, Trial, WorkerModule
from grader.tracing.diagnosis import Diagnosis

#: Checks that look at how the work is done: an answer that differs there is no wrong number.
_NUMBERS = ("", "answer", "speedup", "memory", "clean_up")

_NEXT = {
    "stub": "Write it; in a notebook run its cell, and save (a terminal sees what is saved); then check again.",
    "raised": "Mend it; in a notebook run the %%module cell; then check again.",
    "wrong type": "Return what the lab asks for; in a notebook run the %%module cell; then check again.",
    "import failed": "Mend it; in a notebook run the %%module cell; then check again.",
    "died": "Look for what ends a process: os._exit, sys.exit, terminate(), or running out of memory.",
    "timed out": "Look for what it waits for, or repeats: a worker joined before its queue is drained, a sentinel that "
    "never comes, a worker or an initializer that died, results read after the pool's with block. A submitted task's "
    "error is told by its result() alone.",
    "done": "Try it on a small input beside the serial baseline, and look at the first difference.",
}

#: What CPU seconds say of slow code, where no trace says more.
_GUESSED = ("work added", "work in the parent", "uneven parts", "waiting")

_PREVIEWED = Finding(
    "preview",
    "A preview has no time to measure a speedup.",
    "It looks at the answers, and at the CPU seconds of each process.",
    "Run the check's own cell to measure it.",
)
_FASTER_ALONE = Finding(
    "faster without processes",
    "A better serial program is a fine thing, and often the right answer at work.",
    f"One process used {100 * ONE_BUSY:.0f} % of the CPU seconds or more.",
    "For these points, spread that work over processes too.",
)


def of_failure(
    lab: Lab,
    worker: WorkerModule,
    trial: Trial,
    difference: str,
    size: int | None,
    start_method: str,
    passed: bool = False,
) -> Finding:
    """Why a trial did not end with a right answer; `passed` says that it was right where workers are forked."""
    at = f"At size {size:,} under {start_method}" if size is not None else f"Under {start_method}"
    where = worker.where(*trial.line) if trial.line else ""
    name = f"{lab.function} in {worker.main}.py"
    match trial.ending:
        case "done":
            asked = "The answer is wrong." if lab.scenario in _NUMBERS else "Not as it is asked for."
            what = f"{asked} {at}: {difference}"
        case "stub":
            what = f"{name}: {trial.message}"
        case "raised":
            what = f"{at}, {name} failed: {trial.message}"
        case "timed out":
            what = f"{at}, {name} had not returned after {trial.limit:.0f} seconds and was stopped."
            where = _hangs_at(worker, trial.message)
        case "died":
            what = f"{at}, {name}: {trial.message}"
        case _:
            what = trial.message
    evidence = [f"at {where}" if where and trial.ending != "timed out" else where]
    if trial.output.strip():
        evidence.append(f"It printed: {_shorten(trial.output)}")
    wrong = trial.ending == "done"
    known = _known(lab, difference) if wrong else remedies.of_error(trial.message, start_method, passed)
    return Finding(
        "wrong answer" if wrong else trial.ending,
        what.strip(),
        "\n".join(filter(None, evidence)),
        known or _NEXT[trial.ending],
    )


def _known(lab: Lab, difference: str) -> str:
    """What to try after an answer that differs like this; nothing where looking at the numbers is best."""
    if lab.scenario not in _NUMBERS:
        return f'What was found says it; hint("{lab.scenario}") in the notebook goes on from there.'
    return remedies.of_difference(difference)


def with_losses(findings: tuple[Finding, ...], why: Diagnosis | None) -> tuple[Finding, ...]:
    """The findings on a speedup that is too small, and above them what one traced run lost most of its time to.

    What CPU seconds let us guess is left out then: the trace saw it. Work that one process did alone needs no trace to
    be understood: there the loss comes second. What neighbours took is no cause: the mark is free of it.
    """
    own = [loss for loss in why.losses if loss.cause != "neighbours"] if why else []
    if why is None or not own:
        return findings
    loss = own[0]
    lost = Finding(
        loss.cause,
        loss.what,
        f"A run of its own, which was traced, took {why.timeline.wall:.2f} s and lost {loss.seconds:.2f} s so: "
        f"{100 * loss.share:.0f} % of all that it lost. {loss.evidence}",
        loss.try_next,
    )
    findings = tuple(finding for finding in findings if finding.cause not in _GUESSED)
    alone = bool(findings) and findings[0].cause in ("one busy process", "faster without processes")
    if alone and loss.cause == "no-workers":
        return findings
    return (*findings[:1], lost, *findings[1:]) if alone else (lost, *findings)


def reason(decision: Decision, measured: Estimate | None, bars: Bars, facts: MachineFacts) -> str:
    """The verdict on a speedup in one line."""
    if measured is None:
        return {
            "too few cores": doubts.no_cores(facts),
            "load": "The cores were busy with other work before your code was timed.",
            "little reach": "Two workers gain next to nothing on these cores, whatever they do.",
            "one busy process": "One process did the work alone.",
            "preview": "A preview: the answers are right and the work spreads over processes.",
            "too small": "Even its largest input keeps this machine busy for a blink only: too short to tell.",
            "too slow": "The serial baseline takes so long here that the pairs don't fit into the time.",
        }.get(decision.cause, "There was no time for a single clean block.")
    s = f"{measured.speedup:.2f} times as fast as serial"
    whose = "perfectly parallel work of our own has here" if measured.gain > 1 else "this machine gives"
    part = f"{100 * measured.gain:.0f} % of the gain that {whose} (reach {measured.reach:.2f})"
    bar = f"{pass_bar(measured.reach, bars):.2f}"
    half = half_bar(measured.reach, bars)
    earned = f" Half of the points: surely above {half:.2f}." if decision.share == 0.5 and half else ""
    if decision.cause == "gain too small" and not decision.share and half and measured.speedup >= half:
        earned = f" For half of the points it would have to be surely above {half:.2f}."
    said = {
        "clear gain": f"{s}: {part}.",
        "clear gain by CPU seconds": f"Projected from CPU seconds: {s}; the clock alone can't tell here.",
        "gain too small": f"{s}, where {bar} is asked for: {part}.",
        "one busy process": f"One process did the work alone; {s}.",
        "faster without processes": f"{s}, but without parallel work: one process did it alone.",
        "not parallel enough": f"Projected from CPU seconds: {s}, where {bar} is asked for.",
        "too few cores": doubts.no_cores(facts),
        "load": "Other work took the cores: most blocks had too little reach to tell.",
        "little reach": f"Even perfectly parallel work reached only {measured.reach:.2f} here: too little to tell.",
        "short-lived workers": f"{s} as far as could be seen: the workers end too soon to be seen.",
        "lock beside neighbours": f"{s} free of neighbours, but its work is done by turns, with one lock in hand.",
        "work added beside neighbours": f"{s} free of neighbours, but for far more CPU seconds than serial.",
        "close to the bar": f"{s}, too close to the {bar} that is asked for to tell in this time.",
        "too few blocks": f"{s} so far, from {measured.blocks} clean blocks: too few to tell.",
    }[decision.cause]
    return said + earned


def of_speed(
    decision: Decision,
    blocks: Sequence[Block],
    measured: Estimate | None,
    workers: int,
    facts: MachineFacts,
    bars: Bars,
    strain: Strain,
) -> tuple[Finding, ...]:
    """What stands out in the CPU seconds and the calibration; the likeliest cause first."""
    found: list[Finding] = []
    match decision.cause:
        case "too few cores":
            found.append(doubts.too_few_cores(facts))
        case "preview":
            found.append(_PREVIEWED)
        case "faster without processes":
            found.append(_FASTER_ALONE)
        case "one busy process":
            found.append(_one_busy(blocks, workers))
        case _ if decision.outcome == "cannot tell":
            found.append(doubts.cannot_tell(decision, blocks, facts, bars, strain))
        case _ if decision.outcome == "not yet":
            found += _why_slow(blocks, workers)
    if said := next((block.why_wall for block in blocks if block.why_wall), ""):
        found.append(doubts.wall_after_all(said))
    return tuple(found)


def _one_busy(blocks: Sequence[Block], workers: int) -> Finding:
    share = median([busiest_share(b.cpu_parallel) for b in blocks])
    measured = f"It used {100 * share:.0f} % of the CPU seconds, in {len(blocks)} blocks (median)."
    return Finding(
        "one busy process",
        "The work did not spread: one process did nearly all of it.",
        measured if blocks else f"It used {100 * ONE_BUSY:.0f} % of the CPU seconds or more.",
        f"Split the input and hand the parts to {workers} processes. Threads share one interpreter: "
        "they don't help here.",
    )


def own_method(used: Sequence[str], asked: str) -> Finding | None:
    """A start method that the learner's code asks for by itself is respected, and said."""
    other = [method for method in used if method not in (asked, "")]
    return asked_for(other[0], asked) if other else None


def asked_for(method: str, asked: str) -> Finding:
    return Finding(
        "own start method",
        f"Your code asks for {method} itself, so that is what ran where {asked} was due.",
        "It comes from get_context(...), or from a library that starts processes its own way.",
        "Leave the start method to the caller, unless the work needs one.",
    )


def _why_slow(blocks: Sequence[Block], workers: int) -> list[Finding]:
    """From CPU seconds per process: work added, work uneven, work left in the parent, cores left idle."""
    serial = median([sum(b.cpu_serial) for b in blocks])
    parallel = median([sum(b.cpu_parallel) for b in blocks])
    parent = median([b.cpu_parallel[0] for b in blocks if b.cpu_parallel] or [0.0])
    shares = [
        sorted(b.cpu_parallel[1:], reverse=True)[:workers] for b in blocks if sum(b.cpu_parallel[1:]) > 0
    ]
    even = median([sum(s) / workers for s in shares] or [0.0])
    busiest = median([s[0] for s in shares] or [0.0])
    found: list[tuple[float, Finding]] = []
    if serial > 0 and parallel > 1.3 * serial:
        found.append(((parallel - serial) / workers, _work_added(serial, parallel)))
    if parent > 0.3 * parallel:
        found.append((parent * (1 - 1 / workers), _work_in_the_parent(parent / parallel)))
    if busiest > 1.3 * even > 0:
        found.append((busiest - even, _uneven_parts(busiest / even)))
    taken = median([b.t_parallel for b in blocks])
    spans = [b.cpu_parallel[0] + max(b.cpu_parallel[1:], default=0.0) for b in blocks if b.cpu_parallel]
    waited = taken - median(spans)
    if not found and waited > 0.3 * taken:
        found.append((waited, _waiting(taken, waited)))
    return [finding for _, finding in sorted(found, key=lambda pair: -pair[0])]


def _work_added(serial: float, parallel: float) -> Finding:
    return Finding(
        "work added",
        "Much of the work is not in the serial program: starting, pickling and copying, or a dearer way to go.",
        f"Serial {serial:.2f} CPU seconds, parallel {parallel:.2f}, all processes together.",
        "Send less: fewer and larger tasks, and file names instead of rows. Start processes once. Where the cores do "
        "more than one core did before, look at the algorithm first.",
    )


def _work_in_the_parent(share: float) -> Finding:
    return Finding(
        "work in the parent",
        "The parent does much of the work itself while the workers wait.",
        f"It used {100 * share:.0f} % of the CPU seconds.",
        "Let the workers read and prepare their own part.",
    )


def _uneven_parts(ratio: float) -> Finding:
    return Finding(
        "uneven parts",
        "One worker works on while the others have nothing left to do.",
        f"The busiest worker used {ratio:.2f} times its even share of the workers' CPU seconds.",
        "Make more parts than workers, start with the largest, and hand them out one at a time.",
    )


def _waiting(taken: float, waited: float) -> Finding:
    return Finding(
        "waiting",
        "Much of the time nothing is computed: the program waits.",
        f"It took {taken:.2f} s; for {waited:.2f} s of that neither the parent nor its busiest worker computed.",
        "Let the waits overlap: ask for everything at once, by threads or asyncio. Or look for a worker that waits "
        "for another.",
    )


def _hangs_at(worker: WorkerModule, stack: str) -> str:
    """The learner's innermost line on a hung process's stack (faulthandler prints the innermost first)."""
    for line in stack.splitlines():
        name = line.partition('"')[2].partition('"')[0].replace("\\", "/").rpartition("/")[2]
        number = line.partition(", line ")[2].split(" ", 1)[0]
        if number.isdigit():
            return f"It was at {worker.where(name.removesuffix('.py'), int(number))}."
    return ""


def _shorten(text: str) -> str:
    """The beginning, and more of the end: a worker's traceback says there what went wrong."""
    text = text.strip()
    return text if len(text) <= 400 else f"{text[:100]} ... (cut) ... {text[-300:]}"
