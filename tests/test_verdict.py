"""From what was measured to points and words: who gets what, and which sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader import causes, verdict
from grader.lab import load
from grader.measure.decide import Decision
from grader.model import Block, Ending, MachineFacts, Strain, Trial, Verdict, WorkerModule
from grader.verdict import AnswerRun, Speed

LAB = load(Path(__file__).parent / "labs" / "primes")
WORKER = WorkerModule("counter", {"counter": ""}, "primes.ipynb", {"counter": 3})
FACTS = MachineFacts(8, 4, 1.5, 4, 1.5, ("fork", "spawn"), 3.5, True, "Linux", "3.13")
DONE = Trial("parallel", "done", (0.1,), (0.01, 0.1, 0.1))
GOOD = Block(0.4, 0.27, 1.5, 1.5, (0.4,), (0.01, 0.2, 0.2))


def speed(decision: Decision, blocks: tuple[Block, ...] = (GOOD,) * 12) -> Verdict:
    return verdict.on_speed(LAB, WORKER, Speed(decision, blocks, 12.0, 2, start_method="fork"), FACTS)


def answer(trial: Trial, difference: str = "", method: str = "fork") -> Verdict:
    return verdict.on_answer(LAB, "answer", WORKER, [AnswerRun(method, 1, 7, trial, difference)], FACTS)


def failed(
    ending: Ending, message: str = "", line: tuple[str, int] | None = None, output: str = ""
) -> Verdict:
    return answer(Trial("parallel", ending, (), (), message=message, line=line, output=output, limit=20.0))


@pytest.mark.parametrize(
    ("decision", "points"),
    [
        (Decision("met", "clear gain"), 4.0),
        (Decision("met", "clear gain by CPU seconds", provisional=True, clock="cpu"), 4.0),
        (Decision("not yet", "gain too small"), 0.0),
        (Decision("not yet", "one busy process"), 0.0),
        (Decision("cannot tell", "load", beforehand=True), 4.0),
        (Decision("cannot tell", "load", beforehand=False), 0.0),
        (Decision("cannot tell", "close to the bar"), 0.0),
        (Decision("cannot tell", "too few cores", beforehand=True), 4.0),
        (Decision("not yet", "gain too small", share=0.5), 2.0),
        (Decision("cannot tell", "close to the bar", share=0.5), 2.0),
        (Decision("cannot tell", "little reach", beforehand=True, share=0.5), 4.0),
    ],
)
def test_points_are_those_of_the_sure_tier_and_noise_costs_or_earns_none(
    decision: Decision, points: float
) -> None:
    told = speed(decision)
    assert (told.points, told.max_points) == (points, 4.0)
    assert (told.for_marker != "") == (told.outcome == "cannot tell" or told.provisional)


BY_THE_CLOCK = ("clear gain", "gain too small")  # said of clean blocks alone
CAUSES = (
    *BY_THE_CLOCK, "clear gain by CPU seconds", "one busy process", "faster without processes",
    "not parallel enough", "too few cores", "load", "close to the bar", "too few blocks",
)  # fmt: skip
SEEN = {"none": (), "some": (GOOD,) * 3, "void": (Block(0.4, 0.4, 1.0, 1.0),) * 3}
TOLD = [(cause, seen) for cause in CAUSES for seen in SEEN if cause not in BY_THE_CLOCK or seen == "some"]


@pytest.mark.parametrize(("cause", "seen"), TOLD)
def test_every_cause_has_a_reason_in_one_line_of_words(cause: str, seen: str) -> None:
    blocks = SEEN[seen]
    told = speed(Decision("cannot tell", cause), blocks)
    assert told.reason.endswith(".")
    assert "\n" not in told.reason
    for finding in told.findings:
        assert all((finding.what, finding.evidence, finding.try_next))
    assert "nan" not in told.reason + "".join(finding.evidence for finding in told.findings)


def test_a_learners_line_is_told_in_the_words_of_the_notebook() -> None:
    told = failed("raised", "ZeroDivisionError: division by zero", ("counter", 6))
    assert (
        told.reason
        == "At size 7 under fork, count_primes in counter.py failed: ZeroDivisionError: division by zero"
    )
    assert told.findings[0].evidence == "at counter.py, line 6 (code cell 3, line 6)"
    assert "%%module" in told.findings[0].try_next


def test_a_time_out_says_how_long_it_was_given_and_where_it_waited() -> None:
    stack = 'File "/somewhere/modules/counter.py", line 12 in count_primes\n'
    told = failed("timed out", stack)
    assert "had not returned after 20 seconds" in told.reason
    assert told.findings[0].evidence == "It was at counter.py, line 12 (code cell 3, line 12)."
    assert "/somewhere" not in told.reason + told.findings[0].evidence


def test_a_time_out_without_a_stack_claims_nothing_about_where() -> None:
    assert failed("timed out").findings[0].evidence == ""


def test_a_check_of_how_the_work_is_done_calls_no_answer_wrong_and_points_to_its_hints() -> None:
    wrong = Trial("parallel", "done", (), ())
    lab = replace(LAB, scenario="bounded")
    told = causes.of_failure(lab, WORKER, wrong, "2,388 invoices were in flight.", 2_500, "fork")
    assert told.what == "Not as it is asked for. At size 2,500 under fork: 2,388 invoices were in flight."
    assert 'hint("bounded")' in told.try_next
    told = causes.of_failure(LAB, WORKER, wrong, "row 3 differs.", 61, "fork")
    assert told.what.startswith("The answer is wrong.")


def test_what_was_printed_is_shown_cut() -> None:
    told = failed("died", "its process was killed by SIGKILL.", output="x" * 100_000)
    assert told.findings[0].evidence.startswith("It printed: xxx")
    told = failed("died", "it ended.", output="Traceback:\n" + "  deep\n" * 1000 + "KeyError: 'card'")
    assert told.findings[0].evidence.endswith("KeyError: 'card'")
    assert len(told.findings[0].evidence) < 500


@pytest.mark.parametrize("ending", ["stub", "raised", "wrong type", "died", "timed out", "import failed"])
def test_every_ending_is_not_yet_with_the_next_thing_to_try(ending: Ending) -> None:
    told = failed(ending, "what happened.")
    assert (told.outcome, told.points, told.findings[0].cause) == ("not yet", 0.0, ending)
    assert told.reason != ""
    assert told.findings[0].try_next != ""


def test_a_wrong_answer_says_size_start_method_and_difference() -> None:
    told = answer(DONE, "3 of the numbers are prime; your answer is 2.", "spawn")
    assert (
        told.reason
        == "The answer is wrong. At size 7 under spawn: 3 of the numbers are prime; your answer is 2."
    )
    assert told.findings[0].cause == "wrong answer"


def test_right_answers_name_sizes_and_start_methods() -> None:
    told = verdict.on_answer(
        LAB, "answer", WORKER, [AnswerRun(m, 4, None, DONE) for m in ("fork", "spawn")], FACTS
    )
    assert (told.outcome, told.points) == ("met", 6.0)
    assert told.reason == "Right at every size (0, 1, 7, 301) under fork, spawn."


def test_a_preview_that_cannot_tell_keeps_its_points_and_tells_no_marker() -> None:
    made = Speed(Decision("cannot tell", "preview", beforehand=True), (), 5.0, 2, start_method="fork")
    told = verdict.on_speed(LAB, WORKER, made, FACTS, preview=True)
    assert (told.outcome, told.points, told.preview, told.for_marker) == ("cannot tell", 4.0, True, "")


def test_our_fault_costs_nothing_and_names_the_log() -> None:
    told = verdict.our_fault(LAB, LAB.checks["speedup"], "KeyError: 'x'", Path("fault.log"))
    assert (told.outcome, told.points, told.log) == ("cannot tell", 4.0, Path("fault.log"))
    assert "fault of the grader" in told.reason
    assert "fault.log" in told.findings[0].evidence
    assert told.for_marker != ""


def test_too_few_cores_shows_what_the_machine_gives() -> None:
    told = speed(Decision("cannot tell", "too few cores", beforehand=True), ())
    assert told.findings[0].evidence == "The machine has 8 CPUs; affinity gives this program 4, quota 1.5."


@pytest.mark.parametrize(
    ("cpu", "cause"),
    [
        ((0.01, 0.5, 0.5), "work added"),
        ((0.3, 0.05, 0.05), "work in the parent"),
        ((0.01, 0.33, 0.05), "uneven parts"),
        ((0.01, 0.1, 0.1), "waiting"),
    ],
)
def test_a_small_gain_names_its_likeliest_cause_first(cpu: tuple[float, ...], cause: str) -> None:
    slow = Block(0.4, 0.36, 1.9, 1.9, (0.4,), cpu)
    assert speed(Decision("not yet", "gain too small"), (slow,) * 15).findings[0].cause == cause


def test_more_than_all_of_the_gain_is_said_to_be_a_comparison_with_other_work() -> None:
    said = speed(Decision("met", "clear gain"), (Block(0.4, 0.25, 1.5, 1.5),) * 12).reason
    assert "120 % of the gain that perfectly parallel work of our own has here (reach 1.50)" in said
    assert "of the gain that this machine gives" in speed(Decision("met", "clear gain")).reason


def test_half_of_the_points_names_the_bar_that_earned_them() -> None:
    told = speed(Decision("not yet", "gain too small", share=0.5), (Block(0.4, 0.3, 2.0, 2.0),) * 20)
    assert "Half of the points: surely above 1.25." in told.reason


@pytest.mark.parametrize(
    ("block", "cause"),
    [
        (Block(0.4, 0.1, 1.5, 1.5, (0.4,), (0.01, 0.2, 0.2)), "faster than the cores allow"),
        (Block(0.4, 0.27, 1.5, 1.5, (0.4,), (0.01, 0.08, 0.08)), "less work than the baseline"),
        (Block(0.4, 0.2, 1.5, 1.5, (0.4,), (0.01, 0.3, 0.3)), "CPU seconds that don't add up"),
    ],
)
def test_what_is_too_good_to_be_believed_unseen_is_found_and_put_before_the_marker(
    block: Block, cause: str
) -> None:
    told = speed(Decision("met", "clear gain"), (block,) * 12)
    found = next(finding for finding in told.findings if finding.cause == cause)
    assert found.evidence != ""
    assert found.what in told.for_marker


def test_honest_blocks_give_a_marker_nothing_to_look_at() -> None:
    told = speed(Decision("met", "clear gain"))
    assert (told.for_marker, told.findings) == ("", ())


@pytest.mark.parametrize(
    ("strain", "said"),
    [
        (Strain(pressure=0.6), "60 % of the last ten seconds"),
        (Strain(stolen=0.4), "0.40 CPUs to other machines"),
        (Strain(throttled=2.5), "stopped the processes for 2.5 s"),
    ],
)
def test_a_cannot_tell_names_what_held_this_machine_back(strain: Strain, said: str) -> None:
    decision = Decision("cannot tell", "little reach")
    made = Speed(decision, (GOOD,) * 12, 30.0, 2, start_method="fork", strain=strain)
    told = verdict.on_speed(LAB, WORKER, made, FACTS)
    assert said in told.findings[0].evidence
    assert "On battery." in told.findings[0].evidence
    assert "reach after each: 1.50" in told.findings[0].evidence


def test_a_program_that_moves_its_processes_is_told_which_clock_spoke_and_why() -> None:
    why = "the program changed the affinity, priority or policy of its processes"
    told = speed(Decision("met", "clear gain"), (replace(GOOD, why_wall=why),) * 12)
    assert why[1:] in told.findings[0].evidence
