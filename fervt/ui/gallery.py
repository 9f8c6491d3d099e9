"""Faces of some rows, sorted by confidence; one of them in full, with the annotators' votes."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pandas as pd
import streamlit as st

from fervt.amounts import percent as probability
from fervt.evaluation.rows import Rows, translate
from fervt.figures.evaluation_bars import votes_figure
from fervt.figures.in_words import say_extremes
from fervt.labels import FERPLUS, VOTE_NAMES, expression
from fervt.metrics import vote_shares
from fervt.ui.address import put, read, whole_number
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.charts import show_chart
from fervt.ui.choices import pick_one
from fervt.ui.corrections import draw_correction
from fervt.ui.dataset_faces import FaceBook
from fervt.ui.evaluation.selection import EvaluationView, percent
from fervt.ui.images import add_picture
from fervt.ui.navigation import existing_pages, go_to, link_parameters
from fervt.ui.no_faces import invite_faces
from fervt.ui.text import as_text

ROW, PAGE = "row", "page"
_A_PAGE = 18
_LARGE_PX = 288
_TABLE_ROWS = 1000


def show_gallery(view: EvaluationView, rows: Rows) -> None:
    """Draws the faces of some rows, or their table if no faces are at hand."""
    order = pick_one(
        "Sort by confidence",
        "order",
        {"falling": "Surest first", "rising": "Least sure first"},
        "falling",
    )
    confidence = rows.calibrated.max(axis=1)
    ranks = np.argsort(-confidence if order == "falling" else confidence, kind="stable")
    rows = rows.select(ranks)
    if view.faces is None:
        invite_faces("These faces")
        st.caption("Until then, their row numbers and probabilities:")
        table = table_of(rows)
        three_digits = st.column_config.NumberColumn(format="%.3f")
        st.dataframe(
            table,
            hide_index=True,
            width="stretch",
            column_config={name: three_digits for name in table if name.startswith("P(")},
            alt="Row numbers and probabilities",
        )
        if len(rows) > _TABLE_ROWS:
            st.caption(f"The first {_TABLE_ROWS:,} of {len(rows):,} rows.")
        return
    show_face_of(view)
    draw_faces(view.faces, rows, "gallery", _describe(rows))


def show_face_of(view: EvaluationView) -> None:
    """Draws the face that the address names, with what the view's checkpoint says."""
    evaluation = view.evaluation
    show_one_face(view.faces, [view.rows], [evaluation.name], evaluation.split)


def table_of(rows: Rows) -> pd.DataFrame:
    """Row numbers, labels and calibrated probabilities, formatted; the first thousand."""
    first = rows.select(np.arange(min(len(rows), _TABLE_ROWS)))
    names = [expression(label).name for label in first.classes]
    shown = pd.DataFrame(
        {
            "Row": first.table["row"].to_numpy(),
            "Label": [names[i] for i in first.labels],
            "Prediction": [names[i] for i in first.predicted],
        }
    )
    for index, name in enumerate(names):
        shown[f"P({name})"] = first.calibrated[:, index].round(3)
    return shown


