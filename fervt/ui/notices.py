"""The notice on what predictions are not, shown beside every prediction."""

import streamlit as st

from fervt.labels import NOTICE

LEGAL = (
    "Not for use at work or in education: the EU bans inferring people's emotions there (AI Act, "
    "Art. 5(1)(f)). In other settings, the people in the picture must be told (Art. 50(3))."
)


def show_notice() -> None:
    """Draws the short notice that belongs under every prediction."""
    st.caption(f":material/info: **{NOTICE}** {LEGAL}")
