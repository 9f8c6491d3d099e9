"""An address that names what isn't here: every parameter says so once, and shows its default."""

import numpy as np
import pytest
import tiny
from drawn_evidence import save_evidence, save_robustness
from streamlit.testing.v1 import AppTest
from synthetic import save_evaluation

from fervt.data.prepared import PreparedData, write_prepared
from fervt.ui.dead_links import NOUNS
from fervt.ui.jobs import PARAMETERS
from fervt.ui.text import as_text

NONSENSE = "**no** <b>such [$x$](y)"

EXPLAIN = {"image": "astronaut", "whole": "1", "depths": "1"}
EVIDENCE = ("explain", EXPLAIN | {"view": "Evidence"})
MISTAKES = ("evaluation", {})
LOOKS = ("evaluation", {"view": "Where it looks"})
MAP = ("evaluation", {"view": "Map"})
PLACES = {
    "against": EVIDENCE,
    "bars": ("live", {"source": "video"}),
    "block": ("explain", EXPLAIN | {"view": "Tokens"}),
    "broken_page": ("compare", {"view": "Gains and losses"}),
    "by": LOOKS,
    "cell": EVIDENCE,
    "change": ("explain", EXPLAIN | {"view": "What if"}),
    "checkpoint": ("home", {}),
    "color": MAP,
    "copies": MISTAKES,
    "cost": ("compare", {"view": "Cost"}),
    "curve": ("evaluation", {"view": "Robustness"}),
    "data": ("evaluation", {"source": "data"}),
    "depths": ("explain", {"image": "astronaut", "whole": "1"}),
    "dim": EVIDENCE,
    "drag": MAP,
    "edges": EVIDENCE,
    "evidence": LOOKS,
    "face": ("predict", {"image": "astronaut"}),
    "fixed_page": ("compare", {"view": "Gains and losses"}),
    "head": EVIDENCE,
    "image": ("predict", {}),
    "label": MISTAKES,
    "layer": EVIDENCE,
    "layout": MAP,
    "matrix": MISTAKES,
    "nodes": EVIDENCE,
    "opacity": EVIDENCE,
    "order": MISTAKES,
    "other": ("compare", {"view": "Classes", "with": "beta,gamma"}),
    "overlay": ("live", {"source": "video"}),
    "page": MISTAKES,
    "people_page": ("evaluation", {"view": "People"}),
    "people_side": ("evaluation", {"view": "People"}),
    "predicted": MISTAKES,
    "row": MISTAKES,
    "slice": ("evaluation", {"view": "Slices"}),
    "slice_by": ("evaluation", {"view": "Slices"}),
    "slide": ("evaluation", {}),
    "smoothing": ("live", {"source": "video"}),
    "source": ("evaluation", {}),
    "split": ("evaluation", {}),
    "stage": ("home", {}),
    "stretch": EVIDENCE,
    "target": EVIDENCE,
    "term": ("glossary", {}),
    "token_head": ("explain", EXPLAIN | {"view": "Tokens"}),
    "truth": MISTAKES,
    "tta": MISTAKES,
    "view": ("evaluation", {}),
    "way": ("predict", {}),
    "whole": ("predict", {"image": "astronaut"}),
    "with": ("compare", {}),
}
# These are read once other work is done.
LATER = ("expression", "maps", "mirror", "sort")
JOBS = ("job", *PARAMETERS.values())


@pytest.fixture
def shelf(tmp_path, monkeypatch, checkpoints):
    """Three checkpoints, evaluated and measured on the same drawn faces, which are at hand."""
    gamma = tiny.save_tiny(tmp_path / "gamma.safetensors", 2)
    checkpoints = checkpoints | {"gamma": gamma}
    for module in ("checkpoints", "compare.selection"):
        monkeypatch.setattr(f"fervt.ui.{module}.shipped_checkpoints", lambda: checkpoints)
    monkeypatch.setattr("fervt.resources.EVALUATIONS", tmp_path / "shelf")
    count = 90
    labels, numbers = np.arange(count) % 7, np.arange(count) + 32298
    votes = np.tile(np.array([0, 3, 0, 5, 0, 0, 1, 0, 1, 0], np.uint8), (count, 1))
    split, faces = np.repeat("PrivateTest", count), tiny.draw_faces(labels, 1)
    data = PreparedData.from_rows(faces, numbers, split, labels, votes, "as drawn", "drawn")
    write_prepared(data, tmp_path / "faces.parquet")
    monkeypatch.setenv("FERVT_DATA", str(tmp_path / "faces.parquet"))
    for seed, name in enumerate(checkpoints):
        folder = tmp_path / "shelf" / name / "PrivateTest"
        save_evaluation(folder, name, count=count, seed=seed, shas=data.sha256.tolist())
        save_evidence(folder)
        save_robustness(folder)


