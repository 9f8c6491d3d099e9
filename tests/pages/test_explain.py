"""The Explain page without a browser; `e2e/test_explain.py` clicks in it."""

import json
from dataclasses import replace

import pytest
import tiny
import torch
from drawn_evidence import save_parts
from synthetic import save_evaluation

from fervt.checkpoint import CheckpointInfo, save_checkpoint
from fervt.data.transforms import Preprocess
from fervt.evaluation.same_map import find_following, find_same_map
from fervt.explain import SOURCES, explain_face
from fervt.explain.regions import describe_drops, hide_regions
from fervt.labels import FER2013, NOTICE, expression
from fervt.model import FERVTGNN
from fervt.predict import Predictor, to_face

VIEWS = ["Evidence", "Pipeline", "Tokens", "Is it faithful?", "What if", "Numbers", "Download"]


@pytest.fixture
def explanation(checkpoints, example_image):
    predictor = Predictor(checkpoints["alpha"])
    return explain_face(predictor, to_face(predictor.predict(example_image)[0].crop))


@pytest.fixture
def example_image():
    from fervt.examples import load_example

    return load_example("astronaut")


def captions(app) -> str:
    return "\n".join(caption.value for caption in app.caption)


def board(app) -> dict:
    (found,) = [c for c in app.get("bidi_component") if c.proto.component_name == "fervt_board"]
    return json.loads(found.proto.json)


def words(app) -> str:
    return "\n".join(text.value for text in app.markdown)


def charts(app) -> int:
    return len(app.get("plotly_chart"))


def press(app, label: str):
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_a_deep_link_with_its_time_and_the_notice(open_page, view):
    app = open_page("explain", image="astronaut", view=view, cell="2,3")
    assert "evidence of all panels in" in captions(app)
    assert NOTICE in captions(app)
    assert not app.error and not app.warning


def test_the_page_opens_with_an_example_and_without_its_depths(open_page):
    app = open_page("explain")
    assert app.header and not app.tabs and not charts(app)
    assert [panel["title"] for panel in board(app)["panels"]] == [
        "Occlusion",
        "GWA",
        "Graph attention",
        "Grad-CAM",
    ]
    next(t for t in app.toggle if t.label.startswith("For researchers")).set_value(True).run()
    assert app.query_params["depths"] == "1" and [tab.label for tab in app.tabs] == VIEWS


@pytest.mark.parametrize(("share", "own"), [(0.93, True), (0.43, True), (0.93, False)])
def test_a_map_that_is_the_same_for_every_face_is_called_so(
    open_page, checkpoints, tmp_path, monkeypatch, share, own
):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    monkeypatch.setattr("fervt.ui.same_map._find", find_same_map)  # not what another test found
    digest = Predictor(checkpoints["alpha"]).sha256 if own else "0" * 64
    save_parts(save_evaluation(tmp_path / "alpha" / "x", checkpoint_sha256=digest), share=share)
    panel = board(open_page("explain"))["panels"][1]
    said = "Nearly the same for every face: the average map explains 93% of its variance."
    measured = "Over 240 faces of PrivateTest, the average map explains 93% of the variance of GWA."
    home = words(open_page("home"))
    if own and share > 0.6:
        assert panel["note"].endswith(said) and panel["help"].endswith(measured)
        assert said in home
    else:
        assert "every face" not in panel["note"] + panel["help"] + home


@pytest.mark.parametrize(("stays", "offered"), [(0.4, True), (0.8, False)])
def test_beside_such_a_map_a_checkpoint_whose_map_follows_the_face_is_offered(
    open_page, checkpoints, tmp_path, monkeypatch, stays, offered
):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    monkeypatch.setattr("fervt.ui.same_map._find", find_same_map)
    monkeypatch.setattr("fervt.ui.same_map._find_following", lambda _: find_following(FER2013))
    monkeypatch.setattr("fervt.evaluation.same_map.shipped_checkpoints", lambda: checkpoints)
    for name, share in (("alpha", 0.93), ("beta", 0.4)):
        digest = Predictor(checkpoints[name]).sha256
        folder = save_evaluation(tmp_path / name / "x", checkpoint_sha256=digest)
        save_parts(folder, share=share, stays=stays)

    def offers(app) -> list:
        return [
            button for button in app.button if button.label == "With beta, GWA follows the face"
        ]

    app = open_page("explain", image="astronaut", target="sad")
    assert bool(offers(app)) == offered
    if offered:
        offers(app)[0].click().run()
        assert app.query_params == {"image": "astronaut", "target": "sad", "checkpoint": "beta"}
        assert not offers(app)


