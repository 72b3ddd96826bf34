"""Matplotlib figures as SVG inside an HTML page.

Text stays text, in the page's own font; ids are stable and unique within the page. Nothing here uses pyplot.
"""

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

INK = "#1b1f24"
QUIET = "#68707a"
RULE = "#d9dde2"

_STYLE: Any = {  # Any, since matplotlib's types list every key
    "svg.fonttype": "none",
    "text.parse_math": False,  # a file may be called $x$
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
}

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


@contextmanager
def plot_style() -> Iterator[None]:
    """Use this module's style, without warnings about letters that matplotlib's own font lacks.

    The reader's browser shows the text in fonts that have these letters.
    """
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def short_name(name: str, longest: int) -> str:
    """A file's name in printable letters; a long one loses its middle and keeps its last 8 letters."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return text if len(text) <= longest else f"{text[: longest - 9]}…{text[-8:]}"


def svg_of(figure: Figure, name: str, title: str) -> str:
    """Serialise a figure for a page.

    Args:
        figure: A figure that is made and serialised within `plot_style`.
        name: Letters, digits and hyphens; prefix of all ids, so unique within the page.
        title: What the plot shows, for screen readers.

    Returns:
        An ``<svg>`` element without a ``<style>`` element, whose rules would apply to the whole page.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA, transparent=True)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    text = re.sub(r'(<[a-zA-Z]+ )id="', rf'\1id="{name}-', text)
    text = re.sub(r'(url\(|xlink:href=")#', rf"\1#{name}-", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
