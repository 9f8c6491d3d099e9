"""An explanation as arrays, a figure, a card and files."""

from dataclasses import replace

import numpy as np
import pytest
import tiny
from html_tags import Tags

import fervt
from fervt.errors import ConfigError, DataError
from fervt.explain import explain_face
from fervt.labels import NOTICE
from fervt.predict import to_face


def test_an_explanation_is_what_the_room_of_evidence_finds(model, faces):
    why = faces[0].explain(target="sad", against="fear")
    found = explain_face(model, to_face(faces[0].crop))
    probabilities, hidden = found.trace.probabilities, found.hidden_probabilities
    lead = probabilities[4] - probabilities[2]
    np.testing.assert_allclose(why.occlusion, lead - (hidden[..., 4] - hidden[..., 2]), atol=1e-5)
    np.testing.assert_allclose(why.gwa, found.trace.gwa_weights, atol=1e-5)
    assert why.gwa.mean() == pytest.approx(1, abs=1e-4)
    assert why.graph.mean() == pytest.approx(1, abs=1e-4)
    assert why.grad_cam.shape == (7, 7) and why.grad_cam.min() >= 0
    layers, edges, heads = why.graph_attention.shape
    assert (edges, heads) == (217, 2) and why.edge_index.shape == (2, edges)
    into = np.bincount(why.edge_index[1], weights=why.graph_attention[layers - 1, :, 1])
    np.testing.assert_allclose(into, np.ones(49), atol=1e-4)
    assert (why.target, why.against) == ("sad", "fear")
    assert repr(why) == "<fervt.Explanation: sad, not fear, by gwa, graph, grad_cam, occlusion>"
    assert faces[0].explain().target == faces[0].label


def test_an_explanation_without_the_parts(tmp_path, astronaut):
    bare = replace(tiny.CONFIG, use_gwa=False, use_gnn=False)
    model = fervt.load(tiny.save_tiny(tmp_path, config=bare))
    why = model(astronaut)[0].explain()
    assert why.gwa is why.graph is why.graph_attention is why.edge_index is None
    assert len(why.plot().data) == 2
    assert repr(why).endswith("by grad_cam, occlusion>")
    assert why._repr_html_().count("<img") == 2


def test_an_explanation_as_figure_card_and_files(faces, tmp_path):
    why = faces[0].explain("fear")
    figure = why.plot()
    assert [np.asarray(trace.z).shape for trace in figure.data] == [(7, 7)] * 4
    np.testing.assert_array_equal(figure.data[3].z, why.occlusion)
    assert figure.layout.yaxis4.range == (7, 0)
    card = Tags(why._repr_html_())
    assert sum(tag == "img" for tag, _ in card.tags) == 4
    assert "Why Fearful?" in card.texts and NOTICE in card.texts
    paths = why.save(str(tmp_path / "new" / "why"))
    assert all(path.is_file() for path in paths)
    with np.load(tmp_path / "new" / "why" / "arrays.npz") as arrays:
        np.testing.assert_allclose(arrays["evidence_occlusion"], why.occlusion)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"file' cannot be written to: .*\.$"):
        why.save(tmp_path / "file")


@pytest.mark.parametrize(
    ("target", "against", "sentence"),
    [
        ("joy", None, "'joy' is not a class of FER2013; known: angry"),
        ("happy", "contempt", "'contempt' is not a class of FER2013"),
        ("happy", "happy", "'happy' cannot be contrasted with itself"),
        (3, None, "name of a class must be a string, not int"),
        ("", None, "'' is not a class"),
    ],
)
def test_what_cannot_be_explained_is_one_sentence(faces, target, against, sentence):
    with pytest.raises(ConfigError, match=sentence):
        faces[0].explain(target, against)
