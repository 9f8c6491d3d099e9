"""One file for the meeting: the report as a download."""

import streamlit as st

from fervt.report import build_report
from fervt.ui.evaluation import View, say


def show_report(view: View) -> None:
    """Draws the download button; the file is made when it is pressed."""
    say(
        "One file for the meeting",
        "Everything on this page in one self-contained HTML file: it opens without a network and "
        "prints to PDF. `python -m fervt report` writes the same.",
    )

    def content() -> str:
        examples = view.faces.data if view.faces is not None and with_faces else None
        return build_report(view.evaluation, info=view.info, data=examples)

    with_faces = st.toggle(
        "With example faces",
        disabled=view.faces is None,
        help="Needs a prepared data file (sidebar). FER2013's faces may be shown for research; "
        "share such a report accordingly.",
    )
    st.download_button(
        "Report (.html)",
        content,
        f"{view.evaluation.name}-{view.evaluation.split}.html",
        "text/html",
        type="primary",
        icon=":material/download:",
    )
