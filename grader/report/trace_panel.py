"""A `Diagnosis` in a notebook: the bill in one line, the largest loss, the timeline and the bill as pictures."""

from __future__ import annotations

import secrets

from grader.report import gantt, waterfall
from grader.report.markup import LINE, figure, folded, inline, labelled, next_step, section
from grader.report.trace_text import what_if_in_words
from grader.report.trace_words import PARTS, alike_in_words, bill_in_words, in_seconds, percent, share_of
from grader.tracing.diagnosis import Diagnosis

_ACCENT = "#1f6fd0"
_SEEN = (
    "Each lane is one process, and time goes from left to right: a full bar is work on a core, a thin line is waiting. "
    "Below, what made the speedup smaller than the number of workers, and where the seconds went."
)


def panel(told: Diagnosis) -> str:
    """The whole of it."""
    first = told.losses[0].try_next if told.losses else ""
    parts = [
        f'<p style="{LINE}"><strong>{inline(bill_in_words(told.bill))}</strong></p>',
        f'<p style="{LINE}">{inline(alike_in_words(told.alike))}</p>' if told.alike else "",
        pictures(told),
        *(_loss(told, number) for number in range(len(told.losses))),
        "" if told.losses else labelled("Found", "No single loss is worth a word."),
        next_step(first, _ACCENT),
        table(told),
    ]
    return section("Where the time went", _ACCENT, parts)


def _loss(told: Diagnosis, number: int) -> str:
    loss = told.losses[number]
    then = f" Then try: {loss.try_next}" if number else ""
    said = f"{loss.what} {percent(loss.share)} of the loss, {in_seconds(loss.seconds)}. {loss.evidence}{then}"
    return labelled(loss.cause, said)


def pictures(told: Diagnosis) -> str:
    """The timeline, and under it the bill; words alone where they can't be drawn."""
    try:
        prefix = f"cw{secrets.token_hex(4)}"
        lanes = gantt.picture(told.timeline, f"{prefix}l")
        bill = waterfall.pictures(told.bill, f"{prefix}b")
    except Exception:  # the words and the table stay
        return f'<p style="{LINE}">The pictures could not be drawn; the table below has their numbers.</p>'
    return figure([lanes], _SEEN, 880) + figure(bill, "Each bar begins where the one before it ends.")


def table(told: Diagnosis) -> str:
    """The bill's numbers, folded away."""
    rows = [
        (inline(PARTS[name][0]), f"{seconds:.3f}", share_of(seconds, told.bill.wall))
        for name, seconds in told.bill.seconds.items()
    ]
    names = ("part", "seconds", "share of the run")
    numbers = folded("Numbers of the bill", "What each second went into", names, rows)
    otherwise = [(inline(one.name), inline(what_if_in_words(one))) for one in told.what_if]
    caption = "Computed from this trace, not measured"
    return numbers + folded("What if", caption, ("without this loss", "it would take"), otherwise)
