"""The Explain page's downloads: all results for one face."""

import streamlit as st

from fervt.reports.explanation import Photo, bundle_files, zip_bundle
from fervt.ui.certainty import threshold_of
from fervt.ui.charts import say
from fervt.ui.downloads import offer_file
from fervt.ui.explain.selection import ExplainedFace


def show_download(view: ExplainedFace) -> None:
    """Draws the buttons; the files are made when one is pressed."""
    say(
        "Download",
        f"For {view.target_name}. `python -m fervt explain IMAGE --out DIR` writes the same files.",
    )

    threshold = threshold_of(view.predictor.sha256)

    def files() -> dict[str, bytes]:
        face = view.prediction
        photo = Photo(view.picture.rgb, view.picture.name, face.box_xyxy_px, face.angle_deg)
        return bundle_files(
            view.predictor,
            view.explanation,
            view.target,
            face.crop,
            photo,
            threshold=threshold,
        )

    with st.container(horizontal=True):
        offer_file(
            "Everything (.zip)",
            lambda: zip_bundle(files()),
            "explanation.zip",
            "application/zip",
            main=True,
        )
        offer_file(
            "One page (.html)",
            lambda: files()["explanation.html"],
            "explanation.html",
            "text/html",
        )
        offer_file(
            "Arrays (.npz)", lambda: files()["arrays.npz"], "arrays.npz", "application/octet-stream"
        )
    st.caption(
        "The page is self-contained and opens without a network. The zip also has the overlays "
        "as PNG. The files show the whole photo: share them as you would share the photo."
    )
