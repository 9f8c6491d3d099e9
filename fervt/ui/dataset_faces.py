"""The images behind the rows, if a prepared data file is available.

The file of `FERVT_DATA` belongs to whoever runs the program and is read once for everybody. A
visitor's own stays in the visitor's session.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fervt.data.prepared import SIDE_PX, PreparedData, count_splits, read_prepared
from fervt.errors import DataError, FervtError
from fervt.files import file_sha256
from fervt.images import safe_name
from fervt.jobs import ask
from fervt.ui.fresh_keys import fresh_key, renew_keys
from fervt.ui.text import as_text

VARIABLE = "FERVT_DATA"
SHEET_COLUMNS = 30  # as wide as Streamlit leaves images alone
_OWN = "own_prepared_file"
_COUNTS = "own_prepared_counts"
_PROBLEM = "own_prepared_problem"
_UNREADABLE = "prepared_unreadable"
_MAX_FILE_MB = 200
_THUMBNAIL_PX = 144


@dataclass(frozen=True, eq=False)
class FaceBook:
    """Faces, found by the hash of their pixels.

    Attributes:
        data: The faces.
        names: Display names by row, if any.
    """

    data: PreparedData
    names: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def _at(self) -> dict[str, int]:
        return {digest: i for i, digest in enumerate(self.data.sha256.tolist())}

    def face(self, image_sha256: str) -> NDArray[np.uint8] | None:
        """The face (48, 48) uint8; None if the file doesn't have it."""
        at = self._at.get(image_sha256)
        return None if at is None else self.data.images[at]

    def select(self, images_sha256: Sequence[str]) -> PreparedData | None:
        """Faces in this order, with their votes; None if the file lacks one."""
        at = [self._at.get(digest, -1) for digest in images_sha256]
        return None if -1 in at else self.data.select(np.array(at, int))

    def votes(self, image_sha256: str) -> NDArray[np.uint8] | None:
        """FER+'s votes (10,) for a face; None if there are none."""
        at = self._at.get(image_sha256)
        if at is None or not self.data.votes[at].any():
            return None
        return self.data.votes[at]

    def thumbnail(self, image_sha256: str, side_px: int = _THUMBNAIL_PX) -> np.ndarray:
        """The face, enlarged, as RGB; gray where the file doesn't have it."""
        face = self.face(image_sha256)
        if face is None:
            return np.full((side_px, side_px, 3), 127, np.uint8)
        large = cv2.resize(face, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
        return cv2.cvtColor(large, cv2.COLOR_GRAY2RGB)

    def sheet(self, images_sha256: Sequence[str]) -> bytes:
        """Many faces on one JPEG, `SHEET_COLUMNS` in a row; gray where the file lacks one."""
        at = [self._at.get(digest, -1) for digest in images_sha256]
        count = -(-len(at) // SHEET_COLUMNS) * SHEET_COLUMNS
        tiles = np.full((count, SIDE_PX, SIDE_PX), 127, np.uint8)
        known = np.array(at) >= 0
        tiles[: len(at)][known] = self.data.images[np.array(at)[known]]
        rows = tiles.reshape(-1, SHEET_COLUMNS, SIDE_PX, SIDE_PX).swapaxes(1, 2)
        sheet = rows.reshape(-1, SHEET_COLUMNS * SIDE_PX)
        return cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def data_file() -> Path | None:
    """The prepared file configured on the server."""
    return Path(path) if (path := os.environ.get(VARIABLE)) else None


def prepared_source() -> Path | bytes | None:
    """The prepared file in use: the visitor's own, otherwise the server's.

    Raises:
        DataError: The server's does not exist.
    """
    own: bytes | None = st.session_state.get(_OWN)
    if own is not None:
        return own
    path = data_file()
    if path is not None and not path.is_file():
        raise DataError(f"{VARIABLE} names '{path.name}', which does not exist.")
    return path


def pick_face_book(split: str) -> FaceBook | None:
    """Draws the sidebar's choice of a data file; returns the faces of a split, if any."""
    with st.sidebar.expander("Faces of the data set", icon=":material/grid_view:"):
        try:
            source = prepared_source()
            if source is None:
                draw_uploader()
                return None
            book = _read(source, split)
        except FervtError as error:
            st.session_state[_UNREADABLE] = str(error)
            st.warning(as_text(error))
            return None
        finally:
            draw_forget_button()
        st.session_state.pop(_UNREADABLE, None)
        st.caption(f"{len(book.data):,} faces of {split}, from {book.data.source}.")
        return book


def find_faces(split: str) -> FaceBook | None:
    """The faces of a split; None, silently, without a data file or if a visitor's has none.

    Raises:
        DataError: The file cannot be read.
    """
    source = prepared_source()
    # A visitor's file that lacks the split would be read in vain at every click.
    if source is None or (isinstance(source, bytes) and not count_faces(source).get(split)):
        return None
    return _read(source, split)


def _read(source: Path | bytes, split: str) -> FaceBook:
    if isinstance(source, bytes):
        return _read_own(source, split)
    return _read_shared(file_sha256(source), split, source)


@st.cache_resource(max_entries=3, show_spinner="Reading the faces")
def _read_shared(digest: str, split: str, _path: Path) -> FaceBook:
    return FaceBook(read_prepared(_path, (split,)).split(split))


def _read_own(content: bytes, split: str) -> FaceBook:
    known: dict[str, FaceBook] = st.session_state.setdefault(f"{_OWN}_faces", {})
    if split not in known:
        with st.spinner("Reading the faces"):
            known[split] = FaceBook(ask(read_prepared, content, (split,), "Your file"))
    return known[split]


def count_faces(source: Path | bytes) -> dict[str, int]:
    """How many faces each split of the file in use has.

    Raises:
        FervtError: It is not a prepared file.
    """
    if not isinstance(source, bytes):
        return count_splits(source, f"'{source.name}'")
    if _COUNTS not in st.session_state:
        with st.spinner("Looking at the file"):
            st.session_state[_COUNTS] = ask(count_splits, source, "Your file")
    return st.session_state[_COUNTS]


def unreadable() -> str:
    """Why the file in use could not be read, in a sentence; "" if it could."""
    return st.session_state.get(_UNREADABLE, "")


def draw_uploader(place: str = "upload") -> None:
    """Draws the uploader for a prepared file, which stays in the visitor's session.

    Args:
        place: Distinguishes the uploaders of one page.
    """
    key = fresh_key("prepared", place)
    st.file_uploader(
        "A prepared data file",
        type=["parquet"],
        key=key,
        on_change=_take,
        args=(key,),
        max_upload_size=_MAX_FILE_MB,
        label_visibility="collapsed",
    )
    st.caption(
        "A file written by `python -m fervt prepare`. It stays in your session; to load it every "
        f"time, start the app with `{VARIABLE}` set to its path. If you evaluate a checkpoint on "
        "it, anyone with that page's address can see its faces in the result."
    )
    if problem := st.session_state.get(_PROBLEM):
        st.error(as_text(problem))


def draw_forget_button() -> None:
    """Draws the button that deletes the visitor's own file, if there is one."""
    if _OWN in st.session_state:
        st.button("Forget this file", icon=":material/delete:", on_click=_forget)


def _take(key: str) -> None:
    upload = st.session_state[key]
    if upload is None:
        st.session_state.pop(_PROBLEM, None)
        return
    _forget()
    if not upload.name.lower().endswith(".parquet"):
        st.session_state[_PROBLEM] = f"'{safe_name(upload.name)}' is not a .parquet file."
        return
    st.session_state[_OWN] = upload.getvalue()


def _forget() -> None:
    renew_keys("prepared")
    st.session_state.pop(_OWN, None)
    for known in (_PROBLEM, _UNREADABLE, f"{_OWN}_faces", _COUNTS):
        st.session_state.pop(known, None)
