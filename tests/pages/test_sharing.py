"""Photos that a visitor shares on purpose: for a day, for whoever has the link, and revocable."""

import hashlib
import threading
import time

import cv2
from skimage import data

from fervt.ui import sharing
from fervt.ui.sharing import SECONDS, SharedFiles, shared_files

ASTRONAUT = cv2.imencode(".png", data.astronaut()[:, :, ::-1])[1].tobytes()
DIGEST = hashlib.sha256(ASTRONAUT).hexdigest()


def upload(app, name: str, content: bytes):
    next(u for u in app.file_uploader if u.label == "Photos with faces").upload(name, content)
    app.run()
    assert not app.exception
    return app


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_a_link_to_a_photo_shows_it_to_others_only_while_it_is_shared(open_page):
    mine = upload(open_page("predict"), "me.png", ASTRONAUT)
    assert "only in the session" in open_page("predict", image=DIGEST).warning[0].value
    press(mine, "Share it for a day")
    theirs = open_page("explain", image=DIGEST)
    assert not theirs.warning and theirs.header
    assert not [b for b in theirs.button if b.label == "Stop sharing"], "only its owner can"
    press(mine, "Stop sharing")
    assert "only in the session" in open_page("predict", image=DIGEST).warning[0].value


def test_forget_my_images_ends_the_sharing(open_page):
    mine = press(upload(open_page("predict"), "me.png", ASTRONAUT), "Share it for a day")
    assert shared_files().find(DIGEST) is not None
    press(mine, "Forget my images")
    assert shared_files().find(DIGEST) is None


def test_a_shared_file_is_dropped_after_a_day():
    now = [1000.0]
    files = SharedFiles(lambda: now[0])
    files.share("a", "a.png", b"123")
    now[0] += SECONDS - 1
    assert files.find("a").content == b"123"
    now[0] += 1
    assert files.find("a") is None


def test_sharing_leaves_no_thread_behind(monkeypatch):
    monkeypatch.setattr(sharing, "MAX_BYTES", 5)
    files = SharedFiles(lambda: 0.0)
    before = threading.active_count()
    for number in range(20):
        for name in ("a", "b", "b", f"{number}"):  # again, and more than fit
            files.share(name, name, b"12")
        files.revoke("a")
    wait_for_threads(before + 2)  # of the two that are still shared
    for name in ("b", "19"):
        files.revoke(name)
    wait_for_threads(before)


def wait_for_threads(most):
    deadline = time.monotonic() + 10
    while threading.active_count() > most:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_oldest_go_when_all_together_are_too_large(monkeypatch):
    monkeypatch.setattr(sharing, "MAX_BYTES", 5)
    files = SharedFiles(lambda: 0.0)
    for name in "abc":
        files.share(name, name, b"12")
    assert [files.find(name) is not None for name in "abc"] == [False, True, True]
