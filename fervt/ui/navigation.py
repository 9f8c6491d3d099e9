"""The pages and the links between them, which keep the visitor's choices.

Streamlit's own navigation drops the address's parameters, so it is hidden and the links are drawn
here with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.navigation.page import Page
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fervt.resources import ROOT
from fervt.ui.address import read
from fervt.ui.script import run_script

_ICON = ROOT / "assets" / "icon.svg"  # a Material icon here, or a page's, is fetched from Google

# The answer belongs on the first screen, so Streamlit's empty header is hidden; and its pale gray
# for captions, code and sliders falls short of WCAG's 4.5:1.
_STYLE = (Path(__file__).parent / "scripts" / "style.css").read_text(encoding="utf-8")
_STYLE = f"<style>{_STYLE}</style>"

_ENTERED = "entered"  # by the entry script, in this very run
_LEAVING = "leaving_for"  # the page that a callback wants, and its parameters
_PAGE = "page"  # of the session's last run

# What is carried from page to page; a page's own parameters are not.
SHARED = ("checkpoint", "image", "face", "whole", "split", "truth", "tta", "copies", "with")


@dataclass(frozen=True)
class PageEntry:
    """One line of the navigation."""

    name: str
    title: str
    icon: str
    summary: str

    @property
    def path(self) -> str:
        """The page's file, relative to the entry script."""
        return f"pages/{self.name}.py"


PAGES = (
    PageEntry("home", "Home", ":material/home:", "What this is, and what is loaded."),
    PageEntry(
        "predict",
        "Predict",
        ":material/mood:",
        "The apparent expression of each face in a photo, beside what the model saw.",
    ),
    PageEntry(
        "explain",
        "Explain",
        ":material/visibility:",
        "Which parts of a face the model's attention, graph and features rely on.",
    ),
    PageEntry(
        "live",
        "Live",
        ":material/videocam:",
        "Expressions on your webcam or in a video, frame by frame.",
    ),
    PageEntry(
        "evaluation",
        "Evaluation",
        ":material/analytics:",
        "How often a checkpoint is right on the test split, for which classes, and how sure it is.",
    ),
    PageEntry(
        "compare",
        "Compare",
        ":material/balance:",
        "Two to four checkpoints side by side, in figures and on one face.",
    ),
    PageEntry(
        "model_card",
        "Model card",
        ":material/description:",
        "Data, training, limits and intended use of a checkpoint.",
    ),
    PageEntry(
        "glossary",
        "Glossary",
        ":material/menu_book:",
        "The terms on these pages, each with a picture.",
    ),
)


def existing_pages() -> list[PageEntry]:
    """The pages whose file exists, in their order."""
    return [page for page in PAGES if (ROOT / page.path).is_file()]


def link_parameters(**changes: str | None) -> dict[str, str]:
    """The shared parameters of the current view, for a link that keeps it.

    Args:
        **changes: Parameters to set or, with None, to leave out.

    Returns:
        Parameters by name.
    """
    known = {name: read(name) for name in SHARED} | changes
    return {name: value for name, value in known.items() if value is not None}


def link_to(
    name: str, label: str | None = None, parameters: Mapping[str, str] | None = None
) -> None:
    """Draws a link to a page that keeps the view; nothing if the page does not exist.

    Args:
        name: As in `PAGES`.
        label: The link's text; the page's title by default.
        parameters: The address's parameters; `link_parameters()` by default.
    """
    for page in existing_pages():
        if page.name == name:
            kept = link_parameters() if parameters is None else parameters
            st.page_link(
                page.path, label=label or page.title, icon=page.icon, query_params=dict(kept)
            )


def go_to(name: str, parameters: Mapping[str, str]) -> NoReturn:
    """Opens another page.

    Args:
        name: As in `PAGES`.
        parameters: The address's parameters.
    """
    page = next(page for page in existing_pages() if page.name == name)
    _end_refreshing()
    st.switch_page(page.path, query_params=dict(parameters))


def leave_for(name: str, parameters: Mapping[str, str]) -> None:
    """Opens another page instead of redrawing this one; for use in callbacks.

    Args:
        name: As in `PAGES`.
        parameters: The address's parameters.
    """
    st.session_state[_LEAVING] = name, dict(parameters)


def is_leaving() -> bool:
    """Whether a callback wants another page; a fragment must then rerun the whole page."""
    return _LEAVING in st.session_state


def go_where_wanted() -> None:
    """Opens the page that a callback wants."""
    if wanted := st.session_state.pop(_LEAVING, None):
        go_to(*wanted)


def _end_refreshing() -> None:
    """Ends what the previous page redraws by itself.

    A busy browser keeps asking for it while the new page is made. Streamlit takes that
    for a request for the old page, and leaves the new one empty and its address cut.
    """
    # Not a documented part of Streamlit: if it is missing, nothing is ended.
    storage = getattr(get_script_run_ctx(), "fragment_storage", None)
    if storage is not None:
        storage.clear()


def enter() -> Page:
    """Registers the pages and draws the links to them in the sidebar; returns the page to run."""
    entries = existing_pages()
    page = st.navigation(
        [st.Page(e.path, title=e.title, default=e.name == "home", help=e.summary) for e in entries],
        position="hidden",
    )
    if st.session_state.setdefault(_PAGE, page.title) != page.title:
        _end_refreshing()
    st.session_state[_PAGE] = page.title
    st.set_page_config(f"{page.title} · fervt", page_icon=str(_ICON), layout="wide")
    with st.sidebar, st.container(gap="xxsmall"):
        for entry in entries:
            st.page_link(
                entry.path,
                label=entry.title,
                icon=entry.icon,
                query_params=link_parameters(),
                width="stretch",
            )
        run_script("close_sidebar_on_phones")
    st.html(_STYLE)
    st.session_state[_ENTERED] = True
    return page


def require_entry() -> None:
    """Reroutes a page that the server started without the entry script through it.

    The first visitor after a start may come by a deep link. Streamlit then takes `pages/` for its
    old kind of app, and runs the page alone, until `st.navigation` has been called once.
    """
    if not st.session_state.pop(_ENTERED, False):
        enter()
        st.rerun()
