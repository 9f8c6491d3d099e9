"""What happens to a visitor's session once its tab is closed.

Streamlit keeps it for two minutes, in case the connection just broke, but then drops it only
when another tab closes, and leaves the rest to the garbage collector. Until then the visitor's
pictures stay in memory, and those on the page are still served. This module ends it on time.
"""

import asyncio
import logging
from contextlib import suppress

import streamlit as st
from streamlit import config, runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.session_manager import SessionInfo, SessionStorage

MOST = 128
"""How many closed tabs are kept; the oldest end first."""


class ClosedTabs(SessionStorage):
    """Sessions without a connection, each ended after its time. For the server's event loop.

    Args:
        keep_s: How long a tab may come back.
    """

    def __init__(self, keep_s: float) -> None:
        self._keep_s = keep_s
        self._kept: dict[str, tuple[SessionInfo, asyncio.TimerHandle]] = {}

    def get(self, session_id: str) -> SessionInfo | None:
        """A session that can be resumed."""
        info, _ = self._kept.get(session_id, (None, None))
        return info

    def save(self, session_info: SessionInfo) -> None:
        """Keeps a session from now on."""
        name = session_info.session.id
        self.delete(name)
        loop = asyncio.get_running_loop()
        self._kept[name] = session_info, loop.call_later(self._keep_s, self._end, name)
        for oldest in list(self._kept)[:-MOST]:
            loop.call_soon(self._end, oldest)

    def delete(self, session_id: str) -> None:
        """Releases a session without ending it, as when its tab comes back."""
        if session_id in self._kept:
            self._kept.pop(session_id)[1].cancel()

    def list(self) -> list[SessionInfo]:
        """All sessions that are kept."""
        return [info for info, _ in self._kept.values()]

    def _end(self, session_id: str) -> None:
        info = self.get(session_id)
        if info is None:
            return
        self.delete(session_id)
        session = info.session
        session.shutdown()
        # Emptied by hand: the collector skips what `spare_libraries` froze, and that may
        # include a session. Fragments hold what they draw.
        session.session_state.clear()
        session.flush_browser_queue()
        fragments = getattr(session, "_fragment_storage", None)
        if fragments is not None:
            fragments.clear()
        with suppress(RuntimeError):
            # Files for download survive the first call.
            runtime.get_instance().media_file_mgr.remove_orphaned_files()


@st.cache_resource(show_spinner=False)
def end_closed_tabs() -> None:
    """Ends sessions on time from now on; called once per server."""
    if not runtime.exists():
        return
    # Streamlit has no option for its session storage, so this uses an undocumented part of it.
    manager = getattr(runtime.get_instance(), "_session_mgr", None)
    known = isinstance(getattr(manager, "_session_storage", None), MemorySessionStorage)
    if manager is None or not known:
        logging.getLogger(__name__).warning("Closed tabs end when Streamlit ends them.")
        return
    manager._session_storage = ClosedTabs(config.get_option("server.disconnectedSessionTTL"))
