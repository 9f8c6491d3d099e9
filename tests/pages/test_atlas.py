"""Where it looks, Slices, Robustness and Compare's two, without a browser."""

import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny
from drawn_evidence import save_evidence, save_parts, save_robustness
from synthetic import save_evaluation

from fervt.data.prepared import PreparedData, write_prepared
from fervt.evaluation.atlas import compare_edges, compare_maps, compare_paired_edges
from fervt.evaluation.corrections import Corrections
from fervt.evaluation.evidence import FILE
from fervt.evaluation.robustness import corruption_error
from fervt.evaluation.saved import SavedEvaluation, read_evaluation
from fervt.files import file_sha256
from fervt.ui.evaluation.measured import MAP_ROWS
from fervt.ui.evaluation.where_it_looks import _face_of
from fervt.ui.jobs import server_jobs


@pytest.fixture(autouse=True)
def shelf(tmp_path, monkeypatch, checkpoints):
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path)
    monkeypatch.setattr("fervt.ui.compare.selection.shipped_checkpoints", lambda: checkpoints)
    monkeypatch.delenv("FERVT_DATA", raising=False)
    return tmp_path


@pytest.fixture
def folder(shelf):
    return save_evaluation(shelf / "alpha" / "PrivateTest")


def words(app) -> str:
    every = "\n".join([*(m.value for m in app.markdown), *(c.value for c in app.caption)])
    return every.replace("\\", "").replace("\u2060", "")


def metric(app, title: str) -> str:
    return next(m.value for m in app.metric if m.label == title)


def test_the_atlas_says_what_differs_between_right_and_wrong(open_page, folder) -> None:
    evidence = save_evidence(folder)
    rows = read_evaluation(folder).rows()
    app = open_page("evaluation", checkpoint="alpha", view="Where it looks")
    maps = evidence.maps["gwa"]
    assert compare_maps(maps[rows.right], maps[~rows.right]).is_clear[5, 3]
    said = words(app)
    assert "Clearly different, right answers against wrong answers: " in said
    assert "less in 1 cell (mouth)" in said
    assert "differs from face to face" in said
    for index, name in enumerate(rows.classes):
        count = int((rows.labels == index).sum())
        assert (f", n = {count}" in said) == (count > 1), name
    assert len(app.get("plotly_chart")) == 5


def test_a_map_that_is_the_same_for_everybody_is_said_to_be_so(open_page, folder) -> None:
    save_evidence(folder, template=True)
    app = open_page("evaluation", checkpoint="alpha", view="Where it looks")
    assert "The map is nearly the same for everybody" in words(app)


def test_a_cell_of_the_matrix_stands_against_its_labels_right_answers(open_page, folder) -> None:
    save_evidence(folder)
    rows = read_evaluation(folder).rows()
    app = open_page(
        "evaluation", checkpoint="alpha", view="Where it looks", label="fear", predicted="sad",
        evidence="gat",
    )  # fmt: skip
    cell = int(((rows.labels == 2) & (rows.predicted == 4)).sum())
    right = int(((rows.labels == 2) & rows.right).sum())
    said = words(app)
    assert "**Faces labeled Fearful taken for Sad**" in said
    assert f"Mean of {cell} faces, " in said and f"Mean of {right} faces, " in said
    assert "edges differ clearly from faces labeled Fearful answered right" in said
    app = open_page(
        "evaluation", checkpoint="alpha", view="Where it looks", label="disgust",
    )  # fmt: skip
    assert any("A mean map needs at least two faces" in i.value for i in app.info)


def test_a_selection_in_the_map_stands_against_all_others(open_page, folder) -> None:
    save_evidence(folder)
    rows = read_evaluation(folder).rows()
    app = open_page("evaluation", checkpoint="alpha", view="Map")
    chosen = np.arange(20, 60)
    digest = read_evaluation(folder).digest
    app.session_state[MAP_ROWS] = (digest, rows.table["row"].to_numpy()[chosen])
    app.run()
    assert not app.exception
    assert "40 selected faces" in [s.value for s in app.subheader]
    scores = rows.select(chosen).scores
    shown = [m.value for m in app.metric if m.label == "Accuracy"]
    assert shown[-1] == f"{100 * scores.accuracy:.1f}%"
    assert "the selected faces" in words(app).lower()
    next(b for b in app.button if b.label == "Clear the selection").click().run()
    assert "40 selected faces" not in [s.value for s in app.subheader]


