from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from synthetic import save_evaluation

from fervt.evaluation.metrics import read_metrics
from fervt.evaluation.store import EvaluationStore
from fervt.labels import NOTICE

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
        lambda self, name: {"PrivateTest": found} if name == "alpha" else {},
    )


def status(app) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_it_says_what_is_loaded_and_that_nothing_is_known_of_it(open_page, saved):
    app = open_page("home", checkpoint="beta")
    assert status(app)["Checkpoint"][0] == "beta"
    assert status(app)["Runs on"][0] in {"CPU", "GPU"}
    assert status(app)["Test accuracy"] == ("–", "not evaluated yet")
    assert any(NOTICE in caption.value for caption in app.caption)


def test_accuracy_comes_with_n_interval_and_protocol(open_page, saved):
    app = open_page("home")
    assert status(app)["Test accuracy"] == ("65.1%", "63.5 to 66.7%, n = 3,589")
    protocol = next(c.value for c in app.caption if "PrivateTest" in c.value)
    for part in ("66.2%", "64.0%", "n = 3,301", "FER+ votes", "65% ± 5 points", "67%"):
        assert part in protocol


def test_figures_of_a_shipped_checkpoint_are_not_claimed_for_ones_own(
    open_page, checkpoints, saved
):
    app = open_page("home")
    app.sidebar.file_uploader[0].upload("alpha.safetensors", checkpoints["beta"].read_bytes())
    app.run()
    assert status(app)["Test accuracy"] == ("–", "not evaluated yet")


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


def test_the_example_is_read_as_a_photo(open_page):
    app = open_page("home", image="x", face="2", whole="1")
    (link,) = [link for link in app.get("page_link") if "example" in link.proto.label]
    assert link.proto.query_string == "image=astronaut"
