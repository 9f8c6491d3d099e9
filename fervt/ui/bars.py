"""Probabilities as bars in plain HTML: on the page at once, and read aloud as one sentence."""

import html
from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike

from fervt.amounts import percent
from fervt.labels import expression

# Hatched, so that nobody takes it for one more expression: Neutral is gray too.
_UNSURE_FILL = "repeating-linear-gradient(135deg, currentColor 0 2px, transparent 2px 6px)"
_STYLE = """<style>
.fervt-bars { display: grid; gap: 5px 8px;
  grid-template-columns: fit-content(6rem) minmax(0.5rem, 1fr) 2.4rem;
  align-items: center; font-size: .9rem; line-height: 1.2; }
.fervt-bars i { display: block; height: 12px; border-radius: 4px; min-width: 2px; }
.fervt-bars b { font-weight: 600; }
.fervt-bars > :is(b, span) { overflow: hidden; text-overflow: ellipsis; }
.fervt-bars span.value { text-align: right; font-variant-numeric: tabular-nums; }
</style>"""


def bars_html(probabilities: ArrayLike, classes: Sequence[str], shown: int | None = None) -> str:
    """One bar per class, in the vocabulary's order; with `shown`, only the largest, sorted.

    Args:
        probabilities: (C,), 0..1; NaN where a checkpoint has no such class.
        classes: C labels.
        shown: How many at most.
    """
    given = np.asarray(probabilities, dtype=float)
    shares, order = np.nan_to_num(given).tolist(), list(range(len(given)))
    said = ["–" if np.isnan(share) else percent(share) for share in given]
    leading = max(order, key=shares.__getitem__)
    if shown is not None:
        order = sorted(order, key=lambda i: -shares[i])[:shown]
    about = ", ".join(
        f"{expression(classes[i]).name} {said[i]}"
        for i in sorted(order, key=lambda i: -shares[i])
        if not np.isnan(given[i])
    )
    rows = []
    for i in order:
        one, tag = expression(classes[i]), "b" if i == leading else "span"
        rows.append(
            f"<{tag}>{one.name}</{tag}><i style='width:{100 * shares[i]:.1f}%;"
            f"background:{'none' if np.isnan(given[i]) else one.color};"
            f"opacity:{1 if i == leading else 0.6}'></i>"
            f"<span class='value'><{tag}>{html.escape(said[i])}</{tag}></span>"
        )
    return (
        f"{_STYLE}<div class='fervt-bars' role='img' aria-label='{html.escape(about)}'>"
        f"{''.join(rows)}</div>"
    )


def show_bars(probabilities: ArrayLike, classes: Sequence[str], shown: int | None = None) -> None:
    """Draws them; see `bars_html`."""
    st.html(bars_html(probabilities, classes, shown))


def counts_html(counts: Mapping[str, int], unsure: int) -> str:
    """One bar per class: how many faces have that answer. The most frequent fills the line.

    Args:
        counts: Sure answers by label, in the vocabulary's order.
        unsure: How many are called unsure.
    """
    named = [(expression(label).name, expression(label).color, n) for label, n in counts.items()]
    named.append(("Unsure", f"{_UNSURE_FILL};opacity:.7", unsure))
    most = max([1, *(n for _, _, n in named)])
    rows = [
        f"<span>{name}</span><i style='width:{100 * n / most:.1f}%;min-width:{min(n, 2)}px;"
        f"background:{fill}'></i>"
        f"<span class='value'>{n:,}</span>"
        for name, fill, n in named
    ]
    about = ", ".join(f"{name} {n:,}" for name, _, n in named)
    return (
        f"{_STYLE}<div class='fervt-bars' role='img' aria-label='Faces by answer: "
        f"{html.escape(about)}'>{''.join(rows)}</div>"
    )