@pytest.mark.parametrize("of", ["right", "cell", "selection"])
def test_the_graphs_edges_of_any_selection_are_those_of_its_faces(open_page, folder, of) -> None:
    evidence, saved = save_evidence(folder), read_evaluation(folder)
    rows = saved.rows()
    app = open_page(
        "evaluation", checkpoint="alpha", view="Where it looks", evidence="gat",
        **({"label": "fear", "predicted": "sad"} if of == "cell" else {}),
    )  # fmt: skip
    chosen = np.zeros(len(rows), bool)
    chosen[20:60] = True
    group, other, name = {
        "right": (rows.right, ~rows.right, "wrong answers"),
        "cell": (
            (rows.labels == 2) & (rows.predicted == 4), (rows.labels == 2) & rows.right,
            "faces labeled Fearful answered right",
        ),
        "selection": (chosen, ~chosen, "the other faces"),
    }[of]  # fmt: skip
    if of == "selection":
        app.session_state[MAP_ROWS] = (saved.digest, rows.table["row"].to_numpy()[chosen])
        app.run()
    assert not app.exception
    difference = compare_edges(evidence.edges.attention(group), evidence.edges.attention(other))
    assert difference.is_clear[60] or of != "right"  # the edge that tells right from wrong
    count = int(difference.is_clear.sum())
    assert f"{count} of 217 edges differ clearly from {name}" in words(app)


def test_another_evaluations_selection_is_not_shown(open_page, folder) -> None:
    save_evidence(folder)
    app = open_page("evaluation", checkpoint="alpha", view="Map")
    app.session_state[MAP_ROWS] = ("another", np.arange(32298, 32400))
    app.run()
    assert not any("selected faces" in s.value for s in app.subheader)


def test_slices_are_listed_and_their_faces_shown(open_page, folder) -> None:
    save_evidence(folder)
    app = open_page("evaluation", checkpoint="alpha", view="Slices", slice="0")
    assert app.table and set(app.table[0].value.columns) == {
        "Faces", "Accuracy", "n", "p, corrected",
    }  # fmt: skip
    choices = next(s for s in app.selectbox if s.label == "Slice by").options
    assert choices == ["Brightness", "Confidence"]  # nobody voted
    assert app.dataframe  # no faces at hand: the gallery's table
    assert any(d.proto.label.endswith("rows (.csv)") for d in app.get("download_button"))


def test_what_it_holds_up_to_is_said_with_its_figures(open_page, folder) -> None:
    found = save_robustness(folder)
    app = open_page("evaluation", checkpoint="alpha", view="Robustness")
    labels = read_evaluation(folder).plain["label"].to_numpy()[found.positions]
    error = corruption_error(found, labels)
    assert error is not None
    assert metric(app, "Mean corruption error") == f"{100 * error.mean:.1f}%"
    assert len(app.get("plotly_chart")) == 10
    assert words(app).count("breaks at") == 10
    assert "60 faces" in words(app)


def test_a_run_that_is_not_whole_says_how_to_go_on(open_page, folder) -> None:
    save_robustness(folder, done=23)
    app = open_page("evaluation", checkpoint="alpha", view="Robustness")
    assert any("22 of 50 conditions are measured" in w.value for w in app.warning)
    assert len(app.get("plotly_chart")) == 4


@pytest.mark.parametrize("view", ["Where it looks", "Slices", "Robustness"])
def test_without_measurements_each_tab_says_how_to_get_them(open_page, folder, view) -> None:
    app = open_page("evaluation", checkpoint="alpha", view=view)
    assert any("not" in i.value for i in app.info)
    assert "choose alpha in the sidebar" in words(app)


def test_damaged_evidence_is_named(open_page, folder) -> None:
    save_evidence(folder)
    (folder / FILE).write_bytes(b"nothing")
    app = open_page("evaluation", checkpoint="alpha", view="Where it looks")
    assert any("'evidence.npz' is damaged" in w.value for w in app.warning)


