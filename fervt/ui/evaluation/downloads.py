"""Downloads: the report as one file, and the evaluation itself."""

import streamlit as st

from fervt.images import safe_name
from fervt.reports.evaluation import build_report
from fervt.reports.explanation import zip_bundle
from fervt.reports.slides import write_slides
from fervt.ui.charts import say
from fervt.ui.downloads import offer_file
from fervt.ui.evaluation.present import deck_of
from fervt.ui.evaluation.selection import EvaluationView


def show_report(view: EvaluationView) -> None:
    """Draws the download buttons; a file is created when its button is pressed."""
    evaluation = view.evaluation
    title = f"{evaluation.title} on {evaluation.split}"
    name = safe_name(f"{evaluation.name}-{evaluation.split}").replace(" ", "-")
    say(
        "Files for the meeting",
        "The report is everything on this page in one HTML file: it opens without a network and "
        "prints to PDF. The slides have one message each, with editable charts and speaker notes. "
        "`python -m fervt report` writes both.",
    )

    def content() -> str:
        examples = view.faces.data if view.faces is not None and with_faces else None
        return build_report(
            evaluation,
            view.rows,
            truth=view.truth,
            rule=view.rule,
            info=view.info,
            data=examples,
        )

    with_faces = st.toggle(
        "With example faces",
        disabled=view.faces is None,
        help="Needs your own images, or a prepared data file: “Faces of the data set” in the "
        "sidebar. FER2013's faces may be shown for research; share such a report accordingly.",
    )
    with st.container(horizontal=True):
        offer_file("Report (.html)", content, f"{name}.html", "text/html", main=True)
        offer_file(
            "Slides (.pptx)",
            lambda: write_slides(title, deck_of(view)),
            f"{name}.pptx",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            icon=":material/slideshow:",
        )
    say(
        "The evaluation itself",
        "Predictions (and mirrored), class tokens and metrics; five crops, evidence, parts and "
        "robustness if they were measured. Unpacked to a folder, "
        "`python -m fervt report --checkpoint FOLDER` reads it; as the folder "
        "`assets/evaluations/NAME/SPLIT` of a shipped checkpoint it is shown here and on Compare. "
        "It contains hashes of the faces, not the faces.",
    )
    offer_file(
        "Evaluation (.zip)",
        lambda: zip_bundle(evaluation.as_files()),
        f"{name}.zip",
        "application/zip",
        icon=":material/folder_zip:",
    )