def test_a_question_mark_leads_to_the_glossary_in_this_session(open_page, monkeypatch):
    gone = []
    monkeypatch.setattr("fervt.ui.explain.board.leave_for", lambda *there: gone.append(there))
    monkeypatch.setattr("fervt.ui.explain.board.mount", lambda *given: given[3]("gwa"))
    open_page("explain", image="astronaut")
    assert gone == [("glossary", {"image": "astronaut", "term": "gwa"})]


def test_a_link_to_a_view_opens_the_depths_which_stay_open_until_they_are_closed(open_page):
    app = open_page("explain", view="Evidence")
    assert "view" not in app.query_params  # Streamlit drops the first tab
    app.query_params["cell"] = "5,3"
    app.run()
    assert [tab.label for tab in app.tabs] == VIEWS and app.metric
    app = open_page("explain", view="Tokens")
    next(t for t in app.toggle if t.label.startswith("For researchers")).set_value(False).run()
    assert not app.tabs


def test_the_sentence_holds_what_hiding_each_region_costs(open_page, checkpoints, example_image):
    predictor = Predictor(checkpoints["alpha"])
    face = to_face(predictor.predict(example_image)[0].crop)
    effects, target = hide_regions(predictor, face), explain_face(predictor, face).predicted
    plain = target.score(effects.plain)
    drops = {name: float(plain - target.score(left)) for name, left in effects.hidden.items()}
    assert f"**{describe_drops(drops)}**" in words(open_page("explain", image="astronaut"))


def test_each_cell_is_read_in_points_and_ranks(open_page, explanation):
    shown = board(open_page("explain", image="astronaut", cell="4,1"))
    assert shown["cell"] == 29
    maps = explanation.maps(explanation.predicted)
    line = shown["lines"][29]
    assert line.startswith("Cheeks (row 4, column 1): hiding it changes the probability of ")
    assert f"{-100 * maps['occlusion'][4, 1]:+.1f} points" in line
    for title, key in (("Occlusion", "occlusion"), ("Grad-CAM", "grad_cam")):
        assert f"{title} {1 + int((maps[key] > maps[key][4, 1]).sum())}" in line
    graph = next(p["graph"] for p in shown["panels"] if "graph" in p)
    values = [edge[2] for edge in graph["edges"]]
    assert len(values) == 168 and values == sorted(values, reverse=True)


def test_the_marked_cell_is_read_from_the_address(open_page, explanation):
    app = open_page("explain", image="astronaut", cell="4,1", view="Evidence")
    assert any("row 4, column 1" in text.value for text in app.markdown)
    metrics = {metric.label: metric for metric in app.metric}
    maps = explanation.maps(explanation.predicted)
    for key, values in maps.items():
        shown = float(metrics[SOURCES[key].title].value)
        assert shown == pytest.approx(float(values[4, 1]), abs=6e-4, rel=6e-3)
        rank = 1 + int((values > values[4, 1]).sum())
        assert metrics[SOURCES[key].title].delta == f"rank {rank} of 49"
    press(app, "Unmark")
    assert "cell" not in app.query_params and not app.metric


@pytest.mark.parametrize("cell", ["7,0", "-1,2", "a", "1,2,3", "²,1", ""])
def test_a_cell_that_is_not_there_is_ignored(open_page, cell):
    app = open_page("explain", image="astronaut", cell=cell, view="Evidence")
    assert not app.metric and not app.error


