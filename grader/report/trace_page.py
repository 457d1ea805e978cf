"""A traced run as one HTML page that stands alone: the bill, the findings, the pictures, the numbers.

Nothing is loaded from anywhere and nothing runs: a policy in the page itself forbids both. It follows the reader's
light or dark theme.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Protocol

from grader.report import gantt, waterfall, words
from grader.report.trace_words import (
    PARTS,
    alike_in_words,
    bill_in_words,
    in_seconds,
    one_line,
    part,
    percent,
    share_of,
    tasks_of,
)
from grader.tracing.bill import Bill
from grader.tracing.timeline import Lane, Timeline


class Reason(Protocol):
    """Why a run lost time: a documented cause and what it means, its share of the whole loss (0 to 1), its seconds,
    the evidence, and what to change.
    """

    @property
    def cause(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def share(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def evidence(self) -> str: ...
    @property
    def try_next(self) -> str: ...


STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1f1f1f; --line: #767676; --accent: #b8500f; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #111111; --text: #e6e6e6; --line: #8a8a8a; --accent: #e08a4a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.25rem 3rem; max-width: 58rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1rem 0 0.2rem; }
p { margin: 0.4rem 0; }
.bill { font-size: 1.1rem; }
.quoted { white-space: pre-wrap; }
.next { border-left: 4px solid var(--accent); padding-left: 0.8rem; }
ol { padding-left: 1.5rem; }
code { font-size: 0.95em; }
figure { margin: 1rem 0; }
.wide, .pair > * { overflow-x: auto; }
.wide svg { min-width: 40rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1rem; }
.pair > * { flex: 1 1 22rem; min-width: 0; max-width: 27rem; }
figcaption { margin-top: 0.3rem; }
details { margin: 0.6rem 0; }
summary { cursor: pointer; font-weight: bold; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; font-variant-numeric: tabular-nums; }
table { overflow-wrap: normal; }
caption { text-align: left; margin-bottom: 0.3rem; }
th, td { padding: 0.2rem 0.8rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: top; }
td { white-space: nowrap; }
th:first-child, .text { text-align: left; white-space: normal; }
footer { margin-top: 2rem; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MARKS = ("cwl", "cwb", "cwc")  # what identifiers begin with; the curve of a caller has its own

_SEE_LANES = (
    "Each lane is one process, and time goes from left to right. A full bar is work on a core, a hatched one without "
    "filling is work that had none; a thin line is waiting, and where there is nothing there was no process. "
    "Each point shows what took most of its time; the percentage is the share of the run at work on a core."
)
_SEE_BILL = (
    "Left: each factor goes on from where the one before left it. Right: the parts of the run's time, the largest "
    "first; they end where the measured time is."
)
_SEE_CURVE = (
    "Points were measured. The dashed part of the curve is predicted, and the band says how surely. This curve takes "
    "what the cores here share for the program's own serial part; what is said below doesn't."
)
_SCROLLS = 'tabindex="0" role="group" aria-label="{}"'  # the keyboard must reach what scrolls
_FACES = ("worker", "from (s)", "to (s)", "start-up (s)", "work (s)", "waiting (s)", "pickling (s)", "tasks")


def page(
    title: str,
    timeline: Timeline,
    bill: Bill,
    reasons: Sequence[Reason],
    curve: str = "",
    ahead: str = "",
    otherwise: Sequence[tuple[str, str]] = (),
    alike: Sequence[float] = (),
) -> str:
    """The whole page. `curve` is one more picture, an SVG of `grader.report.curve`, where there is one; `ahead` says in
    lines what was measured and predicted with other numbers of workers, `otherwise` what the run would have taken
    without its losses, `alike` the seconds of all runs of which this is the typical one.
    """
    name = _text(one_line(title, 200))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{name}: where the time went</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Where the time went: {name}</h1>
<p class="bill">{_text(f"{bill_in_words(bill)} {alike_in_words(alike)}".strip())}</p>
</header>
<main>
{_reasons(reasons)}
{_pictures(timeline, bill, curve)}
{_otherwise(otherwise)}
{_ahead(ahead)}
{_numbers(timeline, bill)}
</main>
<footer>
<p>{_text(_made(timeline))}</p>
</footer>
</body>
</html>
"""


