"""How a visitor chooses an image: upload, camera or example, the same on every page.

The address names an example, or the SHA-256 of a file in the visitor's own session.
Photos are never written to disk or made visible to other sessions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import streamlit as st

from fervt.draw import jpeg_bytes
from fervt.errors import FervtError
from fervt.examples import EXAMPLES, load_example
from fervt.images import IMAGE_SUFFIXES, image_sha256, safe_name
from fervt.sandbox import read_photo
from fervt.ui.address import put, put_together, read
from fervt.ui.cards import draw_card, draw_card_style
from fervt.ui.checkpoints import is_sha256
from fervt.ui.dead_links import say_dead, say_unknown
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.jobs import forget_jobs, has_jobs
from fervt.ui.remembered import forget_remembered
from fervt.ui.sharing import offer_sharing, revoke_mine, shared_files
from fervt.ui.text import as_text

PARAMETER = "image"
_NOT_YOURS = (
    "This link shows an image that is only in the session of the person who uploaded it. Upload "
    "the same file to see the same view, or choose an example."
)
FIRST_FACE = {"face": "1", "whole": "0"}  # what a new image starts with

_OWN = "own_pictures"
_PROBLEMS = "picture_problems"
_OTHERS = "forgotten_with_pictures"
_MAX_OWN = 24  # the oldest go first
_MAX_FILE_MB = 40
_THUMBNAIL_PX = 240
_EXAMPLE_FACES = {  # so that a small picture shows the face
    "grace hopper": np.s_[60:430, 85:455],
    "group": np.s_[0:440, 0:857],
}
_ASTRONAUT_FACE = np.s_[:310, 100:410]
_PRIVACY = (
    "Your photos go to the machine that runs this app and stay in its memory, for you alone, "
    "until you forget them. If you only close this tab, they are dropped two minutes later."
)


@dataclass(frozen=True, eq=False)
class Picture:
    """One image that can be shown.

    Attributes:
        key: Its name in the address: an example's name, or the SHA-256 of the visitor's file.
        name: Its display name.
        thumbnail: Its center, a JPEG of 240 x 240 pixels.
        width_px: Of the whole image, upright.
        height_px: The same.
        content: The visitor's file; None for an example.
        note: What is missing from it, in a sentence; "" if nothing is.
    """

    key: str
    name: str
    thumbnail: bytes = field(repr=False)
    width_px: int
    height_px: int
    content: bytes | None = field(repr=False, default=None)
    note: str = ""

    @property
    def rgb(self) -> np.ndarray:
        """The whole image (h, w, 3) uint8 RGB, decoded on each call: it is too large to keep."""
        if self.content is None:
            return load_example(self.key)
        return read_photo(self.content, self.name).rgb


def pick_image(
    describe: Callable[[Picture], str] | None = None,
    default: str | None = None,
    inline: bool = False,
) -> Picture | None:
    """Draws the ways to choose an image; returns the chosen one.

    If the visitor has several images, each is shown small, described by `describe`.

    Args:
        describe: A few words about an image; its name by default.
        default: The example that is shown if the address names none.
        inline: Whether the ways to choose are always in view, not behind a button.

    Returns:
        None while nothing is chosen; then the examples and the uploader are shown.
    """
    draw_card_style()
    for problem in st.session_state.get(_PROBLEMS, []):
        st.error(as_text(problem), icon=":material/broken_image:")
    wanted = read(PARAMETER)
    chosen = find_picture(wanted) if wanted else None
    if wanted and chosen is None:
        if is_sha256(wanted):
            say_dead(PARAMETER, _NOT_YOURS)
        else:
            say_unknown(PARAMETER, wanted, f"'{default}'" if default else "the choice of images")
        for name in FIRST_FACE:  # of an image that isn't shown
            put(name, None)
    is_example = chosen is None and default is not None
    if chosen is None and default is not None:
        chosen = examples()[default]
    if inline:
        _draw_sources_in_a_row(chosen)
    elif chosen is None:
        _draw_sources()
    _draw_toolbar(chosen, not inline)
    if is_example:
        st.caption("This is an example. Add a photo to replace it.")
    _draw_own(chosen, describe or (lambda picture: picture.name))
    if chosen is not None and chosen.note:
        st.warning(as_text(chosen.note), icon=":material/broken_image:")
    return chosen


def own_pictures() -> list[Picture]:
    """The visitor's own images, in the order they came."""
    return list(_own().values())


def find_picture(key: str) -> Picture | None:
    """The image that an address names, if this session has it."""
    if key in EXAMPLES:
        return examples()[key]
    own = _own()
    if key not in own and (shared := shared_files().find(key)):
        add_picture(shared.name, shared.content)
    return own.get(key)


@st.cache_resource
def examples() -> dict[str, Picture]:
    """The images that everybody may see, by name."""
    found = {}
    for name in EXAMPLES:
        image = load_example(name)
        height, width = image.shape[:2]
        thumbnail = _make_thumbnail(image[_EXAMPLE_FACES.get(name, _ASTRONAUT_FACE)])
        shown = name.title() if name == "grace hopper" else name.capitalize()
        found[name] = Picture(name, shown, thumbnail, width, height)
    return found


def choose_picture(key: str | None) -> None:
    """Shows another image, or none; for use in callbacks."""
    if key is not None:
        resets = {name: value for name, value in FIRST_FACE.items() if read(name) is not None}
        put_together({PARAMETER: key} | resets)
    else:
        for name in (PARAMETER, *FIRST_FACE):
            put(name, None)
    st.session_state.pop(_PROBLEMS, None)
    renew_keys("picture")


