"""The model card and Home for one's own checkpoint: what is known of it, and how to know more."""

import time
from pathlib import Path

import pytest
import tiny
from job_works import give_back
from synthetic import save_evaluation

from fervt.checkpoint import read_info
from fervt.evaluation.saved import read_evaluation
from fervt.evaluation.sources import Evaluated
from fervt.files import file_sha256
from fervt.ui.jobs import server_jobs


@pytest.fixture
def own(tmp_path):
    return tiny.save_tiny(tmp_path / "mine.safetensors", seed=7)


def open_with(open_page, page: str, path):
    app = open_page(page)
    app.sidebar.file_uploader[0].upload(path.name, path.read_bytes())
    app.run()
    assert not app.exception
    return app


def links(app) -> dict[str, str]:
    return {link.proto.label: link.proto.query_string for link in app.main.get("page_link")}


@pytest.mark.parametrize("page", ["model_card", "home"])
def test_what_was_not_measured_is_said_with_the_step_that_measures_it(open_page, own, page):
    app = open_with(open_page, page, own)
    assert any("mine hasn't been evaluated yet: its accuracy" in i.value for i in app.info)
    there = links(app)["Evaluate it on labeled faces"]
    assert "source=data" in there and f"checkpoint={file_sha256(own)}" in there


@pytest.mark.parametrize("page", ["model_card", "home"])
def test_ones_own_evaluation_is_shown_and_not_shared(open_page, own, tmp_path, monkeypatch, page):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))  # for the job's work
    app = open_with(open_page, page, own)
    for digest, known in ((file_sha256(own), True), ("0" * 64, False)):
        folder = save_evaluation(tmp_path / digest, checkpoint_sha256=digest)
        found = read_evaluation(folder)
        result = Evaluated(found, read_info(own), None, {}, ())
        job = server_jobs().start("evaluate", "Mine", give_back, result)
        while job.state == "running":
            time.sleep(0.1)
        app.session_state["own_jobs"] = {"evaluate": job.id}
        app.run()
        said = f"mine is right on **{found.metrics.standard.accuracy:.1%}** of 240 faces"
        assert any(said in m.value for m in app.markdown) == known
        assert ("See all figures" in links(app)) == known
        assert "job" not in app.query_params, "a link to this page doesn't show the evaluation"
        server_jobs().forget(job.id)


def test_a_copy_of_a_shipped_checkpoint_is_sent_to_its_card(open_page, checkpoints, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoints["beta"].read_bytes())
    app = open_with(open_page, "model_card", copy)
    assert any("copy is the same file as beta" in i.value for i in app.info)
    assert "checkpoint=beta" in links(app)["See the card of beta"]


def test_the_card_of_ones_own_checkpoint_says_what_the_file_says(open_page, own):
    app = open_with(open_page, "model_card", own)
    text = "\n".join(m.value for m in app.markdown)
    assert "# mine" in text and "| Input | one face, 28 × 28 pixels, gray |" in text
    assert "## Not for" in text and "Any decision about a person" in text
