"""Offering files for download: made on request, never kept on the server beforehand."""

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

    A file given to Streamlit up front is served under an address that dies with
    the next run; a browser that is still drawing the last run then complains.

    Args:
        label: Its text.
        make: Makes the content; called in another thread when the button is pressed.
        name: The file's, with its extension.
        mime: Its MIME type.
        main: Whether it is the main action here.
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
