"""Home: what this is, what is loaded, how the model works, and where to go."""

import streamlit as st

from fervt.resources import ASSETS
from fervt.ui.cards import draw_card_style, draw_page_card
from fervt.ui.navigation import existing_pages, link_parameters, link_to
from fervt.ui.notices import show_notice
from fervt.ui.page import open_page
from fervt.ui.status import show_status

ARCHITECTURE = ASSETS / "architecture.svg"
PARTS = """
1. **Grid-wise attention** cuts the face into 7 × 7 cells and weighs each against all the others.
2. **Fusion** puts those weights and the face together.
3. **The pyramid**, a ResNet-34, describes the result at three sizes: L1, L2 and L3.
4. **The graph** links each cell with its neighbors; two attention layers pass messages along
   these links and end in one GNN token.
5. **The transformer** lets these tokens and a class token look at each other. The expression is
   read from the class token.
"""

predictor = open_page(
    "fervt", "See which expression a neural network reads in a face, and what it looked at."
)
show_status(predictor)
link_to(
    "predict", "Try it with an example", link_parameters(image="astronaut", face=None, whole=None)
)

draw_card_style()
with st.grid(3, min_column_width=220):
    for page in existing_pages():
        if page.name != "home":
            draw_page_card(page)

st.subheader("How FERVT-GNN works", anchor=False)
picture, parts = st.columns([3, 2], gap="large", vertical_alignment="center")
picture.image(ARCHITECTURE.read_text(), width="stretch", alt="The parts of FERVT-GNN, in order")
parts.markdown(PARTS)
show_notice()
