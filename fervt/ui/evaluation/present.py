"""The presenter view: one message and chart per screen, arrow keys, and speaker notes."""

import streamlit as st

from fervt.figures.deck import bars_figure, lines_figure
from fervt.figures.ink import page_of
from fervt.reports.deck import build_deck
from fervt.reports.deck_parts import Bars, Lines, Picture, Slide
from fervt.ui.address import put, read, whole_number
from fervt.ui.charts import ink, show_chart
from fervt.ui.dead_links import make_place
from fervt.ui.evaluation.selection import EvaluationView

SLIDE = "slide"
_PICTURE_PX = 430
_NOTES = "show_notes"
_OVER_THE_PAGE = """<style>
.st-key-presenter {{
  position: fixed; inset: 0; z-index: 1000000; overflow: auto;
  padding: 1.5rem max(1rem, 8vw); background: {color};
}}
</style>"""


def is_presenting() -> bool:
    """Whether the address asks for a slide."""
    return read(SLIDE) is not None


def offer_presenting() -> None:
    """Draws the button that starts at the first slide."""
    st.button("Present", icon=":material/slideshow:", on_click=put, args=(SLIDE, "1"))


def present(view: EvaluationView) -> None:
    """Draws the slide that the address names, and the buttons to the others."""
    deck = deck_of(view)
    st.html(_OVER_THE_PAGE.format(color=page_of(ink())))
    with st.container(key="presenter"):
        make_place()  # the page's own is covered
        _present(deck, whole_number(SLIDE, range(1, len(deck) + 1), 1))


def deck_of(view: EvaluationView) -> list[Slide]:
    """The slides of the view; made once, not at each step."""
    evaluation = view.evaluation
    evidence, robustness = evaluation.evidence(), evaluation.robustness()
    done = 0 if robustness is None else robustness.done
    measured = evidence is not None, done, evaluation.parts() is not None
    return evaluation.remember(
        ("deck", view.key, *measured),
        lambda: build_deck(
            evaluation,
            view.rows,
            truth=view.truth,
            rule=view.rule,
        ),
    )


def _present(deck: list[Slide], number: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        _step("Previous", "Left", number - 1, number > 1)
        st.markdown(f"{number} / {len(deck)}", width="content")
        _step("Next", "Right", number + 1, number < len(deck))
        st.toggle("Notes", key=_NOTES, help="The sentence to say beside each slide.")
        st.button("End", icon=":material/close:", on_click=put, args=(SLIDE, None), shortcut="Esc")
    _draw(deck[number - 1], number)


def _step(label: str, key: str, number: int, possible: bool) -> None:
    st.button(label, shortcut=key, disabled=not possible, on_click=put, args=(SLIDE, str(number)))


def _draw(slide: Slide, number: int) -> None:
    st.title(slide.message, anchor=False)
    chart = slide.chart
    if isinstance(chart, Bars):
        st.subheader(chart.measure, anchor=False)
        figure = bars_figure(chart.categories, chart.series, chart.as_percent, chart.marked)
        show_chart(figure, f"slide_{number}", slide.message)
    elif isinstance(chart, Lines):
        figure = lines_figure(chart.x_title, chart.y_title, chart.series)
        show_chart(figure, f"slide_{number}", slide.message)
    elif isinstance(chart, Picture):
        st.space("small")
        left, right = st.columns([2, 3], gap="large")
        left.image(chart.png, width=_PICTURE_PX, alt=chart.alt)
        with right:
            _draw_points(slide)
    if not isinstance(chart, Picture):
        _draw_points(slide)
    if st.session_state.get(_NOTES):
        st.info(slide.say, icon=":material/record_voice_over:")


def _draw_points(slide: Slide) -> None:
    for point in slide.points:
        st.header(point, anchor=False)