def notices(app) -> list[str]:
    return [each.value for each in app.warning if each.icon == ":material/link_off:"]


def test_every_parameter_is_tried_here() -> None:
    assert sorted(NOUNS) == sorted([*PLACES, *LATER, *JOBS])


@pytest.mark.parametrize("name", PLACES)
def test_what_is_not_here_is_said_and_the_default_shown(open_page, shelf, name) -> None:
    page, others = PLACES[name]
    (said,) = notices(open_page(page, **{**others, name: NONSENSE}))
    assert said.startswith(f"The link names the {NOUNS[name]} '")
    assert as_text(NONSENSE) in said and "; showing " in said and said.endswith(".")
    assert notices(open_page(page, **others)) == []


@pytest.mark.parametrize("name", LATER)
def test_choices_that_come_later_say_it_too(name) -> None:
    def script(name: str) -> None:
        from fervt.ui.choices import pick_flag, pick_one
        from fervt.ui.dead_links import make_place

        make_place()
        if name in ("maps", "mirror"):
            assert pick_flag("Title", name, True)
        else:
            assert pick_one("Title", name, {"a": "First", "b": "Second"}, "a") == "a"

    app = AppTest.from_function(script, args=(name,), default_timeout=60)
    app.query_params[name] = NONSENSE
    app.run()
    assert not app.exception
    (said,) = notices(app)
    assert "showing 'First'" in said or "showing 'on'" in said


@pytest.mark.parametrize("name", JOBS)
def test_work_that_is_gone_is_said(name) -> None:
    def script(kind: str) -> None:
        from fervt.ui.dead_links import make_place
        from fervt.ui.jobs import find_job

        make_place()
        assert find_job(kind) is None

    kinds = {parameter: kind for kind, parameter in PARAMETERS.items()}
    app = AppTest.from_function(script, args=(kinds.get(name, "video"),), default_timeout=60)
    app.query_params[name] = NONSENSE
    app.run()
    assert not app.exception
    assert notices(app) == ["What this link showed is no longer on this server. Start it again."]


def test_one_of_several_names_is_unknown(open_page, shelf) -> None:
    app = open_page("compare", checkpoint="alpha", **{"with": "banana,gamma,alpha"})
    assert app.multiselect[0].value == ["gamma"]
    assert notices(app) == [
        "The link names the checkpoint 'banana', which isn't here; showing 'gamma'."
    ]
    app = open_page("compare", checkpoint="alpha", **{"with": "banana"})
    assert app.multiselect[0].value == ["beta"]
    assert "showing 'beta'" in notices(app)[0]


FORMER = [("evaluation", "Holds up to"), ("compare", "Hold up to")]


@pytest.mark.parametrize(("page", "former"), FORMER)
def test_older_links_open_the_section_by_its_former_name(open_page, shelf, page, former) -> None:
    app = open_page(page, checkpoint="alpha", view=former)
    assert any("Accuracy on corrupted images" in each.value for each in app.markdown)
    assert notices(app) == []


def test_another_choice_starts_at_the_first_page(open_page, shelf) -> None:
    app = open_page("evaluation", checkpoint="alpha", page="2")
    assert any(each.value == "Page 2 of 5" for each in app.caption)
    next(g for g in app.button_group if g.label == "Sort by confidence").set_value("rising").run()
    assert "page" not in app.query_params and notices(app) == []


def test_a_long_or_invisible_value_is_quoted_in_short(open_page) -> None:
    app = open_page("home", stage="a\u202eb\n" + 5000 * "c")
    assert f"'ab{78 * 'c'}…'" in notices(app)[0]
