"""What a notebook shows for a `Verdict` or a hint: HTML for people, a plain number for nbgrader.

nbgrader reads the points of a cell as `float(repr(result))`; the learner sees `_repr_html_`. The panel must
read well in JupyterLab's light and dark theme and on pages without JupyterLab's style sheets. So text keeps
the page's own colour, accents contrast with both grounds, and every style is inline.
"""

from __future__ import annotations

import html
import secrets
from dataclasses import dataclass

from grader.model import Block, Verdict
from grader.report import memory, text, trace_panel, words
from grader.report.markup import LINE, PRE, figure, folded, inline, labelled, next_step, section
from grader.report.plot import pictures
from grader.report.trace_words import alike_in_words

# White text upon each contrasts at least 4.5:1; each contrasts at least 3:1 with white and with #111111.
ACCENTS = {"met": "#1b7f3b", "not yet": "#b8500f", "cannot tell": "#7a5fb0"}
HINT_ACCENT = "#1f6fd0"

BADGE = "background:{accent};color:#ffffff;padding:0.15em 0.6em;border-radius:4px;font-weight:bold"


@dataclass(frozen=True, repr=False)
class Panel:
    """A verdict in a notebook. Neither form ever raises."""

    verdict: Verdict

    def __repr__(self) -> str:
        """The points alone, as nbgrader reads them: finite, not negative, at most the check's own."""
        try:
            return repr(words.points_of(self.verdict))
        except Exception:  # whatever is wrong in a verdict, nbgrader must find a number
            return "0.0"

    def _repr_html_(self) -> str:
        try:
            return _panel(self.verdict)
        except Exception:  # a picture or a word that fails must not cost the learner the verdict
            return f'<pre style="{PRE}">{_fallback(self.verdict)}</pre>'


@dataclass(frozen=True, repr=False)
class HintPanel:
    """Step `step` of `steps` of the hints for a check."""

    title: str
    step: int
    steps: int
    hint: str

    def __repr__(self) -> str:
        return f"{words.clean(self.title)}, step {self.step} of {self.steps}: {words.clean(self.hint)}"

    def _repr_html_(self) -> str:
        head = f"{inline(self.title)}, step {self.step} of {self.steps}"
        parts = [
            f'<p style="{LINE}"><strong>{head}</strong></p>',
            f'<p style="{LINE};{PRE}">{inline(self.hint)}</p>',
        ]
        return section(f"Hint, step {self.step} of {self.steps}", HINT_ACCENT, parts)


def _fallback(verdict: Verdict) -> str:
    try:
        return html.escape(text.render(verdict))
    except Exception:  # as above
        return "The verdict is in the points; its report could not be drawn."


def _panel(verdict: Verdict) -> str:
    accent = ACCENTS[verdict.outcome]
    said = (
        f"{words.clean(verdict.check)}: {words.outcome_in_words(verdict)}, {words.points_in_words(verdict)}"
    )
    return section(
        f"Check {said}",
        accent,
        [
            _heading(verdict, accent),
            *(f'<p style="{LINE}">{inline(note)}</p>' for note in words.notes(verdict)),
            labelled("Asked", verdict.asked),
            labelled("Found", verdict.reason),
            _measured(verdict),
            _figure(verdict),
            *_why(verdict),
            _evidence(verdict),
            next_step(verdict.findings[0].try_next if verdict.findings else "", accent),
            labelled("For the marker", verdict.for_marker),
            labelled("Log of the grader", str(verdict.log) if verdict.log else ""),
            _table(verdict),
        ],
    )


def _heading(verdict: Verdict, accent: str) -> str:
    """No real heading: a level of ours would break the notebook's own order."""
    symbol = f'<span aria-hidden="true">{words.SYMBOLS[verdict.outcome]}</span>'
    badge = f'<span style="{BADGE.format(accent=accent)}">{symbol} {words.outcome_in_words(verdict)}</span>'
    return (
        f'<p style="margin:0.3em 0;font-size:1.15em">{badge} '
        f"<strong>{inline(verdict.check)}: {words.points_in_words(verdict)}</strong></p>"
    )


def _measured(verdict: Verdict) -> str:
    if verdict.memory is not None:
        return labelled("Measured", memory.in_words(verdict.memory))
    if verdict.estimate is None:
        return ""
    return labelled("Measured", " ".join(words.measured_in_words(verdict.estimate, verdict.facts)))


def _figure(verdict: Verdict) -> str:
    """Both pictures, side by side where there is room; nothing where there is nothing to draw."""
    try:
        prefix = f"cw{secrets.token_hex(4)}"
        drawn = pictures(verdict, prefix) or memory.pictures(verdict.memory, prefix)
    except Exception:  # the words and the table stay
        return f'<p style="{LINE}">The plot could not be drawn; the table below has its numbers.</p>'
    if not drawn:
        return ""
    seen = memory.picture_in_words(verdict.memory) if verdict.memory else words.picture_in_words(verdict)
    return figure(drawn, seen)


def _why(verdict: Verdict) -> list[str]:
    """Where the time went, where that was traced."""
    if verdict.diagnosis is None:
        return []
    return [
        f'<p style="{LINE}"><strong>Where the time went</strong>, in a run of its own that was traced. '
        f"{inline(alike_in_words(verdict.diagnosis.alike))}</p>",
        trace_panel.pictures(verdict.diagnosis),
        trace_panel.table(verdict.diagnosis),
    ]


def _evidence(verdict: Verdict) -> str:
    """Every finding, without what the reason has said already."""
    items = []
    for number, finding in enumerate(verdict.findings):
        what = "" if finding.what == verdict.reason else f"<strong>{inline(finding.what)}</strong>"
        evidence = f'<div style="{PRE}">{inline(finding.evidence)}</div>' if finding.evidence else ""
        then = f"<div>Then try: {inline(finding.try_next)}</div>" if number and finding.try_next else ""
        if what or evidence or then:
            items.append(f"<li>{what}{evidence}{then}</li>")
    if not items:
        return ""
    return f'<p style="{LINE}"><strong>Evidence:</strong></p><ul style="{LINE}">{"".join(items)}</ul>'


def _table(verdict: Verdict) -> str:
    """The numbers that the pictures show, folded away, for who can't see them."""
    if verdict.memory is not None:
        summary, caption = "Numbers of the weighings", "The peak with each number of workers"
        return folded(summary, caption, memory.NAMES, memory.rows(verdict.memory))
    if not verdict.blocks:
        return ""
    names = ("block", "serial (s)", "parallel (s)", "speedup", "reach", "clock", "others (CPUs)", "counted")
    blocks = enumerate(verdict.blocks, 1)
    rows = [(str(n), *_values(block, words.is_void(block, verdict.bars))) for n, block in blocks]
    summary = f"Numbers of each block ({len(verdict.blocks)})"
    return folded(summary, "Each block, in the order measured", names, rows)


def _values(block: Block, void: bool) -> tuple[str, ...]:
    return (
        words.figure(block.t_serial, 3),
        words.figure(block.t_parallel, 3),
        words.figure(words.speedup_of(block)),
        words.figure(words.reach_of(block)),
        block.clock,
        words.figure(block.others, 1) if block.clock == "free" else "not known",
        "no: void" if void else "yes",
    )
