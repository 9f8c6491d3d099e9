"""Links to a view, and photos that a visitor shares with anyone with the link, for a day.

A photo is only in its owner's session, so a link to it shows nothing to others. On an explicit
choice it is also kept in the server's memory, until its owner revokes that or a day has passed.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from fervt.ui.component import mount

SECONDS = 24 * 3600.0
MAX_BYTES = 200_000_000  # of all visitors; the oldest go first
_MINE = "shared_by_me"


@dataclass(frozen=True)
class SharedFile:
    """A photo that its owner shares.

    Attributes:
        name: Its display name.
        content: The file.
        until_s: When it is dropped, on the registry's clock.
    """

    name: str
    content: bytes
    until_s: float


class SharedFiles:
    """What is shared at the moment, by the SHA-256 of the file. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[str, SharedFile] = {}
        self._timers: dict[str, threading.Timer] = {}

    def share(self, key: str, name: str, content: bytes) -> None:
        """Shares a file for a day from now."""
        with self._lock:
            self._drop(key)
            self._files[key] = SharedFile(name, content, self._clock() + SECONDS)
            self._drop_expired()
            # Dropped on time even if nobody asks for a shared file anymore.
            timer = self._timers[key] = threading.Timer(SECONDS + 1, self.find, (key,))
            timer.daemon = True
            timer.start()
            while sum(len(file.content) for file in self._files.values()) > MAX_BYTES:
                self._drop(next(iter(self._files)))

    def find(self, key: str) -> SharedFile | None:
        """A file that is shared now."""
        with self._lock:
            self._drop_expired()
            return self._files.get(key)

    def revoke(self, key: str) -> None:
        """Ends the sharing at once."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: str) -> None:
        self._files.pop(key, None)
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()  # or its thread would wait out the day

    def _drop_expired(self) -> None:
        now = self._clock()
        for key in [key for key, file in self._files.items() if file.until_s <= now]:
            self._drop(key)


@st.cache_resource(show_spinner=False)
def shared_files() -> SharedFiles:
    """The server's."""
    return SharedFiles()


def show_copy_link() -> None:
    """Draws the button that copies the page's address."""
    with st.container(width="content", key="copy_link_place"):
        mount(
            "copy_link",
            "copy_link",
            {"label": "Copy link", "done": "Copied", "failed": "Copy it from the address bar"},
        )


def offer_sharing(key: str, name: str, content: bytes) -> None:
    """Draws who can see a visitor's photo by its link, and the choice to share it for a day."""
    shared = shared_files().find(key)
    if shared is not None and key in _mine():
        hours = max(1, round((shared.until_s - time.time()) / 3600))
        left = "hour" if hours == 1 else f"{hours} hours"
        st.caption(f":material/public: Anyone with the link can see this photo for another {left}.")
        st.button("Stop sharing", icon=":material/link_off:", on_click=_revoke, args=(key,))
    elif shared is not None:
        st.caption(":material/public: This photo is shared by its link, for a day at most.")
    else:
        st.caption(
            ":material/lock: Only you see this photo: for others the link shows an example instead."
        )
        st.button(
            "Share it for a day",
            icon=":material/share:",
            on_click=_share,
            args=(key, name, content),
            help="Keeps the photo in the server's memory for 24 hours, for anyone with the link. "
            "You can stop it at any time; anyone who has opened it keeps it until they leave.",
        )


def revoke_mine() -> None:
    """Ends all that this visitor shares."""
    for key in _mine():
        shared_files().revoke(key)
    _mine().clear()


def _mine() -> set[str]:
    return st.session_state.setdefault(_MINE, set())


def _share(key: str, name: str, content: bytes) -> None:
    shared_files().share(key, name, content)
    _mine().add(key)


def _revoke(key: str) -> None:
    shared_files().revoke(key)
    _mine().discard(key)