def _text(said: object) -> str:
    """Escaped; what stands between backticks is code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(words.clean(said)))


def _section(name: str, heading: str, inside: str) -> str:
    return f'<section aria-labelledby="{name}">\n<h2 id="{name}">{heading}</h2>\n{inside}\n</section>'


def _reasons(reasons: Sequence[Reason]) -> str:
    if not reasons:
        return _section(
            "findings", "Findings", "<p>Nothing stands out: no loss is large enough to act on.</p>"
        )
    items = "\n".join(f"<li>{_reason(reason)}</li>" for reason in reasons)
    return _section("findings", "Findings, the largest loss first", f"<ol>\n{items}\n</ol>")


def _reason(reason: Reason) -> str:
    cause = _text(one_line(reason.cause.replace("-", " "), 80))
    head = (
        f"{cause[:1].upper()}{cause[1:]}: {percent(reason.share)} of the loss, {in_seconds(reason.seconds)}"
    )
    then = (
        f'<p class="quoted next"><strong>Try:</strong> {_text(reason.try_next)}</p>'
        if reason.try_next
        else ""
    )
    said = "".join(f'<p class="quoted">{_text(text)}</p>' for text in (reason.what, reason.evidence) if text)
    return f"<h3>{head}</h3>{said}{then}"


def _pictures(timeline: Timeline, bill: Bill, curve: str) -> str:
    lanes = gantt.picture(timeline, MARKS[0])
    factors, seconds = waterfall.pictures(bill, MARKS[1])
    figures = [
        _figure(f'<div class="wide" {_SCROLLS.format("Timeline")}>{lanes}</div>', _SEE_LANES),
        _figure(
            f'<div class="pair"><div>{factors}</div><div>{seconds}</div></div>',
            _SEE_BILL,
        ),
    ]
    if curve:
        figures.append(_figure(f'<div class="pair"><div>{curve}</div></div>', _SEE_CURVE))
    return _section("pictures", "Pictures", "\n".join(figures))


def _otherwise(rows: Sequence[tuple[str, str]]) -> str:
    if not rows:
        return ""
    items = "\n".join(f"<li>{_text(name)}: {_text(said)}</li>" for name, said in rows)
    said = "<p>Computed from this trace, not measured:</p>"
    return _section("what-if", "What if", f"{said}\n<ul>\n{items}\n</ul>")


def _ahead(lines: str) -> str:
    return _section("ahead", "More cores", f'<p class="quoted">{_text(lines)}</p>') if lines else ""


def _figure(inside: str, seen: str) -> str:
    return f"<figure>{inside}<figcaption>{_text(seen)}</figcaption></figure>"


def _numbers(timeline: Timeline, bill: Bill) -> str:
    parts = [
        (
            _text(part(name)),
            f"{value:.3f}",
            share_of(value, bill.wall),
            PARTS[name][1] if name in PARTS else "",
        )
        for name, value in bill.seconds.items()
    ]
    rows = [*parts, ("all of it", f"{bill.wall:.3f}", share_of(bill.wall, bill.wall), "measured")]
    bills = _folded(
        "The bill in seconds",
        "What each second went into",
        ("part", "seconds", "share", "what it is"),
        rows,
        1,
    )
    lanes = [_lane(lane) for lane in (timeline.parent, *timeline.workers)]
    number = words.count(len(timeline.workers), "worker")
    workers = _folded(f"The program and {number}", "What each process did", _FACES, lanes, 0)
    return _section("numbers", "Numbers", f"{bills}\n{workers}")


def _lane(lane: Lane) -> tuple[str, ...]:
    figures = (
        lane.start,
        lane.end,
        lane.seconds("start"),
        lane.useful,
        lane.seconds("wait", "lock"),
        lane.seconds("pickle", "unpickle"),
    )
    return (_text(one_line(lane.name)), *(f"{figure:.3f}" for figure in figures), str(tasks_of(lane)))


def _folded(
    summary: str, caption: str, names: Sequence[str], rows: Sequence[Sequence[str]], wordy: int
) -> str:
    """A table to unfold; the first value of each row is its heading, and the last `wordy` columns are words."""

    def kind(place: int) -> str:
        return ' class="text"' if place >= len(names) - wordy else ""

    head = "".join(f'<th scope="col"{kind(n)}>{name}</th>' for n, name in enumerate(names))
    body = "\n".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{kind(n)}>{value}</td>" for n, value in enumerate(rest, 1))
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f'<details><summary>{summary}</summary><div class="scroll" {_SCROLLS.format(summary)}>'
        f"<table><caption>{caption}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div></details>"
    )


def _made(timeline: Timeline) -> str:
    method = f", start method {timeline.start_method}" if timeline.start_method else ""
    return (
        f"Traced on {timeline.cores:g} usable {'core' if timeline.cores == 1 else 'cores'}{method}. "
        "Tracing costs a little time itself; a graded measurement is never traced."
    )
