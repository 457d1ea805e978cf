"""Pieces of HTML for a notebook's output, which is a page that we don't own: every style is inline.

Text keeps the page's own colour, and accents contrast with a light and with a dark ground.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from grader.report import words

NO_MATHS = "mathjax_ignore tex2jax_ignore"
FRAME = (
    "border:1px solid;border-left:6px solid;border-color:{accent};border-radius:4px;"
    "padding:0.5em 1em;margin:0.5em 0;line-height:1.45;max-width:64em;overflow-wrap:anywhere"
)
NEXT = "border-left:4px solid {accent};padding:0.2em 0 0.2em 0.8em;margin:0.8em 0"
LINE = "margin:0.5em 0"
CELL = "padding:0.2em 0.8em;text-align:right"
PRE = "white-space:pre-wrap"


def inline(learner_text: object) -> str:
    """Escaped text; what stands between backticks is code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(words.clean(learner_text)))


def section(label: str, accent: str, parts: Sequence[str]) -> str:
    """A landmark with a name. MathJax 4 (JupyterLab) and 2 (nbconvert) skip a class each: no dollar is a formula."""
    frame = FRAME.format(accent=accent)
    inside = "\n".join(part for part in parts if part)
    name = html.escape(label)
    return f'<section class="{NO_MATHS}" aria-label="{name}" style="{frame}">\n{inside}\n</section>'


def labelled(label: str, said: str) -> str:
    return f'<p style="{LINE};{PRE}"><strong>{label}:</strong> {inline(said)}</p>' if said else ""


def next_step(said: str, accent: str) -> str:
    """An advice, in a frame of its own."""
    if not said:
        return ""
    return f'<p style="{NEXT.format(accent=accent)};{PRE}"><strong>Try next:</strong> {inline(said)}</p>'


def figure(drawn: Sequence[str], seen: str, width: int = 432) -> str:
    """SVGs side by side where there is room, each at most `width` pixels wide, with what to see in them."""
    # JupyterLab drops <svg> from a notebook that it doesn't trust, but keeps the words in it: at size 0 they're gone.
    column = f"flex:1 1 {min(width, 360)}px;max-width:{width}px;min-width:0;font-size:0"
    columns = "".join(f'<div style="{column}">{svg}</div>' for svg in drawn)
    return (
        f'<figure style="margin:0.8em 0"><div style="display:flex;flex-wrap:wrap;gap:1em">{columns}</div>'
        f'<figcaption style="margin-top:0.4em"><strong>What to see:</strong> {inline(seen)}</figcaption></figure>'
    )


def folded(summary: str, caption: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table to unfold; the first value of each row is its heading."""
    head = "".join(f'<th scope="col" style="{CELL}">{name}</th>' for name in names)
    body = ""
    for first, *values in rows:
        cells = "".join(f'<td style="{CELL}">{value}</td>' for value in values)
        body += f'<tr><th scope="row" style="{CELL}">{first}</th>{cells}</tr>'
    return (
        f'<details><summary style="display:list-item;cursor:pointer">{summary}</summary>'
        '<div style="overflow-x:auto"><table style="margin:0.5em 0;font-variant-numeric:tabular-nums">'
        f'<caption style="text-align:left;color:inherit">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )
