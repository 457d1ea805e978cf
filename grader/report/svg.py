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
SIZE = (4.5, 3.5)  # inches; 72 SVG units each

STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "corewise",
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so its search never warns
    "font.size": 9.0,
    "text.color": INK,
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


def draw_svg(draw: Callable[[Axes], None], alternative: str, prefix: str, columns: int) -> str:
    """Draw one pair of axes with `draw`; `alternative` is what a screen reader says, `columns` those of the legend.

    `prefix` starts every identifier: give each picture on a page its own. The same input gives the same text.
    """
    with _quiet_style():
        from matplotlib.figure import Figure

        canvas = Figure(figsize=SIZE, layout="constrained")
        draw(canvas.add_subplot())
        canvas.legend(loc="outside lower left", ncols=columns)
        drawn = io.StringIO()
        canvas.savefig(drawn, format="svg", metadata={"Date": None})
    return _fit_for_any_page(drawn.getvalue(), alternative, prefix)


def _fit_for_any_page(svg: str, alternative: str, prefix: str) -> str:
    """The `<svg>` element alone, made a picture with a text alternative that keeps to itself."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{prefix}{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{prefix}", svg)
    svg = svg.replace(INK, "currentColor").replace("font-family: 'DejaVu Sans'; ", "")
    svg = re.sub(r"(\.\d\d)\d+", r"\1", re.sub(r">\s+<", "><", svg))
    width, height = (round(inches * 96) for inches in SIZE)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-label="{html.escape(alternative)}" viewBox="0 0 {SIZE[0] * 72:g} {SIZE[1] * 72:g}" '
        f'width="{width}" height="{height}" '
        'style="max-width:100%;height:auto;background:transparent;'
        "stroke-linejoin:round;stroke-linecap:butt;font-family:'DejaVu Sans',Verdana,Arial,sans-serif\">"
    )
    return head + svg[svg.index(">") + 1 :].strip()
