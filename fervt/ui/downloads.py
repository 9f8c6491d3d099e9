"""Offering files: made when somebody asks for one, and never kept by the server before."""

from collections.abc import Callable

import streamlit as st


def offer_file(
    label: str,
    make: Callable[[], str | bytes],
    name: str,
    mime: str,
    *,
    main: bool = False,
    icon: str | None = ":material/download:",
    help: str | None = None,
) -> None:
    """Draws a download button; the page stays as it is when it is pressed.

    A file that is given to Streamlit at once lies on the server under an address that dies with
    the next run, which a browser that is still drawing the last run then complains about.

    Args:
        label: Its words.
        make: Makes the content; called in another thread when the button is pressed.
        name: Of the file, with its ending.
        mime: Its type.
        main: Whether it is the main thing to do here.
        icon: Beside the label.
        help: Shown on hover.
    """
    st.download_button(
        label,
        make,
        name,
        mime,
        type="primary" if main else "secondary",
        icon=icon,
        on_click="ignore",
        help=help,
    )
