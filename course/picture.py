"""Pictures in notebooks, with a text alternative: Jupyter's own way of showing a figure carries none."""

from __future__ import annotations

import base64
import html
import io

import matplotlib.pyplot as plt
from IPython.display import HTML, display
from matplotlib.figure import Figure


def show(figure: Figure, says: str) -> None:
    """Show a figure once, under the cell; `says` tells those who can't see it what is to be seen."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    source = base64.b64encode(data.getvalue()).decode()
    display(HTML(f'<img alt="{html.escape(says)}" src="data:image/png;base64,{source}">'))
