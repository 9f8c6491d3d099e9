"""What is computed of an example is computed once for everybody; of a visitor's photo, it stays."""

import pytest
from served import face_image, jpeg

from fervt.predict import Predictor


@pytest.fixture
def classified(monkeypatch):
    """A list that grows with each batch of faces that is classified."""
    calls = []
    classify = Predictor.classify_prepared

    def count(self, *arguments, **options):
        calls.append(1)
        return classify(self, *arguments, **options)

    monkeypatch.setattr(Predictor, "classify_prepared", count)
    return calls


@pytest.mark.parametrize("page", ["predict", "explain"])
def test_the_second_visitor_of_an_example_costs_no_reading(open_page, classified, page):
    open_page(page, image="astronaut")
    assert classified
    classified.clear()
    second = open_page(page, image="astronaut")
    assert second.header and not classified
    assert "computed_from_pictures" not in second.session_state


def test_nothing_of_a_visitors_photo_is_remembered_for_others(open_page, monkeypatch):
    shared = []
    monkeypatch.setattr(
        "fervt.ui.remembered._of_example",
        lambda digest, picture, what, compute: shared.append(picture) or compute(),
    )
    app = open_page("predict", image="astronaut")
    uploader = next(u for u in app.file_uploader if u.label == "Photos with faces")
    uploader.upload("me.jpg", jpeg(face_image()))
    app.run()
    assert not app.exception and len(app.query_params["image"]) == 64
    assert app.session_state["computed_from_pictures"]
    assert set(shared) == {"astronaut"}
