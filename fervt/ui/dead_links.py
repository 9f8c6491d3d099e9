"""What an address names that isn't here: said once, at the top of the page, never passed over.

The page then shows its default. The address may come from anybody, so its words stay text.
"""

import streamlit as st

from fervt.ui.text import as_text

_PLACE = "dead_links_place"
_SAID = "dead_links_said"
_MOST_LETTERS = 80

NOUNS = {
    "against": "contrast",
    "bars": "choice of bars",
    "block": "block",
    "broken_page": "page",
    "by": "grouping",
    "cell": "cell",
    "change": "change",
    "checkpoint": "checkpoint",
    "color": "coloring",
    "copies": "choice of duplicates",
    "cost": "cost",
    "curve": "kind of curve",
    "data": "kind of data",
    "depths": "choice of details",
    "dim": "darkness",
    "drag": "tool",
    "edges": "choice of edges",
    "evidence": "evidence",
    "evidence_job": "result",
    "expression": "expression",
    "face": "face",
    "five_crop_job": "result",
    "fixed_page": "page",
    "head": "head",
    "image": "image",
    "job": "result",
    "label": "label",
    "layer": "layer",
    "layout": "layout",
    "maps": "choice of maps",
    "matrix": "kind of numbers",
    "mirror": "choice of mirroring",
    "nodes": "kind of nodes",
    "opacity": "opacity",
    "order": "order",
    "other": "checkpoint",
    "overlay": "overlay",
    "page": "page",
    "parts_job": "result",
    "people_page": "page",
    "people_side": "side",
    "predicted": "prediction",
    "redraw_job": "result",
    "robustness_job": "result",
    "row": "row",
    "slice": "slice",
    "slice_by": "measure",
    "slide": "slide",
    "smoothing": "smoothing",
    "sort": "order",
    "source": "source",
    "split": "split",
    "stage": "stage",
    "stretch": "choice of colors",
    "target": "expression",
    "term": "term",
    "token_head": "attention head",
    "truth": "label set",
    "tta": "averaging",
    "view": "section",
    "way": "way",
    "whole": "choice of the whole image",
    "with": "checkpoint",
}
"""Every parameter of an address, and what its value is called."""


def make_place() -> None:
    """Keeps the place for what is said here; once per run of a page, before anything is read."""
    st.session_state[_PLACE] = st.container()
    st.session_state[_SAID] = set()


def say_unknown(name: str, value: str, shown: str) -> None:
    """Says that a value of the address isn't here, and what the page shows instead.

    Args:
        name: The parameter.
        value: Its value.
        shown: What is shown, in words.
    """
    quoted = "".join(letter for letter in value if letter.isprintable())
    if len(quoted) > _MOST_LETTERS:
        quoted = quoted[:_MOST_LETTERS] + "…"
    say_dead(
        name, f"The link names the {NOUNS[name]} '{quoted}', which isn't here; showing {shown}."
    )


def say_dead(name: str, sentence: str) -> None:
    """Says something else about a parameter; only the first sentence about each is drawn."""
    said: set[str] = st.session_state.setdefault(_SAID, set())
    if name not in said:
        said.add(name)
        place = st.session_state.get(_PLACE, st)
        place.warning(as_text(sentence), icon=":material/link_off:")