def forget_too(name: str, forget: Callable[[], None]) -> None:
    """Registers something else to delete along with the visitor's images.

    Args:
        name: What it is; the last `forget` of a name counts.
        forget: Drops it; from any page, so it draws nothing.
    """
    st.session_state.setdefault(_OTHERS, {})[name] = forget


def forget_pictures() -> None:
    """Drops every image and video of the visitor and all that was computed from them."""
    for forget in st.session_state.pop(_OTHERS, {}).values():
        forget()
    forget_jobs()
    revoke_mine()
    st.session_state.pop(_OWN, None)
    forget_remembered()
    choose_picture(None)


def _own() -> dict[str, Picture]:
    return st.session_state.setdefault(_OWN, {})


def _draw_toolbar(chosen: Picture | None, with_chooser: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if chosen is not None and with_chooser:
            chooser = st.popover(
                "Another photo",
                icon=":material/add_photo_alternate:",
                key=fresh_key("picture", "chooser"),
                on_change="rerun",
            )
            with chooser:
                if chooser.open:  # so that the camera stays off while it is closed
                    _draw_sources()
        if chosen is not None and chosen.content is not None:
            with st.popover("Share", icon=":material/share:", type="tertiary"):
                offer_sharing(chosen.key, chosen.name, chosen.content)
        if _own() or has_jobs() or st.session_state.get(_OTHERS):
            st.button(
                "Forget my images",
                icon=":material/delete:",
                on_click=forget_pictures,
                help="Drops your images and videos, and the results you asked for in this tab.",
            )


def _draw_sources() -> None:
    _draw_uploader("Photos with faces", "visible")
    _draw_camera()
    st.caption(_PRIVACY)
    st.markdown("**Or try an example**")
    _draw_examples(EXAMPLES, None)


def _draw_sources_in_a_row(chosen: Picture | None) -> None:
    upload, others = st.columns([6, 5], gap="medium", vertical_alignment="center")
    with upload:
        _draw_uploader("Photos with faces", "collapsed")
    with others, st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Examples", icon=":material/collections:"):
            _draw_examples(EXAMPLES, chosen)
        with st.popover("Camera", icon=":material/photo_camera:"):
            _draw_camera()
        with st.popover("Privacy", icon=":material/shield_person:", type="tertiary"):
            st.markdown(_PRIVACY)


def _draw_uploader(title: str, label: Literal["visible", "collapsed"]) -> None:
    key = fresh_key("picture")
    st.file_uploader(
        title,
        type=list(IMAGE_SUFFIXES),
        accept_multiple_files=True,
        key=key,
        on_change=_take_files,
        args=(key,),
        max_upload_size=_MAX_FILE_MB,
        label_visibility=label,
    )


def _draw_camera() -> None:
    key = fresh_key("picture", "camera")
    if st.toggle("Use the camera", key="picture_use_camera"):
        st.camera_input(
            "A snapshot",
            key=key,
            on_change=_take_files,
            args=(key,),
            label_visibility="collapsed",
        )


def _draw_examples(names: Sequence[str], chosen: Picture | None) -> None:
    with st.grid(min_column_width=84, gap="small"):
        for name in names:
            picture = examples()[name]
            draw_card(
                f"example_{name}",
                picture.thumbnail,
                picture.name,
                choose_picture,
                (name,),
                chosen=chosen is picture,
            )


def _draw_own(chosen: Picture | None, describe: Callable[[Picture], str]) -> None:
    own = own_pictures()
    if len(own) < 2 and not (own and chosen is None):
        return
    st.markdown("**Your images**")
    with st.grid(min_column_width=120):
        for picture in own:
            draw_card(
                picture.key,
                picture.thumbnail,
                describe(picture),
                choose_picture,
                (picture.key,),
                chosen=chosen is picture,
            )


def _take_files(widget_key: str) -> None:
    value = st.session_state[widget_key]
    files = value if isinstance(value, list) else [value] if value else []
    if not files:
        return
    problems: list[str] = []
    taken: list[Picture] = []
    for file in files:
        name = "Camera" if "camera" in widget_key else safe_name(file.name)
        try:
            taken.append(add_picture(name, file.getvalue()))
        except FervtError as error:
            problems.append(str(error))
    if taken:
        kept = [picture for picture in taken if picture.key in _own()]
        if len(kept) < len(taken):
            problems.append(
                f"Only the last {_MAX_OWN} photos are kept; choose “Many photos” on the "
                "Predict page for more."
            )
        choose_picture(kept[0].key)
    renew_keys("picture")
    st.session_state[_PROBLEMS] = problems


def add_picture(name: str, content: bytes) -> Picture:
    """Takes an image into the visitor's session.

    Raises:
        ImageError: It cannot be read.
    """
    photo = read_photo(content, name)
    height, width = photo.rgb.shape[:2]
    thumbnail = _make_thumbnail(photo.rgb)
    key, shown = image_sha256(content), safe_name(name)
    picture = Picture(key, shown, thumbnail, width, height, content, photo.note)
    own = _own()
    own.pop(picture.key, None)  # the newest is last, also if it comes again
    own[picture.key] = picture
    while len(own) > _MAX_OWN:
        del own[next(iter(own))]
    return picture


def _make_thumbnail(image: np.ndarray) -> bytes:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 3, (width - side) // 2  # faces are more often in the upper part
    square = image[top : top + side, left : left + side]
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    return jpeg_bytes(cv2.resize(square, size, interpolation=cv2.INTER_AREA))
