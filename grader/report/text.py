"""A `Verdict` as text for a terminal, in the panel's order: 80 columns, ASCII but for what it quotes."""

from __future__ import annotations

import textwrap
from collections.abc import Collection

from grader.model import Verdict
from grader.report import memory, trace_text, words
from grader.report.trace_words import alike_in_words

WIDTH = 80
STRIP = 56  # columns of the small plot


def render(verdict: Verdict, told: Collection[str] = ()) -> str:
    """The whole report, ending without a newline; of a fault whose reason was `told` before, that it is the same."""
    check = words.clean(verdict.check)
    lines = _wrap(f"{check}: {words.outcome_in_words(verdict)}, {words.points_in_words(verdict)}")
    if verdict.outcome == "not yet" and verdict.reason in told:
        return "\n".join([*lines, "  Found: the same as above."])
    for note in words.notes(verdict):
        lines += _wrap(note, "  ")
    lines += _labelled("Asked", verdict.asked) + _labelled("Found", verdict.reason)
    if verdict.estimate is not None:
        lines += _labelled("Measured", " ".join(words.measured_in_words(verdict.estimate, verdict.facts)))
    if verdict.memory is not None:
        lines += _labelled("Measured", memory.in_words(verdict.memory))
        lines += [
            "",
            *memory.strips(verdict.memory, STRIP),
            *_wrap(memory.picture_in_words(verdict.memory), "  "),
            "",
        ]
    strip = _strip(verdict)
    if strip:
        lines += ["", *strip, *_wrap(words.picture_in_words(verdict), "  "), ""]
    if verdict.diagnosis is not None:
        alike = alike_in_words(verdict.diagnosis.alike)
        lines += ["", *_wrap(f"Where the time went, in a run of its own that was traced. {alike}", "  ")]
        lines += [*trace_text.chart(verdict.diagnosis), ""]
    lines += _evidence(verdict)
    lines += _labelled("For the marker", verdict.for_marker)
    lines += _labelled("Log of the grader", str(verdict.log) if verdict.log else "")
    return "\n".join(lines).rstrip("\n")


def _wrap(said: str, indent: str = "", after: str | None = None) -> list[str]:
    """Wrapped lines; the lines of a text that has several stay apart, with their own indent."""
    after = indent if after is None else after
    wrapped: list[str] = []
    for number, line in enumerate(words.clean(said).expandtabs(4).splitlines()):
        own = line[: len(line) - len(line.lstrip())][:20]
        first = (after if number else indent) + own
        wrapped += textwrap.wrap(
            line.strip(), WIDTH, initial_indent=first, subsequent_indent=after + own, break_on_hyphens=False
        )
    return wrapped


def _labelled(label: str, said: str) -> list[str]:
    return _wrap(f"{label}: {said}", "  ", "    ") if said else []


def _evidence(verdict: Verdict) -> list[str]:
    """Every finding, without what the reason has said already; then the first one's advice, by itself."""
    findings = verdict.findings
    lines: list[str] = []
    for number, finding in enumerate(findings):
        new = [said for said in (finding.what, finding.evidence) if said and said != verdict.reason]
        for place, said in enumerate(new):
            lines += _wrap(said, "    " if place else "  - ", "    ")
        if number and finding.try_next:
            lines += _wrap(f"Then try: {finding.try_next}", "    ")
    if findings and findings[0].try_next:
        lines += ["", *_labelled("Try next", findings[0].try_next)]
    return lines


def _strip(verdict: Verdict) -> list[str]:
    """A plot of two lines: how many clean blocks are at each speedup; where the median and the bars stand."""
    speedups = words.clean_speedups(verdict)
    if not speedups:
        return []
    marks = {"1": 1.0, **_marks(verdict)}
    bottom, top = min(*speedups, *marks.values()), max(*speedups, *marks.values(), 1.1)

    def column(value: float) -> int:
        return round((value - bottom) / (top - bottom) * (STRIP - 1))

    columns = [column(s) for s in speedups]
    counts = [columns.count(place) for place in range(STRIP)]
    dots = "".join(" " if not n else str(n) if n < 10 else "+" for n in counts)
    below = [" "] * STRIP
    for letter, value in marks.items():
        below[column(value)] = letter
    return [
        f"  speedup {bottom:5.2f} [{dots}] {top:.2f}",
        f"                [{''.join(below)}]",
        "  Digits: how many clean blocks. 1 = no gain, P = bar to pass, H = bar for half",
        "  of the points, M = median, R = reach.",
    ]


def _marks(verdict: Verdict) -> dict[str, float]:
    """The lines of the small plot by letter, the least important first: a later one covers it."""
    estimate = verdict.estimate
    if estimate is None:
        return {}
    bar = words.bar_to_pass(verdict.bars, estimate.reach)
    half = words.half_bar(verdict.bars, estimate.reach)
    wanted = {"R": words.finite(estimate.reach), "H": half, "P": bar, "M": words.finite(estimate.speedup)}
    return {letter: value for letter, value in wanted.items() if value is not None}