def draw_faces(
    faces: FaceBook,
    rows: Rows,
    key: str,
    describe: Callable[[int], str],
    columns_px: int = 100,
    a_page: int = _A_PAGE,
) -> None:
    """Draws one page of faces; a click on one shows it in full.

    Args:
        faces: The book that they are in.
        rows: Which ones, in order.
        key: Unique in the page; also the address's parameter for the page's number, unless it is
            the main gallery.
        describe: A few words on the i-th row.
        columns_px: The minimum width of a column.
        a_page: Faces on one page.
    """
    draw_card_style()
    pages = -(-len(rows) // a_page)
    name = PAGE if key == "gallery" else f"{key}_{PAGE}"
    number = _page_number(name, pages)
    with st.grid(min_column_width=columns_px):
        for at in range(a_page * number, min(a_page * (number + 1), len(rows))):
            row = rows.table.iloc[at]
            draw_card(
                f"{key}_{row['row']}",
                faces.thumbnail(row["image_sha256"]),
                describe(at),
                put,
                (ROW, str(row["row"])),
                chosen=read(ROW) == str(row["row"]),
            )
    if pages > 1:
        with st.container(horizontal=True, vertical_alignment="center"):
            _draw_step("Back", name, number - 1, number > 0)
            st.caption(f"Page {number + 1} of {pages}", width="content")
            _draw_step("Next", name, number + 1, number + 1 < pages)


def _draw_step(title: str, name: str, to: int, possible: bool) -> None:
    st.button(
        title,
        key=f"{name}_{title}",
        disabled=not possible,
        on_click=put,
        args=(name, str(to + 1) if to else None),
    )


def _page_number(name: str, pages: int) -> int:
    return whole_number(name, range(1, pages + 1), 1) - 1


def _describe(rows: Rows) -> Callable[[int], str]:
    names = [expression(label).name for label in rows.classes]

    def describe(at: int) -> str:
        index = rows.predicted[at]
        return f"{names[index]} {probability(rows.calibrated[at, index])}"

    return describe


def show_one_face(
    faces: FaceBook | None, rows: Sequence[Rows], names: Sequence[str], split: str
) -> None:
    """Draws the face that the address names, if it is among the rows.

    Args:
        faces: The book that the faces are in, if any.
        rows: The same rows of one or several checkpoints.
        names: Of these checkpoints.
        split: The rows' split.
    """
    if faces is None:
        return
    numbers = rows[0].table["row"].to_numpy()
    number = whole_number(ROW, numbers.tolist(), -1, "no single face")
    found = np.flatnonzero(numbers == number)
    if not len(found):
        return
    ones = [each.select(found[:1]) for each in rows]
    image = str(ones[0].table.iloc[0]["image_sha256"])
    called = [expression(label).name for label in ones[0].classes]
    title = faces.names.get(number, f"Row {number}")
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="large")
        with left:
            st.image(faces.thumbnail(image, _LARGE_PX), alt=f"{title} of {split}")
            _draw_explain_button(faces, image, faces.names.get(number, f"{split} row {number}.png"))
            st.button("Close", on_click=put, args=(ROW, None), type="tertiary")
        with right:
            said = "; ".join(
                f"{name} says **{called[one.predicted[0]]}**, "
                f"{probability(one.calibrated[0].max())}"
                for name, one in zip(names, ones, strict=True)
            )
            st.markdown(f"**{as_text(title)}**, labeled **{called[ones[0].labels[0]]}**: {said}.")
            _show_votes(faces, ones, names, image)
            draw_correction(image)


def _show_votes(faces: FaceBook, ones: Sequence[Rows], names: Sequence[str], image: str) -> None:
    votes = faces.votes(image)
    classes = ones[0].classes
    shares, shown = [one.calibrated[0] for one in ones], list(names)
    order = translate(np.arange(len(FERPLUS)), FERPLUS, classes)
    if votes is not None:
        people = vote_shares(votes[None].astype(float))[0]
        aligned = np.zeros(len(classes))
        aligned[order[order >= 0]] = people[: len(FERPLUS)][order >= 0]
        shares, shown = [*shares, aligned], [*shown, "annotators"]
    figure = votes_figure(classes, shares, shown, 320)
    titles = [expression(label).name for label in classes]
    said = [
        say_extremes(name, titles, each, percent) for name, each in zip(shown, shares, strict=True)
    ]
    show_chart(figure, "votes", "; ".join(said))
    if votes is None:
        st.caption("Nobody voted on this face in FER+.")
        return
    others = [
        f"{int(votes[i])} {name}"
        for i, name in enumerate(VOTE_NAMES)
        if votes[i] and (i >= len(FERPLUS) or order[i] < 0)
    ]
    about = f" Not shown: {', '.join(others)}." if others else ""
    st.caption(f"{int(votes.sum())} annotators of FER+ voted.{about}")


def _draw_explain_button(faces: FaceBook, image: str, name: str) -> None:
    face = faces.face(image)
    if face is None or not any(page.name == "explain" for page in existing_pages()):
        return
    if st.button("Open in Explain", icon=":material/visibility:", key="explain_face"):
        picture = add_picture(name, cv2.imencode(".png", face)[1].tobytes())
        go_to("explain", link_parameters(image=picture.key, whole="1", face=None))
