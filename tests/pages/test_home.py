import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import tiny
from drawn_evidence import save_five_crop
from synthetic import save_evaluation

from fervt.evaluation.certainty import say_prediction
from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.store import EvaluationStore
from fervt.examples import load_example
from fervt.explain.regions import hide_regions, name_main_region
from fervt.files import file_sha256
from fervt.labels import NOTICE, expression
from fervt.predict import Predictor, to_face

PAGES = Path(__file__).parents[2] / "pages"


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """An evaluation of FER2013's size, saved for alpha alone."""
    metrics = read_metrics(save_evaluation(tmp_path / "alpha" / "x", labels_seen=["ferplus"]))
    spread = (0.6353, 0.6668)
    standard = replace(metrics.standard, n=3589, accuracy=0.6512, accuracy_interval_95=spread)
    clean = replace(metrics.standard, n=3301, accuracy=0.6401)
    tta = replace(metrics.tta, standard=replace(metrics.tta.standard, accuracy=0.6623))
    found = replace(metrics, standard=standard, without_copies=clean, tta=tta)
    monkeypatch.setattr(
        EvaluationStore,
        "metrics",
        lambda self, name, sha256=None: {"PrivateTest": found} if name == "alpha" else {},
    )


def said(app) -> str:
    return "\n".join(text.value for text in app.markdown)


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_it_says_what_is_loaded_and_that_nothing_is_known_of_it(open_page, saved):
    app = open_page("home", checkpoint="beta")
    assert "**beta**, 7 expressions, runs on the " in said(app)
    assert "hasn't been evaluated yet" in said(app)
    assert "Right on" not in said(app) and "Test accuracy" not in said(app)
    assert any(NOTICE in caption.value for caption in app.caption)


def test_figures_of_another_file_of_that_name_are_not_shown(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    save_evaluation(tmp_path / "alpha" / "PrivateTest")
    assert "hasn't been evaluated yet" in said(open_page("home"))


def test_five_crops_are_said_where_they_were_measured(
    open_page, checkpoints, tmp_path, monkeypatch
):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    digest = file_sha256(checkpoints["alpha"])
    folder = save_evaluation(tmp_path / "alpha" / "PrivateTest", checkpoint_sha256=digest)
    assert "crops" not in said(open_page("home"))
    save_five_crop(folder)
    accuracy = read_evaluation(folder).rows(averaging="five-crop").scores.accuracy
    text = f"{accuracy:.1%} when the answers for five crops of each face are averaged."
    assert text in said(open_page("home"))


def test_accuracy_comes_with_n_interval_and_protocol(open_page, saved):
    app = open_page("home")
    assert "Right on **6.5 of 10** faces it has never seen; people manage about 6.5." in said(app)
    assert "**Test accuracy: 65.1%** (95% interval 63.5 to 66.7%, n = 3,589)" in said(app)
    protocol = next(text.value for text in app.markdown if "PrivateTest" in text.value)
    for part in ("66.2%", "64.0%", "n = 3,301", "FER+ votes", "65% ± 5 points", "67%"):
        assert part in protocol


def test_figures_of_a_shipped_checkpoint_are_not_claimed_for_ones_own(open_page, tmp_path, saved):
    own = tiny.save_tiny(tmp_path, seed=7)
    app = open_page("home")
    app.sidebar.file_uploader[0].upload("alpha.safetensors", own.read_bytes())
    app.run()
    assert any("(yours) hasn't been evaluated yet" in i.value for i in app.info)
    assert "Right on" not in said(app) and "Test accuracy" not in said(app)


def test_only_pages_that_exist_are_listed(open_page):
    app = open_page("home")
    links = [link.proto.label for link in app.sidebar.get("page_link")]
    names = [name.replace("_", " ").capitalize() for name in links]
    assert names[:2] == ["Home", "Predict"]
    assert len(names) == len(list(PAGES.glob("*.py")))


@pytest.mark.parametrize("page", sorted(path.stem for path in PAGES.glob("*.py")))
def test_every_page_opens_by_a_cold_deep_link(open_page, page):
    app = open_page(page)
    assert app.title


def test_what_a_page_redraws_by_itself_ends_when_it_is_left(open_page, monkeypatch):
    ended = []
    storage = SimpleNamespace(clear=lambda: ended.append(True))
    monkeypatch.setattr(
        "fervt.ui.navigation.get_script_run_ctx", lambda: SimpleNamespace(fragment_storage=storage)
    )
    app = open_page("live")
    app.run()
    assert not ended
    app.switch_page("pages/home.py").run()
    assert len(ended) == 1
    monkeypatch.setattr("fervt.ui.navigation.get_script_run_ctx", lambda: None)
    app.switch_page("pages/live.py").run()  # where Streamlit has no such thing
    assert not app.exception


def test_a_real_face_is_shown_with_its_answer_and_what_decides(open_page, checkpoints):
    app = open_page("home")
    predictor = Predictor(checkpoints["alpha"])
    face = predictor.predict(load_example("astronaut"))[0]
    effects = hide_regions(predictor, to_face(face.crop))
    leading = int(face.probabilities.argmax())
    drops = {n: float(effects.plain[leading] - p[leading]) for n, p in effects.hidden.items()}
    answer = say_prediction(face.probabilities, face.classes)
    assert app.header[0].value == f"{answer}: {name_main_region(drops)}"
    (hero,) = [c for c in app.get("bidi_component") if c.proto.component_name == "fervt_board"]
    board = json.loads(hero.proto.json)
    assert len(board["panels"][0]["fills"]) == 49
    name = expression(face.classes[leading]).name
    assert [words for _, words in board["legend"]] == [
        f"hiding it makes {name} less likely",
        f"hiding it makes {name} more likely",
    ]


@pytest.fixture
def opened(monkeypatch) -> list[tuple[str, dict[str, str]]]:
    """The pages that were gone to, with their parameters; the test's app stays where it is."""
    pages: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        "streamlit.switch_page", lambda path, query_params: pages.append((path, query_params))
    )
    return pages


def test_the_two_buttons_lead_to_ones_own_face(open_page, opened):
    app = open_page("home", image="astronaut", face="2", whole="1", checkpoint="beta")
    press(app, "Use my webcam")
    assert opened.pop()[0] == "pages/live.py"
    press(app, "Drop a photo")
    assert opened == [("pages/predict.py", {"checkpoint": "beta"})]


def test_another_face_is_one_click_from_its_explanation(open_page, opened):
    press(open_page("home", face="2", whole="1"), "Mirrored")
    assert opened == [("pages/explain.py", {"image": "mirrored"})]


def test_each_stage_shows_what_it_made_of_the_face(open_page):
    app = open_page("home")
    stages = [b.label for b in app.button if (b.key or "").startswith("press_stage_")]
    assert stages == ["Input", "GWA", "Fusion", "Graph", "L1", "L2", "L3", "Tokens"]
    app.button(key="press_stage_l2").click().run()
    assert app.query_params["stage"] == "l2" and "**L2.**" in said(app)
