"""Keys, rates and places."""

import base64
import threading
import time

import pytest

from fervt.errors import ConfigError
from fervt.service.config import ServiceConfig
from fervt.service.limits import RateLimit, Slots, check_key
from fervt.service.problems import Problem


def test_the_burst_is_twice_the_rate_and_fills_up_again():
    now = [100.0]
    rate = RateLimit(3, clock=lambda: now[0])
    for _ in range(6):
        rate.check("a")
    with pytest.raises(Problem) as caught:
        rate.check("a")
    assert caught.value.status == 429 and caught.value.headers["Retry-After"] == "1"
    rate.check("b")  # another client has its own share
    now[0] += 0.7  # 2.1 requests
    rate.check("a")
    rate.check("a")
    with pytest.raises(Problem):
        rate.check("a")


def test_no_rate_means_no_limit():
    rate = RateLimit(0)
    for _ in range(1000):
        rate.check("a")


def test_clients_are_forgotten_so_that_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(RateLimit, "MAX_CLIENTS", 5)
    rate = RateLimit(1)
    for number in range(50):
        rate.check(f"client {number}")
    assert len(rate._clients) == 5


def test_slots_are_given_back_whatever_happens():
    slots = Slots(1, "Full.")
    with pytest.raises(KeyError), slots.take():
        with pytest.raises(Problem, match="Full") as caught, slots.take():
            pass
        assert caught.value.status == 503
        raise KeyError
    with slots.take():
        pass


def wait_for(slots):
    """A thread that waits for a slot, and what it will have got."""
    got = threading.Event()
    waiter = threading.Thread(target=lambda: (slots.acquire(), got.set()), daemon=True)
    waiter.start()
    return got


def test_who_waits_gets_the_slot_that_becomes_free():
    slots = Slots(1, "Full.", waiting=1, wait_s=30)
    slots.acquire()
    for _ in range(3):  # whoever has waited leaves the queue to the next
        got = wait_for(slots)
        assert not got.wait(0.1)
        slots.release()
        assert got.wait(30)


def test_waiting_ends_and_only_so_many_may_wait():
    slots = Slots(1, "Full.", waiting=1, wait_s=0.3)
    slots.acquire()
    for _ in range(2):  # giving up leaves the queue, too
        started = time.monotonic()
        with pytest.raises(Problem, match="Full"):
            slots.acquire()
        assert time.monotonic() - started >= 0.3

    patient = Slots(1, "Full.", waiting=1, wait_s=30)
    patient.acquire()
    got = wait_for(patient)
    while patient._queue._value:  # until it stands in the queue
        time.sleep(0.01)
    assert not got.wait(0.2)
    started = time.monotonic()
    with pytest.raises(Problem, match="Full"):
        patient.acquire()  # the queue is full: refused at once
    assert time.monotonic() - started < 15
    patient.release()
    assert got.wait(30)


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("sent", ["Bearer s3cret", "bearer  s3cret", basic("me", "s3cret")])
def test_the_right_key(sent):
    check_key(sent, "s3cret")


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer S3CRET",
        "Bearer s3cret\u00e9",
        "Bearer \u4f60",
        "Digest s3cret",
        "s3cret",
        "Basic s3cret",
        "Basic !!!",
        basic("s3cret", ""),
    ],
)
def test_wrong_keys(sent):
    with pytest.raises(Problem) as caught:
        check_key(sent, "s3cret")
    assert caught.value.status == 401 and "Basic" in caught.value.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_body_mb": 0},
        {"max_megapixels": 26},
        {"max_in_flight": -1},
        {"max_faces": 1.5},
        {"search_side_px": 10},
        {"api_key": "with space"},
        {"api_key": "schlüssel"},
    ],
)
def test_settings_outside_their_range_are_sentences(wrong):
    with pytest.raises(ConfigError):
        ServiceConfig(**wrong)


def test_the_key_is_not_in_the_repr():
    assert "hush" not in repr(ServiceConfig(api_key="hush"))
