"""What the address names follows the choices, and what a choice makes meaningless goes with it."""

from types import SimpleNamespace

import pytest
import tiny

from fervt.files import file_sha256
from fervt.predict import Predictor
from fervt.ui import address, checkpoints, choices, dataset_faces
from fervt.ui.compare import cost


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("split", {"row", "slice"}),
        ("source", {"row", "slice"}),
        ("slice_by", {"slice"}),
        ("tta", {"slice"}),
        ("sort", set()),
    ],
)
def test_a_choice_drops_what_it_makes_meaningless(monkeypatch, name, gone):
    there = {"row": "5", "slice": "2", "page": "3", "people_page": "4"}
    monkeypatch.setattr(
        choices, "put", lambda key, value: there.update({key: value}) or value or there.pop(key)
    )
    choices.put_choice(name, "x")
    assert there.pop(name) == "x" and set(there) == {"row", "slice"} - gone


def test_an_expression_is_found_under_its_other_name(monkeypatch):
    monkeypatch.setattr(address, "say_unknown", lambda *said: said_of.append(said))
    said_of = []
    for value, found in (("happiness", "happy"), ("happy", "happy"), ("contempt", ""), (None, "")):
        monkeypatch.setattr(address, "read", lambda name, value=value: value)
        assert address.wanted("target", ["angry", "happy"], "") == found
    assert [value for _, value, _ in said_of] == ["contempt"]


@pytest.fixture
def session(monkeypatch):
    """A session's state, as the modules see it."""
    state: dict = {}
    for module in (checkpoints, dataset_faces, cost):
        monkeypatch.setattr(module, "st", SimpleNamespace(session_state=state))
    return state


def test_a_forgotten_file_takes_its_error_along(session, monkeypatch):
    monkeypatch.setattr(dataset_faces, "renew_keys", lambda _: None)
    session[dataset_faces._OWN] = b"no data"
    session[dataset_faces._UNREADABLE] = "It is damaged."
    dataset_faces._forget()
    assert dataset_faces.unreadable() == "" and not session


def test_a_split_that_the_file_lacks_is_not_read(session, monkeypatch):
    session[dataset_faces._OWN] = b"faces"
    session[dataset_faces._COUNTS] = {"Training": 5, "PrivateTest": 0}
    monkeypatch.setattr(dataset_faces, "_read", lambda source, split: (source, split))
    assert dataset_faces.find_faces("PrivateTest") is None
    assert dataset_faces.find_faces("PublicTest") is None
    assert dataset_faces.find_faces("Training") == (b"faces", "Training")


def test_measuring_again_is_never_what_another_visitor_measured(session):
    cost._measure_again()
    first = session[cost._MEASURED]
    session.clear()  # another visitor
    cost._measure_again()
    assert session[cost._MEASURED] != first


def test_a_link_leads_to_the_checkpoint_with_the_same_file(session, monkeypatch, tmp_path):
    shipped, own = (tiny.save_tiny(tmp_path / f"{i}.safetensors", i) for i in range(2))
    monkeypatch.setattr(checkpoints, "shipped_checkpoints", lambda: {"alpha": shipped})
    digest = file_sha256(own)
    assert checkpoints.link_to_checkpoint(file_sha256(shipped)) == {"checkpoint": "alpha"}
    assert checkpoints.link_to_checkpoint(digest) == {}
    session[checkpoints._OWN] = {digest: Predictor(own)}
    assert checkpoints.link_to_checkpoint(digest) == {"checkpoint": digest}
