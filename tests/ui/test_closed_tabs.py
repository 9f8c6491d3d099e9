"""Sessions whose tab is closed: kept for a while, taken up again, ended on time and emptied."""

import asyncio
from types import SimpleNamespace

import pytest
from streamlit.runtime.session_manager import SessionInfo

from fervt.ui import closed_tabs
from fervt.ui.closed_tabs import ClosedTabs


class Session:
    def __init__(self, name: str) -> None:
        self.id, self.ended = name, False
        self.session_state = {"own_pictures": "a face"}
        self._fragment_storage = {"redraws": "a face"}
        self.queue = ["a face"]

    def shutdown(self) -> None:
        self.ended = True

    def flush_browser_queue(self) -> None:
        self.queue.clear()


@pytest.fixture(autouse=True)
def swept(monkeypatch):
    """How often files without a session were removed."""
    calls = []
    manager = SimpleNamespace(remove_orphaned_files=lambda: calls.append(1))
    runtime = SimpleNamespace(media_file_mgr=manager)
    monkeypatch.setattr(closed_tabs.runtime, "get_instance", lambda: runtime)
    return calls


def info(session: Session) -> SessionInfo:
    return SessionInfo(client=None, session=session, script_run_count=1)


def test_a_session_ends_on_time_and_nothing_stays_in_it(swept):
    session = Session("a")

    async def close_and_wait() -> None:
        tabs = ClosedTabs(0.01)
        tabs.save(info(session))
        assert tabs.get("a").session is session and len(tabs.list()) == 1
        while tabs.list():
            await asyncio.sleep(0.01)

    asyncio.run(close_and_wait())
    assert session.ended and swept
    assert not (session.session_state or session._fragment_storage or session.queue)


def test_a_tab_that_comes_back_is_not_ended():
    session = Session("a")

    async def close_and_come_back() -> None:
        tabs = ClosedTabs(0.01)
        tabs.save(info(session))
        tabs.delete("a")
        tabs.delete("never there")
        await asyncio.sleep(0.1)
        assert tabs.get("a") is None

    asyncio.run(close_and_come_back())
    assert not session.ended and session.session_state


def test_of_too_many_closed_tabs_the_oldest_end():
    sessions = [Session(str(number)) for number in range(closed_tabs.MOST + 2)]

    async def close() -> None:
        tabs = ClosedTabs(1000)
        for session in sessions:
            tabs.save(info(session))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert len(tabs.list()) == closed_tabs.MOST
        for session in sessions:
            tabs.delete(session.id)

    asyncio.run(close())
    assert [session.ended for session in sessions[:3]] == [True, True, False]
