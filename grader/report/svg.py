"""One plot as an inline SVG that is fit for a page it doesn't own.

Matplotlib draws it without pyplot and inside an `rc_context`, so the user's own settings neither change nor
matter. The SVG then has no style sheet (matplotlib's would apply to the whole page), no identifier that
another picture may have, no background, and text and axes in `currentColor` (a light or dark theme).
"""

from __future__ import annotations

import html
import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#010203"  # stands for the page's own text colour until the SVG is finished
SIZE = (4.5, 3.5)  # inches; 72 SVG units and 96 pixels each

_TAG = re.compile(r"<[^>]*>")  # what a learner wrote stands between tags, and stays as it is
# A closed path through the four corners of an upright rectangle, as matplotlib writes it.
_RECTANGLE = re.compile(r"M (\S+) (\S+) \s*L (\S+) \2 \s*L \3 (\S+) \s*L \1 \4 \s*(?:L \1 \2 \s*)?z\s*")

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "corewise",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so its search never warns
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,  # a learner's `$` is a dollar
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.0,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "hatch.linewidth": 0.8,
    "legend.handlelength": 3.0,
    "lines.markersize": 5.0,
}


@contextmanager
def _quiet_style() -> Iterator[None]:
    """Our settings for matplotlib, and nothing on stderr: nbgrader reads any text there as a failure."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import matplotlib

            with matplotlib.rc_context():
                matplotlib.rcdefaults()
                matplotlib.rcParams.update(STYLE)
                yield
    finally:
        log.setLevel(level)


def draw_svg(
    draw: Callable[[Axes], None],
    alternative: str,
    prefix: str,
    columns: int,
    size: tuple[float, float] = SIZE,
) -> str:
    """Draw one pair of axes with `draw`; `alternative` is what a screen reader says, `columns` those of the legend.

    `prefix` starts every identifier: give each picture on a page its own. `size` is width and height in inches. The
    same input gives the same text.
    """
    with _quiet_style():
        from matplotlib.figure import Figure

        canvas = Figure(figsize=size, layout="constrained")
        draw(canvas.add_subplot())
        canvas.legend(loc="outside lower left", ncols=columns)
        drawn = io.StringIO()
        canvas.savefig(drawn, format="svg", metadata={"Date": None})
    return _fit_for_any_page(drawn.getvalue(), alternative, prefix, size)


def _fit_for_any_page(svg: str, alternative: str, prefix: str, size: tuple[float, float]) -> str:
    """The `<svg>` element alone, made a picture with a text alternative that keeps to itself."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r">\s+<", "><", svg)
    used = {name for tag in _TAG.findall(svg) for name in re.findall(r"(?:url\(#|href=\"#)([^\")]+)", tag)}
    svg = _TAG.sub(lambda tag: _fit_tag(tag[0], used, prefix), svg)
    width, height = (round(inches * 96) for inches in size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{html.escape(alternative)}" viewBox="0 0 {size[0] * 72:g} {size[1] * 72:g}" '
        f'width="{width}" height="{height}" '
        'style="max-width:100%;height:auto;background:transparent;'
        "stroke-linejoin:round;stroke-linecap:butt;font-family:'DejaVu Sans',Verdana,Arial,sans-serif\">"
    )
    return head + svg[svg.index(">") + 1 :].strip()


def _fit_tag(tag: str, used: set[str], prefix: str) -> str:
    """Identifiers of its own where they are used, the page's colour, and no more digits than a screen can show."""
    tag = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", tag)
    tag = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}", tag)
    tag = tag.replace(INK, "currentColor").replace("font-family: 'DejaVu Sans'; ", "")
    return _RECTANGLE.sub(r"M\1 \2H\3V\4H\1z", re.sub(r"(\.\d\d)\d+", r"\1", tag))
