"""Why there is no picture, in a sentence that says what to do.

The browser alone knows most reasons, so a script asks it and shows the sentence that fits.
"""

import html
import json

import streamlit as st

from fervt.ui.navigation import link_to
from fervt.ui.script import run_script

ROUTE_TIMEOUT_S = 10.0

TROUBLES = {
    "insecure": (
        "Browsers allow camera access only to pages served over HTTPS or from localhost, and this "
        "one is not. Serve the app over HTTPS, or open it on the machine itself."
    ),
    "unsupported": "This browser has no camera interface (WebRTC). Try a current one.",
    "denied": (
        "The browser does not let this page use the camera. Allow the camera in the site's "
        "settings, left of the address, and reload the page."
    ),
    "missing": "No camera was found. Connect one, or close the program that is using it.",
}
NO_ROUTE = (
    "The browser and the server can't connect for video. Behind firewalls and on hosted "
    "servers WebRTC needs a TURN service: set CLOUDFLARE_TURN_KEY_ID and "
    "CLOUDFLARE_TURN_KEY_API_TOKEN, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or "
    "HF_TOKEN, in the app's environment."
)

_STYLE = (
    "padding:.75rem 1rem;margin:0 0 .5rem;border-radius:.5rem;background:rgba(230,159,0,.16);"
    "border-left:4px solid #E69F00"
)


def show_camera_trouble() -> None:
    """Draws the sentence that fits if the browser has no camera for this page."""
    sentences = "".join(
        f"<div role='alert' style='{_STYLE}' data-camera-trouble={json.dumps(name)} hidden>"
        f"{html.escape(text)}</div>"
        for name, text in TROUBLES.items()
    )
    run_script("camera_trouble", before=sentences)


def show_no_route() -> None:
    """Says that no frame arrives."""
    st.warning(NO_ROUTE, icon=":material/wifi_off:")


def offer_snapshot() -> None:
    """Offers what works without a stream."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("No stream? A photo or a single snapshot works, too:")
        link_to("predict", "Take a photo or a snapshot")