@pytest.fixture
def with_faces(shelf, tmp_path, monkeypatch, checkpoints):
    """An evaluation by the very checkpoint that is loaded, and the faces it is of."""
    labels = np.arange(30) % 7
    data = PreparedData.from_rows(
        tiny.draw_faces(labels, 1), np.arange(30) + 32298, np.repeat("PrivateTest", 30), labels,
        np.tile(np.array([0, 3, 0, 5, 0, 0, 1, 0, 1, 0], np.uint8), (30, 1)), "drawn", "drawn",
    )  # fmt: skip
    write_prepared(data, tmp_path / "faces.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "faces.parquet"))
    return save_evaluation(
        shelf / "alpha" / "PrivateTest", count=30, shas=data.sha256.tolist(),
        checkpoint_sha256=file_sha256(checkpoints["alpha"]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("view", "label", "parameter", "then"),
    [
        ("Where it looks", "Measure the evidence", "evidence_job", "By region of the face"),
        (
            "Robustness",
            "Corrupt up to 1,000 faces",
            "robustness_job",
            "Accuracy on corrupted images",
        ),
        ("Parts", "Measure the parts", "parts_job", "What does each part contribute?"),
        (
            "Benchmarks",
            "Average over five crops",
            "five_crop_job",
            "Five crops: averaged over five windows",
        ),
    ],
)
def test_what_is_missing_is_measured_by_a_job(
    open_page, with_faces, view, label, parameter, then
) -> None:
    app = open_page("evaluation", checkpoint="alpha", view=view)
    next(b for b in app.button if b.label == label).click().run()
    job = server_jobs().find(app.query_params[parameter])
    deadline = time.monotonic() + 240
    while job.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    app.run()
    assert not app.exception
    assert then in words(app)


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize(
    ("view", "label", "parameter", "then"),
    [
        ("Where it looks", "Measure the evidence", "evidence_job", "By region of the face"),
        ("Parts", "Measure the parts", "parts_job", "What does each part contribute?"),
        ("Benchmarks", "Average over five crops", "five_crop_job", "ive crops"),
    ],
)
def test_what_a_visitors_file_gave_is_not_kept_for_everybody(
    open_page, with_faces, tmp_path, monkeypatch, own, view, label, parameter, then
) -> None:
    kept, keep = [], SavedEvaluation.keep

    def watch(self, found) -> None:
        kept.append(found)
        keep(self, found)

    monkeypatch.setattr(SavedEvaluation, "keep", watch)
    app = open_page("evaluation", checkpoint="alpha", view=view)
    if own:
        monkeypatch.delenv("FERVT_DATA")
        app.session_state["own_prepared_file"] = (tmp_path / "faces.parquet").read_bytes()
        app.run()
    next(b for b in app.button if b.label == label).click().run()
    job = server_jobs().find(app.query_params[parameter])
    deadline = time.monotonic() + 240
    while job.state == "running":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    app.run()
    assert not app.exception
    assert then in words(app), "the visitor sees it"
    assert len(kept) == (0 if own else 1)
    assert ("in this session" in words(app)) == (own and label == "Average over five crops")


def test_a_file_that_lacks_a_face_leaves_nothing_behind() -> None:
    evaluation = SavedEvaluation(None, None, None, None, "0")
    rows = np.ones(30, bool)
    table = pd.DataFrame({"image_sha256": [f"{i:064x}" for i in range(30)]})
    drawn = np.full((30, 48, 48), 9, np.uint8)
    stored = SimpleNamespace(mean_face=np.zeros((48, 48), np.uint8), crop=1.0)

    def face(found):
        view = SimpleNamespace(
            evaluation=evaluation, key="k", rows=SimpleNamespace(table=table),
            faces=SimpleNamespace(select=lambda _: found),
        )  # fmt: skip
        return _face_of(view, stored, rows)

    assert (face(None) == 0).all()
    assert (face(SimpleNamespace(images=drawn)) == 9).all()


def test_two_checkpoints_are_compared_in_both(open_page, shelf) -> None:
    for number, name in enumerate(("alpha", "beta")):
        place = save_evaluation(shelf / name / "PrivateTest", name, seed=number)
        save_evidence(place, seed=number)
        save_robustness(place, seed=number)
    app = open_page("compare", checkpoint="alpha", view="Where they look", **{"with": "beta"})
    assert "**beta minus alpha**" in words(app)
    assert "Clearly different, beta against alpha: " in words(app)
    app = open_page(
        "compare", checkpoint="alpha", view="Where they look", evidence="gat", **{"with": "beta"}
    )
    edges = [
        read_evaluation(shelf / name / "PrivateTest").evidence().edges for name in ("alpha", "beta")
    ]
    every = np.arange(len(edges[0].steps))
    difference = compare_paired_edges(*(each.attention(every) for each in reversed(edges)))
    count = int(difference.is_clear.sum())
    assert f"{count} of 217 edges differ clearly from those of alpha" in words(app)
    app = open_page("compare", checkpoint="alpha", view="Robustness", **{"with": "beta"})
    assert len(app.get("plotly_chart")) == 10
    assert {"alpha: mean corruption error", "beta: mean corruption error"} <= {
        m.label for m in app.metric
    }


def test_a_comparison_says_what_the_parts_of_both_contribute(open_page, shelf) -> None:
    for name, cost in (("alpha", 0.1), ("beta", 0.2)):
        folder = save_evaluation(shelf / name / "PrivateTest", name)
        found = save_parts(folder, cost)
    app = open_page("compare", checkpoint="alpha", view="Where they look", **{"with": "beta"})
    assert words(app).count("Its attention follows the face. ") == 2
    table = app.table[0].value
    assert list(table.columns) == ["With", "alpha", "beta"]
    assert list(table.iloc[1]) == ["GWA off", "-10.0 (-11.0 to -9.0)", "-20.0 (-21.0 to -19.0)"]
    reached = f"where the unchanged model reaches {found.accuracy:.1%}"
    assert words(app).count("(n = 240, FER2013 labels)") == 2 and reached in words(app)


def test_a_comparison_names_what_was_not_measured(open_page, shelf) -> None:
    for name in ("alpha", "beta"):
        save_evaluation(shelf / name / "PrivateTest", name)
    save_evidence(shelf / "alpha" / "PrivateTest")
    for view in ("Where they look", "Robustness"):
        app = open_page("compare", checkpoint="alpha", view=view, **{"with": "beta"})
        assert any("hasn't been measured for" in i.value for i in app.info)


def test_labels_are_corrected_on_the_page_only_where_the_file_is_named(
    open_page, with_faces, tmp_path, monkeypatch
) -> None:
    rows = read_evaluation(with_faces).rows()
    number = int(rows.table["row"].iloc[4])
    app = open_page("evaluation", checkpoint="alpha", row=str(number))
    assert not [b for b in app.button if b.label == "The label is wrong"]
    monkeypatch.setenv("FERVT_ANNOTATIONS", str(tmp_path / "corrections.db"))
    app = open_page("evaluation", checkpoint="alpha", row=str(number))
    reading = next(s for s in app.selectbox if s.label == "Your reading")
    reading.select("surprise").run()
    next(b for b in app.button if b.label == "The label is wrong").click().run()
    assert not app.exception and "Marked as wrong, Surprised" in words(app)
    entry = Corrections.open(tmp_path / "corrections.db").latest()
    assert entry[rows.table["image_sha256"].iloc[4]].reading == "surprise"
    app = open_page("evaluation", checkpoint="alpha", truth="corrected")
    assert "As corrected here: 1 of 30 faces, 0 of them left without a label." in words(app)
    right = rows.right.copy()
    right[4] = rows.classes[rows.predicted[4]] == "surprise"
    assert metric(app, "Accuracy") == f"{100 * right.mean():.1f}%"
    app = open_page("evaluation", checkpoint="alpha", truth="corrected", view="Benchmarks")
    assert "measured against FER2013's own labels only" in " ".join(i.value for i in app.info)
    assert "Against the original labels, not the corrected ones." in words(app)
    for view in ("Classes", "Confidence", "Map"):
        assert not open_page("evaluation", checkpoint="alpha", truth="corrected", view=view).error