def test_the_target_and_its_contrast_are_kept_in_the_address(open_page):
    app = open_page("explain", image="astronaut", view="Tokens")
    app.selectbox(key="explain_target").select("fear").run()
    app.selectbox(key="explain_against").select("surprise").run()
    assert app.query_params["target"] == "fear" and app.query_params["against"] == "surprise"
    assert "probability of Fearful minus that of Surprised" in captions(app)
    app = open_page("explain", image="astronaut", view="Tokens", target="fear", against="surprise")
    assert "probability of Fearful minus that of Surprised" in captions(app)
    app = open_page("explain", image="astronaut", view="Tokens", target="joy", against="joy")
    assert not app.error


def test_faithfulness_is_measured_when_asked_for(open_page):
    app = open_page("explain", image="astronaut", view="Is it faithful?")
    before = charts(app)
    assert "On this face, " not in captions(app)
    press(app, "Measure against 20 random orders")
    assert charts(app) == before + 1
    scores = app.dataframe[0].value
    assert list(scores["map"]) == [source.title for source in SOURCES.values()]
    assert {"deletion z", "insertion z"} <= set(scores.columns)
    assert "On this face, " in captions(app)
    press(app, "Compare with an untrained twin")
    assert "Rank correlation of the two maps" in captions(app)


def test_what_many_faces_say_is_drawn_and_can_be_read(open_page, monkeypatch):
    gains = {"deletion_gain": 0.05, "deletion_interval_95": [0.04, 0.06]}
    gains |= {"insertion_gain": -0.0001, "insertion_interval_95": [-0.02, 0.03]}
    row = gains | {"verdict": "better than random", "over_mean_map": gains}
    table = {"faces": 500, "split": "PublicTest", "random_orders": 20, "cells_per_step": 7}
    table["sources"] = dict.fromkeys(SOURCES, row)
    app = open_page("explain", image="astronaut", view="Is it faithful?")
    before = charts(app)
    monkeypatch.setattr("fervt.ui.explain.faithfulness.read_table", lambda sha256: table)
    app = open_page("explain", image="astronaut", view="Is it faithful?")
    assert charts(app) == before + 1
    assert "A mean map is the same for every face" in captions(app)
    numbers = app.dataframe[0].value
    assert set(numbers["gain (95% interval)"]) == {
        "+0.050 (+0.040 to +0.060)", "0.000 (-0.020 to +0.030)",
    }  # fmt: skip
    assert len(numbers) == 4 * len(SOURCES)


def test_a_click_right_after_a_choice_starts_the_work(open_page):
    app = open_page("explain", image="astronaut", view="Is it faithful?")
    next(box for box in app.selectbox if box.label == "Precision").select_index(1)
    press(app, "Measure against 20 random orders")
    assert "On this face, " in captions(app)


def test_what_if_tries_every_change_when_asked_for(open_page):
    app = open_page("explain", image="astronaut", view="What if")
    assert charts(app) == 0
    press(app, "Try all changes")
    assert charts(app) == 1
    app.select_slider(key="what_if_blur").set_value(2.0).run()
    assert app.metric[0].delta.endswith("points")
    assert not app.exception


@pytest.fixture
def other_checkpoints(checkpoints, tmp_path):
    for name, changes in {
        "bare": {"use_gnn": False, "use_gwa": False},
        "plus": {"vocabulary": "ferplus"},
    }.items():
        config = replace(tiny.CONFIG, **changes)
        torch.manual_seed(1)
        path = tmp_path / f"{name}.safetensors"
        save_checkpoint(path, FERVTGNN(config), CheckpointInfo(config, Preprocess(28, 0.5, 0.25)))
        checkpoints = {**checkpoints, name: path}
    return checkpoints


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["bare", "plus"])
def test_every_kind_of_checkpoint_has_every_view(
    open_page, other_checkpoints, monkeypatch, name, view
):
    monkeypatch.setattr("fervt.ui.checkpoints.shipped_checkpoints", lambda: other_checkpoints)
    app = open_page("explain", image="astronaut", view=view, checkpoint=name, cell="1,1")
    assert not app.error
    told = [info.value for info in app.info if "was built without" in info.value]
    assert bool(told) == (name == "bare" and view in ("Evidence", "Pipeline", "Numbers"))
    if name == "plus" and view == "Evidence":
        assert expression("contempt").name in app.selectbox(key="explain_target").options
